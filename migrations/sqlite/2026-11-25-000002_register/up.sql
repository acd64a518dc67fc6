CREATE TABLE complaints (
    id BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    occurred_at INTEGER,
    recorded_at INTEGER NOT NULL,
    legal_form TEXT NOT NULL CHECK (legal_form IN ('FEEDBACK', 'GRIEVANCE', 'DENUNCIATION')),
    channel TEXT NOT NULL CHECK (channel IN ('PORTAL', 'HOTLINE', 'EMAIL', 'LETTER', 'IN_PERSON', 'VISIT', 'OTHER')),
    enterprise_id BLOB REFERENCES enterprises (id),
    unit_id BLOB REFERENCES units (id),
    department_id BLOB REFERENCES units (id),
    branch_id BLOB REFERENCES units (id),
    team_id BLOB REFERENCES units (id),
    category_id BLOB REFERENCES issue_categories (id),
    declaration_number TEXT,
    text TEXT,
    cost_vnd BIGINT CHECK (cost_vnd >= 0),
    delay_hours DOUBLE CHECK (delay_hours >= 0),
    blames_system BOOLEAN NOT NULL,
    confidential BOOLEAN NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('RECEIVED', 'CLASSIFIED', 'ASSIGNED', 'ANSWERED', 'CLOSED', 'WITHDRAWN', 'REJECTED')),
    state_since INTEGER NOT NULL,
    version INTEGER NOT NULL,
    finding TEXT CHECK (finding IN ('PENDING', 'SUSTAINED', 'NOT_SUSTAINED', 'UNFOUNDED', 'EXONERATED')),
    decided_on DATE,
    source_codes TEXT,
    PRIMARY KEY (id)
);

CREATE TABLE complaint_sources (
    source TEXT NOT NULL,
    reference TEXT NOT NULL,
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    content_hash TEXT NOT NULL,
    PRIMARY KEY (source, reference)
) WITHOUT ROWID;

CREATE TABLE complaint_officers (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    officer_id BLOB NOT NULL REFERENCES officers (id),
    ordinal INTEGER NOT NULL,
    category_id BLOB REFERENCES issue_categories (id),
    unit_id BLOB REFERENCES units (id),
    attribution TEXT NOT NULL CHECK (attribution IN ('ASSERTED', 'CONFIRMED')),
    finding TEXT NOT NULL CHECK (finding IN ('PENDING', 'SUSTAINED', 'NOT_SUSTAINED', 'UNFOUNDED', 'EXONERATED')),
    decided_on DATE,
    source_codes TEXT,
    PRIMARY KEY (complaint_id, officer_id, ordinal)
) WITHOUT ROWID;

CREATE TABLE complaint_events (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    position BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('RECEIVED', 'UPDATED', 'STATE_CHANGED', 'RESPONDED', 'UNIT_TREE_CORRECTED')),
    recorded_at INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (complaint_id, position, ordinal)
);

CREATE TABLE complaint_event_values (
    complaint_id BLOB NOT NULL,
    position BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('BEFORE', 'AFTER')),
    field TEXT NOT NULL,
    salt BLOB NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (complaint_id, position, ordinal, side, field),
    FOREIGN KEY (complaint_id, position, ordinal) REFERENCES complaint_events (complaint_id, position, ordinal)
) WITHOUT ROWID;

CREATE TABLE unit_responses (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    id BLOB NOT NULL,
    unit_id BLOB NOT NULL REFERENCES units (id),
    responded_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('EXPLANATION', 'CORRECTION', 'GUIDANCE', 'FORWARDED', 'MEASURE', 'OTHER')),
    text TEXT NOT NULL,
    outcome TEXT,
    satisfied BOOLEAN,
    actor TEXT NOT NULL,
    PRIMARY KEY (complaint_id, id)
);

CREATE INDEX complaints_by_received_at_id ON complaints (received_at, id);
CREATE INDEX complaints_by_department_id_received_at_id ON complaints (department_id, received_at, id);
CREATE INDEX complaints_by_branch_id_received_at_id ON complaints (branch_id, received_at, id);
CREATE INDEX complaints_by_unit_id_received_at_id ON complaints (unit_id, received_at, id);
CREATE INDEX complaints_by_enterprise_id_received_at_id ON complaints (enterprise_id, received_at, id);
CREATE INDEX complaints_by_category_id_received_at_id ON complaints (category_id, received_at, id);
CREATE INDEX complaint_sources_by_complaint_id ON complaint_sources (complaint_id);
CREATE INDEX complaint_officers_by_officer_id_complaint_id ON complaint_officers (officer_id, complaint_id);
CREATE INDEX complaint_events_by_position ON complaint_events (position);
CREATE INDEX unit_responses_by_unit_id_responded_at ON unit_responses (unit_id, responded_at);
