ALTER TABLE issue_categories DROP COLUMN valid_to;
ALTER TABLE jobs DROP COLUMN pause_reason;
