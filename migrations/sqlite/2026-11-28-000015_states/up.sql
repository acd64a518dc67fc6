-- The chain of the tables whose rows have no events of their own. -1: the rows that stand are not taken into it yet.
CREATE TABLE state_position (
    id INTEGER NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (id),
    CHECK (id = 1)
);

INSERT INTO state_position (id, value) VALUES (1, -1);

CREATE TABLE state_events (
    number BIGINT NOT NULL,
    table_name TEXT NOT NULL,
    row_key TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    hash BLOB,
    column_hashes TEXT NOT NULL,
    salt BLOB NOT NULL,
    PRIMARY KEY (number)
);

CREATE INDEX state_events_by_table_name_row_key ON state_events (table_name, row_key, number);

-- SQLite cannot change a CHECK: the table is made anew.
CREATE TABLE seals_of_all (
    chain TEXT NOT NULL CHECK (chain IN ('COMPLAINTS', 'REFERENCE', 'AUDIT', 'STATE')),
    number BIGINT NOT NULL,
    after BIGINT NOT NULL,
    until BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    marks BLOB NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    key_version INTEGER NOT NULL,
    signature BLOB NOT NULL,
    sealed_at INTEGER NOT NULL,
    PRIMARY KEY (chain, number)
);

INSERT INTO seals_of_all (chain, number, after, until, rows, marks, previous, hash, key_version, signature, sealed_at)
SELECT chain, number, after, until, rows, marks, previous, hash, key_version, signature, sealed_at FROM seals;
DROP TABLE seals;
ALTER TABLE seals_of_all RENAME TO seals;
