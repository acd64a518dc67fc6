-- Where the program sends alerts: an HTTPS address that takes webhooks, or a mail address. The secret that signs
-- webhooks is not stored: it is derived from the key file, the id of the endpoint and the numbers below.
CREATE TABLE notification_endpoints (
    id BLOB NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('WEBHOOK', 'EMAIL')),
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    locale TEXT NOT NULL CHECK (locale IN ('vi', 'en')),
    events TEXT NOT NULL,
    key_version INTEGER NOT NULL,
    secret_number INTEGER NOT NULL,
    previous_key_version INTEGER,
    previous_until INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    disabled_at INTEGER,
    disabled_reason TEXT,
    PRIMARY KEY (id),
    UNIQUE (channel, address)
);

-- Messages on their way to an endpoint. The body is kept as it is signed.
CREATE TABLE notifications (
    id BLOB NOT NULL,
    endpoint_id BLOB NOT NULL REFERENCES notification_endpoints (id),
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('PENDING', 'SENT', 'FAILED')),
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    status INTEGER,
    error TEXT,
    PRIMARY KEY (id)
);

CREATE TABLE alerts (
    id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('SUSPENSION_REVIEW', 'TECHNICAL_BURST', 'JOB_FAILED', 'JOB_MISSED', 'DIGEST_UNDELIVERED')),
    subject TEXT NOT NULL,
    day DATE NOT NULL,
    details TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    cleared_at INTEGER,
    PRIMARY KEY (id),
    UNIQUE (kind, subject, day)
);

CREATE INDEX notifications_by_state_next_attempt_at ON notifications (state, next_attempt_at);
CREATE INDEX notifications_by_endpoint_id_created_at ON notifications (endpoint_id, created_at);
CREATE INDEX alerts_by_raised_at_id ON alerts (raised_at, id);
CREATE INDEX alerts_standing ON alerts (kind, subject) WHERE cleared_at IS NULL;
