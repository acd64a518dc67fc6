CREATE TABLE flag_reviews (
    id BLOB NOT NULL,
    flag_id BLOB NOT NULL REFERENCES flags (id),
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    from_state TEXT NOT NULL CHECK (from_state IN ('OPEN', 'ACKNOWLEDGED', 'UNDER_REVIEW', 'UPHELD', 'DISMISSED', 'EXPIRED', 'RETRACTED')),
    to_state TEXT NOT NULL CHECK (to_state IN ('OPEN', 'ACKNOWLEDGED', 'UNDER_REVIEW', 'UPHELD', 'DISMISSED', 'EXPIRED', 'RETRACTED')),
    reason TEXT,
    notified_on DATE,
    explanation TEXT,
    evidence TEXT NOT NULL,
    actor TEXT NOT NULL,
    reviewed_at INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX flag_reviews_by_flag_id_reviewed_at ON flag_reviews (flag_id, reviewed_at);

ALTER TABLE flag_assessments ADD COLUMN new_evidence TEXT;
