ALTER TABLE digest_subscriptions ADD COLUMN reader_role TEXT CHECK (reader_role IN ('BOARD', 'UNIT_HEAD'));
UPDATE digest_subscriptions SET reader_role = role WHERE role IN ('BOARD', 'UNIT_HEAD');
ALTER TABLE digest_subscriptions DROP COLUMN role;
ALTER TABLE digest_subscriptions RENAME COLUMN reader_role TO role;

CREATE TABLE alerts_of_the_board (
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
INSERT INTO alerts_of_the_board (id, kind, subject, day, details, raised_at, cleared_at)
    SELECT id, kind, subject, day, details, raised_at, cleared_at FROM alerts WHERE principal_id IS NULL;
DROP TABLE alerts;
ALTER TABLE alerts_of_the_board RENAME TO alerts;
CREATE INDEX alerts_by_raised_at_id ON alerts (raised_at, id);
CREATE INDEX alerts_standing ON alerts (kind, subject) WHERE cleared_at IS NULL;

ALTER TABLE notification_endpoints DROP COLUMN unit_id;
ALTER TABLE notification_endpoints DROP COLUMN principal_id;
