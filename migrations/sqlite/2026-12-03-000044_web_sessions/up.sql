-- Sessions of the web page. The secret in the reader's cookie is stored nowhere; `proof` binds the row to its holder by
-- the key file.
CREATE TABLE web_sessions (
    id BLOB NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    proof BLOB NOT NULL,
    -- Null for a token of another issuer (JWT): then the columns up to `outside` hold what its claims said.
    token_id BLOB REFERENCES api_tokens (id),
    principal_id BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('BOARD', 'UNIT_HEAD', 'DATA_TEAM', 'DASHBOARD', 'INTAKE', 'ADMIN')),
    unit_id BLOB,
    officer_id BLOB,
    outside BOOLEAN NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    -- When the holder used its session before this one.
    last_looked_at INTEGER,
    PRIMARY KEY (id)
);

CREATE INDEX web_sessions_by_principal_id ON web_sessions (principal_id, last_seen_at);
