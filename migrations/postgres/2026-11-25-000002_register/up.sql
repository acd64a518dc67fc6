CREATE TABLE complaints (
    id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    occurred_at timestamptz,
    recorded_at timestamptz NOT NULL,
    legal_form text COLLATE "C" NOT NULL CHECK (legal_form IN ('FEEDBACK', 'GRIEVANCE', 'DENUNCIATION')),
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('PORTAL', 'HOTLINE', 'EMAIL', 'LETTER', 'IN_PERSON', 'VISIT', 'OTHER')),
    enterprise_id uuid REFERENCES enterprises (id),
    unit_id uuid REFERENCES units (id),
    department_id uuid REFERENCES units (id),
    branch_id uuid REFERENCES units (id),
    team_id uuid REFERENCES units (id),
    category_id uuid REFERENCES issue_categories (id),
    declaration_number text COLLATE "C",
    text text COLLATE "C",
    cost_vnd bigint CHECK (cost_vnd >= 0),
    delay_hours double precision CHECK (delay_hours >= 0),
    blames_system boolean NOT NULL,
    confidential boolean NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('RECEIVED', 'CLASSIFIED', 'ASSIGNED', 'ANSWERED', 'CLOSED', 'WITHDRAWN', 'REJECTED')),
    state_since timestamptz NOT NULL,
    version integer NOT NULL,
    finding text COLLATE "C" CHECK (finding IN ('PENDING', 'SUSTAINED', 'NOT_SUSTAINED', 'UNFOUNDED', 'EXONERATED')),
    decided_on date,
    source_codes jsonb,
    PRIMARY KEY (id)
);

CREATE TABLE complaint_sources (
    source text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    content_hash text COLLATE "C" NOT NULL,
    PRIMARY KEY (source, reference)
);

CREATE TABLE complaint_officers (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    officer_id uuid NOT NULL REFERENCES officers (id),
    ordinal integer NOT NULL,
    category_id uuid REFERENCES issue_categories (id),
    unit_id uuid REFERENCES units (id),
    attribution text COLLATE "C" NOT NULL CHECK (attribution IN ('ASSERTED', 'CONFIRMED')),
    finding text COLLATE "C" NOT NULL CHECK (finding IN ('PENDING', 'SUSTAINED', 'NOT_SUSTAINED', 'UNFOUNDED', 'EXONERATED')),
    decided_on date,
    source_codes jsonb,
    PRIMARY KEY (complaint_id, officer_id, ordinal)
);

CREATE TABLE complaint_events (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('RECEIVED', 'UPDATED', 'STATE_CHANGED', 'RESPONDED', 'UNIT_TREE_CORRECTED')),
    recorded_at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    before jsonb,
    after jsonb,
    PRIMARY KEY (complaint_id, position, ordinal)
);

CREATE TABLE complaint_event_values (
    complaint_id uuid NOT NULL,
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    side text COLLATE "C" NOT NULL CHECK (side IN ('BEFORE', 'AFTER')),
    field text COLLATE "C" NOT NULL,
    salt bytea NOT NULL,
    value text COLLATE "C" NOT NULL,
    PRIMARY KEY (complaint_id, position, ordinal, side, field),
    FOREIGN KEY (complaint_id, position, ordinal) REFERENCES complaint_events (complaint_id, position, ordinal)
);

CREATE TABLE unit_responses (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    id uuid NOT NULL,
    unit_id uuid NOT NULL REFERENCES units (id),
    responded_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    action text COLLATE "C" NOT NULL CHECK (action IN ('EXPLANATION', 'CORRECTION', 'GUIDANCE', 'FORWARDED', 'MEASURE', 'OTHER')),
    text text COLLATE "C" NOT NULL,
    outcome text COLLATE "C",
    satisfied boolean,
    actor text COLLATE "C" NOT NULL,
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
