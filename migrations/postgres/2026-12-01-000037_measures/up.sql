-- Why an officer is suspended; null for other kinds, and for suspensions recorded before.
ALTER TABLE measures ADD COLUMN ground text COLLATE "C" CHECK (ground IN ('MORAL_CONDUCT', 'HARASSMENT_OF_ENTERPRISES', 'EVASION_OF_DUTY', 'HINDERS_DISCIPLINE', 'PARTY_DISCIPLINE', 'REQUESTED_BY_AUTHORITY', 'OTHER_BY_LAW'));
-- What the officer said before the decision, or when the officer refused to.
ALTER TABLE measures ADD COLUMN explanation text COLLATE "C";
ALTER TABLE measures ADD COLUMN explained_on date;
ALTER TABLE measures ADD COLUMN explanation_refused_on date;
-- The limits by which a suspension was recorded, in working days.
ALTER TABLE measures ADD COLUMN limits_version text COLLATE "C";
ALTER TABLE measures ADD COLUMN limit_days integer;
ALTER TABLE measures ADD COLUMN extension_limit_days integer;
-- The last day before the extension; null if there was none.
ALTER TABLE measures ADD COLUMN extended_from date;
ALTER TABLE measures ADD COLUMN extension_decided_on date;
ALTER TABLE measures ADD COLUMN extension_reason text COLLATE "C";
-- The last day of a measure that was ended early.
ALTER TABLE measures ADD COLUMN lifted_on date;
-- What the measure rests on; null if it was recorded before this was asked.
ALTER TABLE measures ADD COLUMN basis text COLLATE "C" CHECK (basis IN ('FLAG', 'COMPLAINTS', 'NONE'));
ALTER TABLE measures ADD COLUMN no_basis_reason text COLLATE "C";

-- The complaints that a measure rests on.
CREATE TABLE measure_complaints (
    measure_id uuid NOT NULL REFERENCES measures (id),
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    PRIMARY KEY (measure_id, complaint_id)
);

CREATE INDEX measure_complaints_by_complaint_id ON measure_complaints (complaint_id);
