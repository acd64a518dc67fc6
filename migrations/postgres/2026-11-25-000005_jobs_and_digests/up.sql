ALTER TABLE job_runs ADD COLUMN origin text COLLATE "C" NOT NULL DEFAULT 'MANUAL' CHECK (origin IN ('SCHEDULED', 'MANUAL'));
ALTER TABLE job_runs ADD COLUMN attempt integer NOT NULL DEFAULT 1;
ALTER TABLE job_runs ADD COLUMN retry_at timestamptz;
ALTER TABLE job_runs ADD COLUMN node text COLLATE "C";

CREATE TABLE jobs (
    job text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    paused_at timestamptz,
    paused_by text COLLATE "C",
    run_id uuid REFERENCES job_runs (id),
    node text COLLATE "C",
    lease_until timestamptz,
    PRIMARY KEY (job)
);

CREATE TABLE job_results (
    run_id uuid NOT NULL REFERENCES job_runs (id),
    name text COLLATE "C" NOT NULL,
    as_of date NOT NULL,
    document jsonb NOT NULL,
    PRIMARY KEY (run_id, name)
);

CREATE TABLE escalations (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    level integer NOT NULL CHECK (level IN (1, 2)),
    unit_id uuid REFERENCES units (id),
    due_on date NOT NULL,
    escalated_at timestamptz NOT NULL,
    run_id uuid NOT NULL REFERENCES job_runs (id),
    PRIMARY KEY (complaint_id, level)
);

CREATE TABLE digests (
    id uuid NOT NULL,
    run_id uuid NOT NULL REFERENCES job_runs (id),
    previous_id uuid REFERENCES digests (id),
    as_of date NOT NULL,
    locale text COLLATE "C" NOT NULL CHECK (locale IN ('vi', 'en')),
    subject text COLLATE "C" NOT NULL,
    html text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    document jsonb NOT NULL,
    position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (as_of, locale)
);

CREATE TABLE digest_subscriptions (
    id uuid NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('EMAIL', 'FOLDER')),
    address text COLLATE "C" NOT NULL,
    locale text COLLATE "C" NOT NULL CHECK (locale IN ('vi', 'en')),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (id),
    UNIQUE (channel, address)
);

CREATE TABLE deliveries (
    digest_id uuid NOT NULL REFERENCES digests (id),
    subscription_id uuid NOT NULL REFERENCES digest_subscriptions (id),
    state text COLLATE "C" NOT NULL CHECK (state IN ('PENDING', 'SENT', 'FAILED')),
    attempts integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    sent_at timestamptz,
    error text COLLATE "C",
    PRIMARY KEY (digest_id, subscription_id)
);

CREATE INDEX job_results_by_name_as_of ON job_results (name, as_of);
CREATE INDEX escalations_by_run_id ON escalations (run_id);
CREATE INDEX deliveries_by_state_next_attempt_at ON deliveries (state, next_attempt_at);
CREATE INDEX job_runs_by_started_at ON job_runs (started_at);
