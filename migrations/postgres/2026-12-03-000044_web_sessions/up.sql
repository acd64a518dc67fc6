-- Sessions of the web page. The secret in the reader's cookie is stored nowhere; `proof` binds the row to its holder by
-- the key file.
CREATE TABLE web_sessions (
    id uuid NOT NULL,
    hash bytea NOT NULL UNIQUE,
    proof bytea NOT NULL,
    -- Null for a token of another issuer (JWT): then the columns up to `outside` hold what its claims said.
    token_id uuid REFERENCES api_tokens (id),
    principal_id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('BOARD', 'UNIT_HEAD', 'DATA_TEAM', 'DASHBOARD', 'INTAKE', 'ADMIN')),
    unit_id uuid,
    officer_id uuid,
    outside boolean NOT NULL,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    -- When the holder used its session before this one.
    last_looked_at timestamptz,
    PRIMARY KEY (id)
);

CREATE INDEX web_sessions_by_principal_id ON web_sessions (principal_id, last_seen_at);
