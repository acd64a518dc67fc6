-- What the holder of a receipt code may do: the code itself is stored nowhere.
CREATE TABLE receipts (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    lookup bigint NOT NULL UNIQUE,
    salt bytea NOT NULL,
    hash bytea NOT NULL,
    issued_at timestamptz NOT NULL,
    reopened_at timestamptz,
    PRIMARY KEY (complaint_id)
);

CREATE TABLE complaint_additions (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    ordinal integer NOT NULL,
    text text COLLATE "C" NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (complaint_id, ordinal)
);

-- Attachments by reference. The files lie elsewhere, and nobody here fetches them.
CREATE TABLE attachments (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    id uuid NOT NULL,
    addition integer,
    ordinal integer NOT NULL,
    name text COLLATE "C" NOT NULL,
    size bigint NOT NULL CHECK (size >= 0),
    media_type text COLLATE "C" NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    url text COLLATE "C" NOT NULL,
    PRIMARY KEY (complaint_id, id)
);

-- A complaint that says again what another one, the original, says.
CREATE TABLE complaint_links (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    original_id uuid NOT NULL REFERENCES complaints (id),
    linked_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (complaint_id)
);

CREATE INDEX complaint_links_by_original_id ON complaint_links (original_id);

-- Null: an internal response, as all that were imported.
ALTER TABLE unit_responses ADD COLUMN visibility text COLLATE "C" CHECK (visibility IN ('COMPLAINANT', 'INTERNAL'));
