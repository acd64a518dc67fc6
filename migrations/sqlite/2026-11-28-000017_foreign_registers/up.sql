-- What a complaint says against nobody named, where that is several things. The complaint itself has the first of them, and counts once.
CREATE TABLE complaint_matters (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    ordinal INTEGER NOT NULL,
    category_id BLOB REFERENCES issue_categories (id),
    unit_id BLOB REFERENCES units (id),
    finding TEXT NOT NULL CHECK (finding IN ('PENDING', 'SUSTAINED', 'NOT_SUSTAINED', 'UNFOUNDED', 'EXONERATED')),
    decided_on DATE,
    source_codes TEXT,
    PRIMARY KEY (complaint_id, ordinal)
) WITHOUT ROWID;
