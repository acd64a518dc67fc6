ALTER TABLE unit_responses DROP COLUMN visibility;
DROP TABLE complaint_links;
DROP TABLE attachments;
DROP TABLE complaint_additions;
DROP TABLE receipts;
