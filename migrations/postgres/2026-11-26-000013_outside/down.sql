ALTER TABLE principals DROP COLUMN outside;
