CREATE TABLE job_runs (
    id uuid NOT NULL,
    job text COLLATE "C" NOT NULL,
    scheduled_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    state text COLLATE "C" NOT NULL CHECK (state IN ('RUNNING', 'SUCCEEDED', 'FAILED')),
    as_of date,
    known_at bigint,
    rules jsonb,
    rules_version text COLLATE "C",
    code_version text COLLATE "C" NOT NULL,
    inputs jsonb,
    input_hash text COLLATE "C",
    output_hash text COLLATE "C",
    result_hash text COLLATE "C",
    summary jsonb,
    error text COLLATE "C",
    PRIMARY KEY (id),
    UNIQUE (job, scheduled_at)
);

CREATE TABLE flags (
    id uuid NOT NULL,
    subject_kind text COLLATE "C" NOT NULL CHECK (subject_kind IN ('OFFICER', 'BRANCH')),
    officer_id uuid UNIQUE REFERENCES officers (id),
    unit_id uuid UNIQUE REFERENCES units (id),
    tier text COLLATE "C" NOT NULL CHECK (tier IN ('WATCH', 'REVIEW', 'SUSPENSION_REVIEW')),
    state text COLLATE "C" NOT NULL CHECK (state IN ('OPEN', 'ACKNOWLEDGED', 'UNDER_REVIEW', 'UPHELD', 'DISMISSED', 'EXPIRED', 'RETRACTED')),
    run_id uuid NOT NULL REFERENCES job_runs (id),
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CHECK ((subject_kind = 'OFFICER') = (officer_id IS NOT NULL) AND (subject_kind = 'BRANCH') = (unit_id IS NOT NULL))
);

CREATE TABLE flag_assessments (
    flag_id uuid NOT NULL REFERENCES flags (id),
    run_id uuid NOT NULL REFERENCES job_runs (id),
    tier text COLLATE "C" NOT NULL CHECK (tier IN ('WATCH', 'REVIEW', 'SUSPENSION_REVIEW')),
    numbers jsonb NOT NULL,
    reason_vi text COLLATE "C" NOT NULL,
    reason_en text COLLATE "C" NOT NULL,
    evidence jsonb NOT NULL,
    PRIMARY KEY (flag_id, run_id)
);

CREATE TABLE principals (
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL UNIQUE,
    role text COLLATE "C" NOT NULL CHECK (role IN ('BOARD', 'UNIT_HEAD', 'DATA_TEAM', 'DASHBOARD', 'INTAKE', 'ADMIN')),
    unit_id uuid REFERENCES units (id),
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    PRIMARY KEY (id),
    CHECK ((role = 'UNIT_HEAD') = (unit_id IS NOT NULL))
);

CREATE TABLE api_tokens (
    id uuid NOT NULL,
    principal_id uuid NOT NULL REFERENCES principals (id),
    hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    PRIMARY KEY (id)
);

CREATE INDEX flags_by_tier ON flags (tier);
CREATE INDEX flag_assessments_by_run_id ON flag_assessments (run_id);
CREATE INDEX api_tokens_by_principal_id ON api_tokens (principal_id);
