ALTER TABLE job_runs ADD COLUMN origin TEXT NOT NULL DEFAULT 'MANUAL' CHECK (origin IN ('SCHEDULED', 'MANUAL'));
ALTER TABLE job_runs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;
ALTER TABLE job_runs ADD COLUMN retry_at INTEGER;
ALTER TABLE job_runs ADD COLUMN node TEXT;

CREATE TABLE jobs (
    job TEXT NOT NULL,
    since INTEGER NOT NULL,
    paused_at INTEGER,
    paused_by TEXT,
    run_id BLOB REFERENCES job_runs (id),
    node TEXT,
    lease_until INTEGER,
    PRIMARY KEY (job)
);

CREATE TABLE job_results (
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    name TEXT NOT NULL,
    as_of DATE NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (run_id, name)
);

CREATE TABLE escalations (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    level INTEGER NOT NULL CHECK (level IN (1, 2)),
    unit_id BLOB REFERENCES units (id),
    due_on DATE NOT NULL,
    escalated_at INTEGER NOT NULL,
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    PRIMARY KEY (complaint_id, level)
);

CREATE TABLE digests (
    id BLOB NOT NULL,
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    previous_id BLOB REFERENCES digests (id),
    as_of DATE NOT NULL,
    locale TEXT NOT NULL CHECK (locale IN ('vi', 'en')),
    subject TEXT NOT NULL,
    html TEXT NOT NULL,
    text TEXT NOT NULL,
    document TEXT NOT NULL,
    position BIGINT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (as_of, locale)
);

CREATE TABLE digest_subscriptions (
    id BLOB NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('EMAIL', 'FOLDER')),
    address TEXT NOT NULL,
    locale TEXT NOT NULL CHECK (locale IN ('vi', 'en')),
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (id),
    UNIQUE (channel, address)
);

CREATE TABLE deliveries (
    digest_id BLOB NOT NULL REFERENCES digests (id),
    subscription_id BLOB NOT NULL REFERENCES digest_subscriptions (id),
    state TEXT NOT NULL CHECK (state IN ('PENDING', 'SENT', 'FAILED')),
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    sent_at INTEGER,
    error TEXT,
    PRIMARY KEY (digest_id, subscription_id)
);

CREATE INDEX job_results_by_name_as_of ON job_results (name, as_of);
CREATE INDEX escalations_by_run_id ON escalations (run_id);
CREATE INDEX deliveries_by_state_next_attempt_at ON deliveries (state, next_attempt_at);
CREATE INDEX job_runs_by_started_at ON job_runs (started_at);
