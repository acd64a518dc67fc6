-- Where the program sends alerts: an HTTPS address that takes webhooks, or a mail address. The secret that signs
-- webhooks is not stored: it is derived from the key file, the id of the endpoint and the numbers below.
CREATE TABLE notification_endpoints (
    id uuid NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('WEBHOOK', 'EMAIL')),
    name text COLLATE "C" NOT NULL,
    address text COLLATE "C" NOT NULL,
    locale text COLLATE "C" NOT NULL CHECK (locale IN ('vi', 'en')),
    events jsonb NOT NULL,
    key_version integer NOT NULL,
    secret_number integer NOT NULL,
    previous_key_version integer,
    previous_until timestamptz,
    created_at timestamptz NOT NULL,
    created_by text COLLATE "C" NOT NULL,
    disabled_at timestamptz,
    disabled_reason text COLLATE "C",
    PRIMARY KEY (id),
    UNIQUE (channel, address)
);

-- Messages on their way to an endpoint. The body is kept as it is signed.
CREATE TABLE notifications (
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL REFERENCES notification_endpoints (id),
    event text COLLATE "C" NOT NULL,
    body text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('PENDING', 'SENT', 'FAILED')),
    attempts integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    status integer,
    error text COLLATE "C",
    PRIMARY KEY (id)
);

CREATE TABLE alerts (
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('SUSPENSION_REVIEW', 'TECHNICAL_BURST', 'JOB_FAILED', 'JOB_MISSED', 'DIGEST_UNDELIVERED')),
    subject text COLLATE "C" NOT NULL,
    day date NOT NULL,
    details jsonb NOT NULL,
    raised_at timestamptz NOT NULL,
    cleared_at timestamptz,
    PRIMARY KEY (id),
    UNIQUE (kind, subject, day)
);

CREATE INDEX notifications_by_state_next_attempt_at ON notifications (state, next_attempt_at);
CREATE INDEX notifications_by_endpoint_id_created_at ON notifications (endpoint_id, created_at);
CREATE INDEX alerts_by_raised_at_id ON alerts (raised_at, id);
CREATE INDEX alerts_standing ON alerts (kind, subject) WHERE cleared_at IS NULL;
