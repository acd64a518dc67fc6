-- Who reads a subscription's digests, and when; null: the address receives the Board's whole digest of each day.
ALTER TABLE digest_subscriptions ADD COLUMN principal_id uuid REFERENCES principals (id);
-- The role that the reader had when it subscribed, and the unit that its digests are about; null: all units.
ALTER TABLE digest_subscriptions ADD COLUMN role text COLLATE "C" CHECK (role IN ('BOARD', 'UNIT_HEAD'));
ALTER TABLE digest_subscriptions ADD COLUMN unit_id uuid REFERENCES units (id);
-- Words with spaces between them; null: all sections.
ALTER TABLE digest_subscriptions ADD COLUMN sections text COLLATE "C";
ALTER TABLE digest_subscriptions ADD COLUMN schedule text COLLATE "C";
ALTER TABLE digest_subscriptions ADD COLUMN timezone text COLLATE "C";
ALTER TABLE digest_subscriptions ADD COLUMN condition text COLLATE "C"
    CHECK (condition IN ('ALWAYS', 'ANYTHING_NEW', 'NEW_FLAG', 'OVERDUE'));
ALTER TABLE digest_subscriptions ADD COLUMN min_overdue integer CHECK (min_overdue >= 0);
-- The last day without digests.
ALTER TABLE digest_subscriptions ADD COLUMN quiet_until date;
-- The last scheduled time for which a digest was made, or was not due by its condition.
ALTER TABLE digest_subscriptions ADD COLUMN considered_at timestamptz;

-- Digests made for one reader, each with its delivery.
CREATE TABLE reader_digests (
    id uuid NOT NULL,
    subscription_id uuid NOT NULL REFERENCES digest_subscriptions (id),
    run_id uuid NOT NULL REFERENCES job_runs (id),
    previous_id uuid REFERENCES reader_digests (id),
    as_of date NOT NULL,
    locale text COLLATE "C" NOT NULL CHECK (locale IN ('vi', 'en')),
    subject text COLLATE "C" NOT NULL,
    html text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    document jsonb NOT NULL,
    position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('PENDING', 'SENT', 'FAILED')),
    attempts integer NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    sent_at timestamptz,
    error text COLLATE "C",
    PRIMARY KEY (id),
    UNIQUE (subscription_id, as_of)
);

CREATE INDEX reader_digests_by_state_next_attempt_at ON reader_digests (state, next_attempt_at);
CREATE INDEX reader_digests_by_run_id ON reader_digests (run_id);
CREATE INDEX digest_subscriptions_by_principal_id ON digest_subscriptions (principal_id);
