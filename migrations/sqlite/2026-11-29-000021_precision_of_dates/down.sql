ALTER TABLE complaints DROP COLUMN received_precision;
