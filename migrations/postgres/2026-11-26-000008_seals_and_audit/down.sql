ALTER TABLE principals DROP COLUMN officer_id;
DROP TABLE seals;
DROP TABLE audit_log;
DROP TABLE audit_position;
