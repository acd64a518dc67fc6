UPDATE digest_subscriptions SET role = NULL WHERE role = 'DATA_TEAM';
ALTER TABLE digest_subscriptions DROP CONSTRAINT digest_subscriptions_role_check;
ALTER TABLE digest_subscriptions ADD CONSTRAINT digest_subscriptions_role_check CHECK (role IN ('BOARD', 'UNIT_HEAD'));

DELETE FROM alerts WHERE principal_id IS NOT NULL;
DROP INDEX alerts_of_a_reader_and_day;
DROP INDEX alerts_of_a_day;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_subject_day_key UNIQUE (kind, subject, day);
ALTER TABLE alerts DROP COLUMN unit_id;
ALTER TABLE alerts DROP COLUMN principal_id;
ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_check
    CHECK (kind IN ('SUSPENSION_REVIEW', 'TECHNICAL_BURST', 'JOB_FAILED', 'JOB_MISSED', 'DIGEST_UNDELIVERED'));

ALTER TABLE notification_endpoints DROP COLUMN unit_id;
ALTER TABLE notification_endpoints DROP COLUMN principal_id;
