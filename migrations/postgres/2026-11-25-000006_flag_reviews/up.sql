CREATE TABLE flag_reviews (
    id uuid NOT NULL,
    flag_id uuid NOT NULL REFERENCES flags (id),
    run_id uuid NOT NULL REFERENCES job_runs (id),
    from_state text COLLATE "C" NOT NULL CHECK (from_state IN ('OPEN', 'ACKNOWLEDGED', 'UNDER_REVIEW', 'UPHELD', 'DISMISSED', 'EXPIRED', 'RETRACTED')),
    to_state text COLLATE "C" NOT NULL CHECK (to_state IN ('OPEN', 'ACKNOWLEDGED', 'UNDER_REVIEW', 'UPHELD', 'DISMISSED', 'EXPIRED', 'RETRACTED')),
    reason text COLLATE "C",
    notified_on date,
    explanation text COLLATE "C",
    evidence jsonb NOT NULL,
    actor text COLLATE "C" NOT NULL,
    reviewed_at timestamptz NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX flag_reviews_by_flag_id_reviewed_at ON flag_reviews (flag_id, reviewed_at);

ALTER TABLE flag_assessments ADD COLUMN new_evidence jsonb;
