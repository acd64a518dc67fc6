-- A correction is an event of its own kind. To copy a table of all events only for its CHECK would take long, so the
-- definition is edited in place, as https://sqlite.org/lang_altertable.html allows for a CHECK. The tables made below
-- change the version of the schema, so that other connections read it again.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''UNIT_TREE_CORRECTED''', '''UNIT_TREE_CORRECTED'', ''CORRECTED''') WHERE type = 'table' AND name = 'complaint_events';
PRAGMA writable_schema = RESET;

-- Corrections that heads of units propose and the Board decides about. `correction` is a JSON document.
CREATE TABLE correction_proposals (
    id BLOB NOT NULL,
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    complaint_version INTEGER NOT NULL,
    correction TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('PROPOSED', 'ACCEPTED', 'REFUSED', 'WITHDRAWN')),
    state_since INTEGER NOT NULL,
    proposed_at INTEGER NOT NULL,
    unit_id BLOB NOT NULL REFERENCES units (id),
    actor TEXT NOT NULL,
    decided_by TEXT,
    decision_reason TEXT,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

-- The officers whom a proposal names: they may not see it.
CREATE TABLE correction_proposal_officers (
    proposal_id BLOB NOT NULL REFERENCES correction_proposals (id),
    officer_id BLOB NOT NULL REFERENCES officers (id),
    PRIMARY KEY (proposal_id, officer_id)
);

-- Officers and enterprises that are the same. Until the merge is split, the code of the first means the second.
CREATE TABLE merges (
    id BLOB NOT NULL,
    from_officer_id BLOB REFERENCES officers (id),
    into_officer_id BLOB REFERENCES officers (id),
    from_enterprise_id BLOB REFERENCES enterprises (id),
    into_enterprise_id BLOB REFERENCES enterprises (id),
    reason TEXT NOT NULL,
    complaints INTEGER NOT NULL,
    merged_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    split_at INTEGER,
    split_reason TEXT,
    split_actor TEXT,
    version INTEGER NOT NULL,
    PRIMARY KEY (id),
    CHECK ((from_officer_id IS NULL) = (into_officer_id IS NULL)),
    CHECK ((from_enterprise_id IS NULL) = (into_enterprise_id IS NULL)),
    CHECK ((from_officer_id IS NULL) <> (from_enterprise_id IS NULL)),
    CHECK ((split_at IS NULL) = (split_reason IS NULL) AND (split_at IS NULL) = (split_actor IS NULL))
);

CREATE INDEX correction_proposals_by_complaint_id ON correction_proposals (complaint_id);
CREATE INDEX correction_proposals_by_unit_id ON correction_proposals (unit_id);
CREATE INDEX correction_proposal_officers_by_officer_id ON correction_proposal_officers (officer_id);
CREATE UNIQUE INDEX merges_of_officers_that_stand ON merges (from_officer_id) WHERE split_at IS NULL;
CREATE UNIQUE INDEX merges_of_enterprises_that_stand ON merges (from_enterprise_id) WHERE split_at IS NULL;
