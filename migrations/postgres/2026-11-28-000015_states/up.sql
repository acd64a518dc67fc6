-- The chain of the tables whose rows have no events of their own. -1: the rows that stand are not taken into it yet.
CREATE TABLE state_position (
    id integer NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);

INSERT INTO state_position (id, value) VALUES (1, -1);

CREATE TABLE state_events (
    number bigint NOT NULL,
    table_name text COLLATE "C" NOT NULL,
    row_key text COLLATE "C" NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    hash bytea,
    column_hashes jsonb NOT NULL,
    salt bytea NOT NULL,
    PRIMARY KEY (number)
);

CREATE INDEX state_events_by_table_name_row_key ON state_events (table_name, row_key, number);

ALTER TABLE seals DROP CONSTRAINT seals_chain_check;
ALTER TABLE seals ADD CONSTRAINT seals_chain_check CHECK (chain IN ('COMPLAINTS', 'REFERENCE', 'AUDIT', 'STATE'));
