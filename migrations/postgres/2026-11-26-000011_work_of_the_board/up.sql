CREATE TABLE guidance_documents (
    id uuid NOT NULL,
    unit_id uuid NOT NULL REFERENCES units (id),
    category_id uuid REFERENCES issue_categories (id),
    title text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    opined_revision integer,
    state text COLLATE "C" NOT NULL CHECK (state IN ('OPINION_REQUESTED', 'OPINION_GIVEN', 'ISSUED', 'WITHDRAWN')),
    state_since timestamptz NOT NULL,
    requested_at timestamptz NOT NULL,
    number text COLLATE "C",
    issued_on date,
    reason text COLLATE "C",
    version integer NOT NULL,
    actor text COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    -- Nothing is issued without the Board's opinion about the text as it stands.
    CHECK (state <> 'ISSUED' OR (opined_revision IS NOT NULL AND opined_revision = revision AND number IS NOT NULL AND issued_on IS NOT NULL))
);

CREATE TABLE guidance_opinions (
    document_id uuid NOT NULL REFERENCES guidance_documents (id),
    revision integer NOT NULL,
    verdict text COLLATE "C" NOT NULL CHECK (verdict IN ('AGREED', 'AGREED_WITH_CHANGES', 'NOT_AGREED')),
    text text COLLATE "C" NOT NULL,
    given_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    PRIMARY KEY (document_id, revision)
);

CREATE TABLE proposals (
    id uuid NOT NULL,
    title text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('PROPOSED', 'ACCEPTED', 'REJECTED', 'IMPLEMENTED', 'WITHDRAWN')),
    state_since timestamptz NOT NULL,
    proposed_at timestamptz NOT NULL,
    implemented_on date,
    reason text COLLATE "C",
    version integer NOT NULL,
    actor text COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    CHECK ((state = 'IMPLEMENTED') = (implemented_on IS NOT NULL))
);

CREATE TABLE proposal_categories (
    proposal_id uuid NOT NULL REFERENCES proposals (id),
    category_id uuid NOT NULL REFERENCES issue_categories (id),
    PRIMARY KEY (proposal_id, category_id)
);

CREATE TABLE proposal_units (
    proposal_id uuid NOT NULL REFERENCES proposals (id),
    unit_id uuid NOT NULL REFERENCES units (id),
    PRIMARY KEY (proposal_id, unit_id)
);

CREATE TABLE measures (
    id uuid NOT NULL,
    officer_id uuid NOT NULL REFERENCES officers (id),
    unit_id uuid NOT NULL REFERENCES units (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('REASSIGNMENT', 'DISCIPLINE', 'SUSPENSION', 'FORMAL_REVIEW')),
    grounds text COLLATE "C" NOT NULL,
    decision_maker text COLLATE "C" NOT NULL,
    decision_number text COLLATE "C",
    decided_on date NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    end_reason text COLLATE "C",
    flag_id uuid REFERENCES flags (id),
    void_reason text COLLATE "C",
    recorded_by_unit_id uuid NOT NULL REFERENCES units (id),
    recorded_at timestamptz NOT NULL,
    version integer NOT NULL,
    actor text COLLATE "C" NOT NULL,
    PRIMARY KEY (id),
    CHECK (starts_on >= decided_on AND (ends_on IS NULL OR ends_on >= starts_on))
);

CREATE INDEX guidance_documents_by_unit_id ON guidance_documents (unit_id);
CREATE INDEX proposal_categories_by_category_id ON proposal_categories (category_id);
CREATE INDEX proposal_units_by_unit_id ON proposal_units (unit_id);
CREATE INDEX measures_by_officer_id ON measures (officer_id);
CREATE INDEX measures_by_unit_id ON measures (unit_id);
-- The same measure is recorded once, unless it was a mistake.
CREATE UNIQUE INDEX measures_that_stand ON measures (officer_id, kind, decided_on, starts_on) WHERE void_reason IS NULL;
