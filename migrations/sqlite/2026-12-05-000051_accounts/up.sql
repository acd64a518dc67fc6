-- Accounts of another issuer (OpenID Connect, JWT) are principals without tokens: role, unit, officer and `outside` are
-- what the issuer last asserted, and when. Null for those who hold tokens.
ALTER TABLE principals ADD COLUMN issuer TEXT;
ALTER TABLE principals ADD COLUMN subject TEXT;
ALTER TABLE principals ADD COLUMN asserted_at INTEGER;
