CREATE TABLE audit_position (
    id integer NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);

INSERT INTO audit_position (id, value) VALUES (1, 0);

CREATE TABLE audit_log (
    number bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    role text COLLATE "C",
    action text COLLATE "C" NOT NULL CHECK (action IN ('LOOK', 'EXPORT', 'SQL', 'TOKEN_CREATED', 'TOKEN_REVOKED', 'OPERATIONS_TRUSTED')),
    operation text COLLATE "C",
    objects jsonb NOT NULL,
    PRIMARY KEY (number)
);

CREATE TABLE seals (
    chain text COLLATE "C" NOT NULL CHECK (chain IN ('COMPLAINTS', 'REFERENCE', 'AUDIT')),
    number bigint NOT NULL,
    after bigint NOT NULL,
    until bigint NOT NULL,
    rows bigint NOT NULL,
    marks bytea NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    key_version integer NOT NULL,
    signature bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (chain, number)
);

ALTER TABLE principals ADD COLUMN officer_id uuid REFERENCES officers (id);
