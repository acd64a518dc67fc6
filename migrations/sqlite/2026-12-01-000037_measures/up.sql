-- Why an officer is suspended; null for other kinds, and for suspensions recorded before.
ALTER TABLE measures ADD COLUMN ground TEXT CHECK (ground IN ('MORAL_CONDUCT', 'HARASSMENT_OF_ENTERPRISES', 'EVASION_OF_DUTY', 'HINDERS_DISCIPLINE', 'PARTY_DISCIPLINE', 'REQUESTED_BY_AUTHORITY', 'OTHER_BY_LAW'));
-- What the officer said before the decision, or when the officer refused to.
ALTER TABLE measures ADD COLUMN explanation TEXT;
ALTER TABLE measures ADD COLUMN explained_on DATE;
ALTER TABLE measures ADD COLUMN explanation_refused_on DATE;
-- The limits by which a suspension was recorded, in working days.
ALTER TABLE measures ADD COLUMN limits_version TEXT;
ALTER TABLE measures ADD COLUMN limit_days INTEGER;
ALTER TABLE measures ADD COLUMN extension_limit_days INTEGER;
-- The last day before the extension; null if there was none.
ALTER TABLE measures ADD COLUMN extended_from DATE;
ALTER TABLE measures ADD COLUMN extension_decided_on DATE;
ALTER TABLE measures ADD COLUMN extension_reason TEXT;
-- The last day of a measure that was ended early.
ALTER TABLE measures ADD COLUMN lifted_on DATE;
-- What the measure rests on; null if it was recorded before this was asked.
ALTER TABLE measures ADD COLUMN basis TEXT CHECK (basis IN ('FLAG', 'COMPLAINTS', 'NONE'));
ALTER TABLE measures ADD COLUMN no_basis_reason TEXT;

-- The complaints that a measure rests on.
CREATE TABLE measure_complaints (
    measure_id BLOB NOT NULL REFERENCES measures (id),
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    PRIMARY KEY (measure_id, complaint_id)
);

CREATE INDEX measure_complaints_by_complaint_id ON measure_complaints (complaint_id);
