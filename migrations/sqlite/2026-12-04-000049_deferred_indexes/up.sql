-- Indexes that an import into an empty register has dropped, with the statements that make them again.
CREATE TABLE deferred_indexes (
    name TEXT NOT NULL,
    made_by TEXT NOT NULL,
    PRIMARY KEY (name)
);
