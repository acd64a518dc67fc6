CREATE TABLE audit_position (
    id INTEGER NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);

INSERT INTO audit_position (id, value) VALUES (1, 0);

CREATE TABLE audit_log (
    number BIGINT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    role TEXT,
    action TEXT NOT NULL CHECK (action IN ('LOOK', 'EXPORT', 'SQL', 'TOKEN_CREATED', 'TOKEN_REVOKED', 'OPERATIONS_TRUSTED')),
    operation TEXT,
    objects TEXT NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE seals (
    chain TEXT NOT NULL CHECK (chain IN ('COMPLAINTS', 'REFERENCE', 'AUDIT')),
    number BIGINT NOT NULL,
    after BIGINT NOT NULL,
    until BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    marks BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    key_version INTEGER NOT NULL,
    signature BLOB NOT NULL,
    sealed_at INTEGER NOT NULL,
    PRIMARY KEY (chain, number)
);

ALTER TABLE principals ADD COLUMN officer_id BLOB REFERENCES officers (id);
