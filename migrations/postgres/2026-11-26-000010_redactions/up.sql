CREATE TABLE redactions (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    text text COLLATE "C" NOT NULL,
    redacted_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    PRIMARY KEY (complaint_id)
);
