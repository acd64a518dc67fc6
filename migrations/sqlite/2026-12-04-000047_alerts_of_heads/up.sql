-- The head of a unit to whom messages go; null: they are about what the Board is told. The unit is that of the head when
-- the endpoint was added.
ALTER TABLE notification_endpoints ADD COLUMN principal_id BLOB REFERENCES principals (id);
ALTER TABLE notification_endpoints ADD COLUMN unit_id BLOB REFERENCES units (id);

-- Alerts for one head: made of what this head may see, and seen by no other reader.
CREATE TABLE alerts_with_readers (
    id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('SUSPENSION_REVIEW', 'TECHNICAL_BURST', 'JOB_FAILED', 'JOB_MISSED', 'DIGEST_UNDELIVERED', 'COMPLAINT_ESCALATED')),
    subject TEXT NOT NULL,
    day DATE NOT NULL,
    details TEXT NOT NULL,
    raised_at INTEGER NOT NULL,
    cleared_at INTEGER,
    -- The head, and its unit then; null: for the Board.
    principal_id BLOB REFERENCES principals (id),
    unit_id BLOB REFERENCES units (id),
    PRIMARY KEY (id)
);
INSERT INTO alerts_with_readers (id, kind, subject, day, details, raised_at, cleared_at)
    SELECT id, kind, subject, day, details, raised_at, cleared_at FROM alerts;
DROP TABLE alerts;
ALTER TABLE alerts_with_readers RENAME TO alerts;
CREATE UNIQUE INDEX alerts_of_a_day ON alerts (kind, subject, day) WHERE principal_id IS NULL;
CREATE UNIQUE INDEX alerts_of_a_reader_and_day ON alerts (principal_id, unit_id, kind, subject, day)
    WHERE principal_id IS NOT NULL;
CREATE INDEX alerts_by_raised_at_id ON alerts (raised_at, id);
CREATE INDEX alerts_standing ON alerts (kind, subject) WHERE cleared_at IS NULL;

-- Analysts read digests, too.
ALTER TABLE digest_subscriptions ADD COLUMN reader_role TEXT CHECK (reader_role IN ('BOARD', 'UNIT_HEAD', 'DATA_TEAM'));
UPDATE digest_subscriptions SET reader_role = role;
ALTER TABLE digest_subscriptions DROP COLUMN role;
ALTER TABLE digest_subscriptions RENAME COLUMN reader_role TO role;
