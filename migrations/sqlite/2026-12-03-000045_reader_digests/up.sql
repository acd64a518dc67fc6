-- Who reads a subscription's digests, and when; null: the address receives the Board's whole digest of each day.
ALTER TABLE digest_subscriptions ADD COLUMN principal_id BLOB REFERENCES principals (id);
-- The role that the reader had when it subscribed, and the unit that its digests are about; null: all units.
ALTER TABLE digest_subscriptions ADD COLUMN role TEXT CHECK (role IN ('BOARD', 'UNIT_HEAD'));
ALTER TABLE digest_subscriptions ADD COLUMN unit_id BLOB REFERENCES units (id);
-- Words with spaces between them; null: all sections.
ALTER TABLE digest_subscriptions ADD COLUMN sections TEXT;
ALTER TABLE digest_subscriptions ADD COLUMN schedule TEXT;
ALTER TABLE digest_subscriptions ADD COLUMN timezone TEXT;
ALTER TABLE digest_subscriptions ADD COLUMN condition TEXT
    CHECK (condition IN ('ALWAYS', 'ANYTHING_NEW', 'NEW_FLAG', 'OVERDUE'));
ALTER TABLE digest_subscriptions ADD COLUMN min_overdue INTEGER CHECK (min_overdue >= 0);
-- The last day without digests.
ALTER TABLE digest_subscriptions ADD COLUMN quiet_until DATE;
-- The last scheduled time for which a digest was made, or was not due by its condition.
ALTER TABLE digest_subscriptions ADD COLUMN considered_at INTEGER;

-- Digests made for one reader, each with its delivery.
CREATE TABLE reader_digests (
    id BLOB NOT NULL,
    subscription_id BLOB NOT NULL REFERENCES digest_subscriptions (id),
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    previous_id BLOB REFERENCES reader_digests (id),
    as_of DATE NOT NULL,
    locale TEXT NOT NULL CHECK (locale IN ('vi', 'en')),
    subject TEXT NOT NULL,
    html TEXT NOT NULL,
    text TEXT NOT NULL,
    document TEXT NOT NULL,
    position BIGINT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('PENDING', 'SENT', 'FAILED')),
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    sent_at INTEGER,
    error TEXT,
    PRIMARY KEY (id),
    UNIQUE (subscription_id, as_of)
);

CREATE INDEX reader_digests_by_state_next_attempt_at ON reader_digests (state, next_attempt_at);
CREATE INDEX reader_digests_by_run_id ON reader_digests (run_id);
CREATE INDEX digest_subscriptions_by_principal_id ON digest_subscriptions (principal_id);
