CREATE TABLE trusted_operations (
    principal_id BLOB NOT NULL REFERENCES principals (id),
    signature TEXT NOT NULL,
    name TEXT,
    document TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    PRIMARY KEY (principal_id, signature)
);
