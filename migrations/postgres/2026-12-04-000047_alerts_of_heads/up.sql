-- The head of a unit to whom messages go; null: they are about what the Board is told. The unit is that of the head when
-- the endpoint was added.
ALTER TABLE notification_endpoints ADD COLUMN principal_id uuid REFERENCES principals (id);
ALTER TABLE notification_endpoints ADD COLUMN unit_id uuid REFERENCES units (id);

-- Alerts for one head: made of what this head may see, and seen by no other reader.
ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_check
    CHECK (kind IN ('SUSPENSION_REVIEW', 'TECHNICAL_BURST', 'JOB_FAILED', 'JOB_MISSED', 'DIGEST_UNDELIVERED', 'COMPLAINT_ESCALATED'));
-- The head, and its unit then; null: for the Board.
ALTER TABLE alerts ADD COLUMN principal_id uuid REFERENCES principals (id);
ALTER TABLE alerts ADD COLUMN unit_id uuid REFERENCES units (id);
ALTER TABLE alerts DROP CONSTRAINT alerts_kind_subject_day_key;
CREATE UNIQUE INDEX alerts_of_a_day ON alerts (kind, subject, day) WHERE principal_id IS NULL;
CREATE UNIQUE INDEX alerts_of_a_reader_and_day ON alerts (principal_id, unit_id, kind, subject, day)
    WHERE principal_id IS NOT NULL;

-- Analysts read digests, too.
ALTER TABLE digest_subscriptions DROP CONSTRAINT digest_subscriptions_role_check;
ALTER TABLE digest_subscriptions ADD CONSTRAINT digest_subscriptions_role_check
    CHECK (role IN ('BOARD', 'UNIT_HEAD', 'DATA_TEAM'));
