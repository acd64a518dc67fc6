CREATE TABLE redactions (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    text TEXT NOT NULL,
    redacted_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (complaint_id)
);
