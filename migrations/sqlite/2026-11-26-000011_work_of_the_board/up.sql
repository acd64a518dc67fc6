CREATE TABLE guidance_documents (
    id BLOB NOT NULL,
    unit_id BLOB NOT NULL REFERENCES units (id),
    category_id BLOB REFERENCES issue_categories (id),
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    revision INTEGER NOT NULL,
    opined_revision INTEGER,
    state TEXT NOT NULL CHECK (state IN ('OPINION_REQUESTED', 'OPINION_GIVEN', 'ISSUED', 'WITHDRAWN')),
    state_since INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    number TEXT,
    issued_on DATE,
    reason TEXT,
    version INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (id),
    -- Nothing is issued without the Board's opinion about the text as it stands.
    CHECK (state <> 'ISSUED' OR (opined_revision IS NOT NULL AND opined_revision = revision AND number IS NOT NULL AND issued_on IS NOT NULL))
);

CREATE TABLE guidance_opinions (
    document_id BLOB NOT NULL REFERENCES guidance_documents (id),
    revision INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('AGREED', 'AGREED_WITH_CHANGES', 'NOT_AGREED')),
    text TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (document_id, revision)
);

CREATE TABLE proposals (
    id BLOB NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('PROPOSED', 'ACCEPTED', 'REJECTED', 'IMPLEMENTED', 'WITHDRAWN')),
    state_since INTEGER NOT NULL,
    proposed_at INTEGER NOT NULL,
    implemented_on DATE,
    reason TEXT,
    version INTEGER NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (id),
    CHECK ((state = 'IMPLEMENTED') = (implemented_on IS NOT NULL))
);

CREATE TABLE proposal_categories (
    proposal_id BLOB NOT NULL REFERENCES proposals (id),
    category_id BLOB NOT NULL REFERENCES issue_categories (id),
    PRIMARY KEY (proposal_id, category_id)
);

CREATE TABLE proposal_units (
    proposal_id BLOB NOT NULL REFERENCES proposals (id),
    unit_id BLOB NOT NULL REFERENCES units (id),
    PRIMARY KEY (proposal_id, unit_id)
);

CREATE TABLE measures (
    id BLOB NOT NULL,
    officer_id BLOB NOT NULL REFERENCES officers (id),
    unit_id BLOB NOT NULL REFERENCES units (id),
    kind TEXT NOT NULL CHECK (kind IN ('REASSIGNMENT', 'DISCIPLINE', 'SUSPENSION', 'FORMAL_REVIEW')),
    grounds TEXT NOT NULL,
    decision_maker TEXT NOT NULL,
    decision_number TEXT,
    decided_on DATE NOT NULL,
    starts_on DATE NOT NULL,
    ends_on DATE,
    end_reason TEXT,
    flag_id BLOB REFERENCES flags (id),
    void_reason TEXT,
    recorded_by_unit_id BLOB NOT NULL REFERENCES units (id),
    recorded_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    actor TEXT NOT NULL,
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
