CREATE TABLE register_position (
    id integer NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);

CREATE TABLE units (
    id uuid NOT NULL,
    code text COLLATE "C" NOT NULL UNIQUE,
    name_vi text COLLATE "C" NOT NULL,
    name_en text COLLATE "C",
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('GENERAL_DEPARTMENT', 'HEADQUARTERS_UNIT', 'PROVINCIAL_DEPARTMENT', 'BRANCH', 'TEAM')),
    peer_group text COLLATE "C" CHECK (peer_group IN ('SEAPORT', 'AIRPORT', 'LAND_BORDER', 'INLAND', 'OTHER')),
    field text COLLATE "C",
    valid_from date NOT NULL,
    valid_to date,
    unknown boolean NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE unit_parents (
    unit_id uuid NOT NULL REFERENCES units (id),
    valid_from date NOT NULL,
    valid_to date,
    parent_id uuid NOT NULL REFERENCES units (id),
    PRIMARY KEY (unit_id, valid_from)
);

CREATE TABLE officers (
    id uuid NOT NULL,
    code text COLLATE "C" NOT NULL UNIQUE,
    name text COLLATE "C",
    rank text COLLATE "C",
    appointed_on date,
    unknown boolean NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE postings (
    officer_id uuid NOT NULL REFERENCES officers (id),
    unit_id uuid NOT NULL REFERENCES units (id),
    valid_from date NOT NULL,
    valid_to date,
    PRIMARY KEY (officer_id, unit_id, valid_from)
);

CREATE TABLE enterprises (
    id uuid NOT NULL,
    tax_code text COLLATE "C" NOT NULL UNIQUE,
    name text COLLATE "C",
    group_code text COLLATE "C",
    PRIMARY KEY (id)
);

CREATE TABLE issue_categories (
    id uuid NOT NULL,
    code text COLLATE "C" NOT NULL UNIQUE,
    parent_id uuid REFERENCES issue_categories (id),
    name_vi text COLLATE "C" NOT NULL,
    name_en text COLLATE "C",
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('PROFICIENCY', 'PROCEDURE', 'RIGID_HANDLING', 'TECHNICAL', 'CONDUCT')),
    serious boolean NOT NULL,
    deadline_days integer,
    owner_unit_id uuid REFERENCES units (id),
    unknown boolean NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE workload (
    id uuid NOT NULL,
    unit_id uuid NOT NULL REFERENCES units (id),
    officer_id uuid REFERENCES officers (id),
    month date NOT NULL,
    declarations bigint NOT NULL CHECK (declarations >= 0),
    PRIMARY KEY (id)
);

CREATE TABLE system_incidents (
    id uuid NOT NULL,
    reference text COLLATE "C" NOT NULL UNIQUE,
    unit_id uuid REFERENCES units (id),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    description text COLLATE "C",
    PRIMARY KEY (id)
);

CREATE TABLE reference_events (
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    entity text COLLATE "C" NOT NULL,
    entity_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('CREATED', 'UPDATED', 'REMOVED')),
    recorded_at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    before jsonb,
    after jsonb,
    PRIMARY KEY (position, ordinal)
);

CREATE TABLE reference_event_values (
    position bigint NOT NULL,
    ordinal integer NOT NULL,
    side text COLLATE "C" NOT NULL CHECK (side IN ('BEFORE', 'AFTER')),
    field text COLLATE "C" NOT NULL,
    salt bytea NOT NULL,
    value text COLLATE "C" NOT NULL,
    PRIMARY KEY (position, ordinal, side, field),
    FOREIGN KEY (position, ordinal) REFERENCES reference_events (position, ordinal)
);

CREATE INDEX unit_parents_by_parent_id ON unit_parents (parent_id);
CREATE INDEX postings_by_unit_id ON postings (unit_id);
CREATE INDEX workload_by_unit_id_month ON workload (unit_id, month);
CREATE INDEX workload_by_officer_id_month ON workload (officer_id, month);
CREATE INDEX enterprises_by_group_code ON enterprises (group_code);
CREATE INDEX reference_events_by_entity_entity_id ON reference_events (entity, entity_id);
CREATE INDEX issue_categories_by_parent_id ON issue_categories (parent_id);

INSERT INTO register_position (id, value) VALUES (1, 0);
