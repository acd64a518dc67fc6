-- What the holder of a receipt code may do: the code itself is stored nowhere.
CREATE TABLE receipts (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    lookup BIGINT NOT NULL UNIQUE,
    salt BLOB NOT NULL,
    hash BLOB NOT NULL,
    issued_at INTEGER NOT NULL,
    reopened_at INTEGER,
    PRIMARY KEY (complaint_id)
);

CREATE TABLE complaint_additions (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    ordinal INTEGER NOT NULL,
    text TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (complaint_id, ordinal)
);

-- Attachments by reference. The files lie elsewhere, and nobody here fetches them.
CREATE TABLE attachments (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    id BLOB NOT NULL,
    addition INTEGER,
    ordinal INTEGER NOT NULL,
    name TEXT NOT NULL,
    size BIGINT NOT NULL CHECK (size >= 0),
    media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    url TEXT NOT NULL,
    PRIMARY KEY (complaint_id, id)
);

-- A complaint that says again what another one, the original, says.
CREATE TABLE complaint_links (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    original_id BLOB NOT NULL REFERENCES complaints (id),
    linked_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (complaint_id)
);

CREATE INDEX complaint_links_by_original_id ON complaint_links (original_id);

-- Null: an internal response, as all that were imported.
ALTER TABLE unit_responses ADD COLUMN visibility TEXT CHECK (visibility IN ('COMPLAINANT', 'INTERNAL'));
