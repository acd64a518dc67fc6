ALTER TABLE principals DROP COLUMN asserted_at;
ALTER TABLE principals DROP COLUMN subject;
ALTER TABLE principals DROP COLUMN issuer;
