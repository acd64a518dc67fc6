CREATE TABLE job_runs (
    id BLOB NOT NULL,
    job TEXT NOT NULL,
    scheduled_at INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    state TEXT NOT NULL CHECK (state IN ('RUNNING', 'SUCCEEDED', 'FAILED')),
    as_of DATE,
    known_at BIGINT,
    rules TEXT,
    rules_version TEXT,
    code_version TEXT NOT NULL,
    inputs TEXT,
    input_hash TEXT,
    output_hash TEXT,
    result_hash TEXT,
    summary TEXT,
    error TEXT,
    PRIMARY KEY (id),
    UNIQUE (job, scheduled_at)
);

CREATE TABLE flags (
    id BLOB NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('OFFICER', 'BRANCH')),
    officer_id BLOB UNIQUE REFERENCES officers (id),
    unit_id BLOB UNIQUE REFERENCES units (id),
    tier TEXT NOT NULL CHECK (tier IN ('WATCH', 'REVIEW', 'SUSPENSION_REVIEW')),
    state TEXT NOT NULL CHECK (state IN ('OPEN', 'ACKNOWLEDGED', 'UNDER_REVIEW', 'UPHELD', 'DISMISSED', 'EXPIRED', 'RETRACTED')),
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    opened_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    CHECK ((subject_kind = 'OFFICER') = (officer_id IS NOT NULL) AND (subject_kind = 'BRANCH') = (unit_id IS NOT NULL))
);

CREATE TABLE flag_assessments (
    flag_id BLOB NOT NULL REFERENCES flags (id),
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    tier TEXT NOT NULL CHECK (tier IN ('WATCH', 'REVIEW', 'SUSPENSION_REVIEW')),
    numbers TEXT NOT NULL,
    reason_vi TEXT NOT NULL,
    reason_en TEXT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (flag_id, run_id)
);

CREATE TABLE principals (
    id BLOB NOT NULL,
    name TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('BOARD', 'UNIT_HEAD', 'DATA_TEAM', 'DASHBOARD', 'INTAKE', 'ADMIN')),
    unit_id BLOB REFERENCES units (id),
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    PRIMARY KEY (id),
    CHECK ((role = 'UNIT_HEAD') = (unit_id IS NOT NULL))
);

CREATE TABLE api_tokens (
    id BLOB NOT NULL,
    principal_id BLOB NOT NULL REFERENCES principals (id),
    hash BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER,
    PRIMARY KEY (id)
);

CREATE INDEX flags_by_tier ON flags (tier);
CREATE INDEX flag_assessments_by_run_id ON flag_assessments (run_id);
CREATE INDEX api_tokens_by_principal_id ON api_tokens (principal_id);
