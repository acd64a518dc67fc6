-- A correction is an event of its own kind.
ALTER TABLE complaint_events DROP CONSTRAINT complaint_events_kind_check;
ALTER TABLE complaint_events ADD CONSTRAINT complaint_events_kind_check CHECK (kind IN ('RECEIVED', 'UPDATED', 'STATE_CHANGED', 'RESPONDED', 'UNIT_TREE_CORRECTED', 'CORRECTED'));

-- Corrections that heads of units propose and the Board decides about. `correction` is a JSON document.
CREATE TABLE correction_proposals (
    id uuid NOT NULL,
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    complaint_version integer NOT NULL,
    correction text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('PROPOSED', 'ACCEPTED', 'REFUSED', 'WITHDRAWN')),
    state_since timestamptz NOT NULL,
    proposed_at timestamptz NOT NULL,
    unit_id uuid NOT NULL REFERENCES units (id),
    actor text COLLATE "C" NOT NULL,
    decided_by text COLLATE "C",
    decision_reason text COLLATE "C",
    version integer NOT NULL,
    PRIMARY KEY (id)
);

-- The officers whom a proposal names: they may not see it.
CREATE TABLE correction_proposal_officers (
    proposal_id uuid NOT NULL REFERENCES correction_proposals (id),
    officer_id uuid NOT NULL REFERENCES officers (id),
    PRIMARY KEY (proposal_id, officer_id)
);

-- Officers and enterprises that are the same. Until the merge is split, the code of the first means the second.
CREATE TABLE merges (
    id uuid NOT NULL,
    from_officer_id uuid REFERENCES officers (id),
    into_officer_id uuid REFERENCES officers (id),
    from_enterprise_id uuid REFERENCES enterprises (id),
    into_enterprise_id uuid REFERENCES enterprises (id),
    reason text COLLATE "C" NOT NULL,
    complaints integer NOT NULL,
    merged_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    split_at timestamptz,
    split_reason text COLLATE "C",
    split_actor text COLLATE "C",
    version integer NOT NULL,
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
