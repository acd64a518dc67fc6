CREATE TABLE register_position (
    id INTEGER NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);

CREATE TABLE units (
    id BLOB NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name_vi TEXT NOT NULL,
    name_en TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('GENERAL_DEPARTMENT', 'HEADQUARTERS_UNIT', 'PROVINCIAL_DEPARTMENT', 'BRANCH', 'TEAM')),
    peer_group TEXT CHECK (peer_group IN ('SEAPORT', 'AIRPORT', 'LAND_BORDER', 'INLAND', 'OTHER')),
    field TEXT,
    valid_from DATE NOT NULL,
    valid_to DATE,
    unknown BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE unit_parents (
    unit_id BLOB NOT NULL REFERENCES units (id),
    valid_from DATE NOT NULL,
    valid_to DATE,
    parent_id BLOB NOT NULL REFERENCES units (id),
    PRIMARY KEY (unit_id, valid_from)
) WITHOUT ROWID;

CREATE TABLE officers (
    id BLOB NOT NULL,
    code TEXT NOT NULL UNIQUE,
    name TEXT,
    rank TEXT,
    appointed_on DATE,
    unknown BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE postings (
    officer_id BLOB NOT NULL REFERENCES officers (id),
    unit_id BLOB NOT NULL REFERENCES units (id),
    valid_from DATE NOT NULL,
    valid_to DATE,
    PRIMARY KEY (officer_id, unit_id, valid_from)
) WITHOUT ROWID;

CREATE TABLE enterprises (
    id BLOB NOT NULL,
    tax_code TEXT NOT NULL UNIQUE,
    name TEXT,
    group_code TEXT,
    PRIMARY KEY (id)
);

CREATE TABLE issue_categories (
    id BLOB NOT NULL,
    code TEXT NOT NULL UNIQUE,
    parent_id BLOB REFERENCES issue_categories (id),
    name_vi TEXT NOT NULL,
    name_en TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('PROFICIENCY', 'PROCEDURE', 'RIGID_HANDLING', 'TECHNICAL', 'CONDUCT')),
    serious BOOLEAN NOT NULL,
    deadline_days INTEGER,
    owner_unit_id BLOB REFERENCES units (id),
    unknown BOOLEAN NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE workload (
    id BLOB NOT NULL,
    unit_id BLOB NOT NULL REFERENCES units (id),
    officer_id BLOB REFERENCES officers (id),
    month DATE NOT NULL,
    declarations BIGINT NOT NULL CHECK (declarations >= 0),
    PRIMARY KEY (id)
);

CREATE TABLE system_incidents (
    id BLOB NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    unit_id BLOB REFERENCES units (id),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    description TEXT,
    PRIMARY KEY (id)
);

CREATE TABLE reference_events (
    position BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    entity TEXT NOT NULL,
    entity_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('CREATED', 'UPDATED', 'REMOVED')),
    recorded_at INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    before TEXT,
    after TEXT,
    PRIMARY KEY (position, ordinal)
);

CREATE TABLE reference_event_values (
    position BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('BEFORE', 'AFTER')),
    field TEXT NOT NULL,
    salt BLOB NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (position, ordinal, side, field),
    FOREIGN KEY (position, ordinal) REFERENCES reference_events (position, ordinal)
) WITHOUT ROWID;

CREATE INDEX unit_parents_by_parent_id ON unit_parents (parent_id);
CREATE INDEX postings_by_unit_id ON postings (unit_id);
CREATE INDEX workload_by_unit_id_month ON workload (unit_id, month);
CREATE INDEX workload_by_officer_id_month ON workload (officer_id, month);
CREATE INDEX enterprises_by_group_code ON enterprises (group_code);
CREATE INDEX reference_events_by_entity_entity_id ON reference_events (entity, entity_id);
CREATE INDEX issue_categories_by_parent_id ON issue_categories (parent_id);

INSERT INTO register_position (id, value) VALUES (1, 0);
