CREATE TABLE trusted_operations (
    principal_id uuid NOT NULL REFERENCES principals (id),
    signature text COLLATE "C" NOT NULL,
    name text COLLATE "C",
    document text COLLATE "C" NOT NULL,
    added_at timestamptz NOT NULL,
    PRIMARY KEY (principal_id, signature)
);
