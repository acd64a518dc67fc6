-- Saved questions in SQL, as they are now. One that was deleted keeps its row and its versions.
CREATE TABLE saved_queries (
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- The name in small letters: names that differ in their case alone are one name.
    name_key TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    version INTEGER NOT NULL,
    description TEXT,
    text TEXT NOT NULL,
    parameters TEXT NOT NULL,
    for_board BOOLEAN NOT NULL,
    for_data_team BOOLEAN NOT NULL,
    changed_at INTEGER NOT NULL,
    deleted_at INTEGER,
    PRIMARY KEY (id)
);

-- What each version said, and who wrote it.
CREATE TABLE saved_query_versions (
    id BLOB NOT NULL,
    query_id BLOB NOT NULL REFERENCES saved_queries (id),
    version INTEGER NOT NULL,
    description TEXT,
    text TEXT NOT NULL,
    parameters TEXT NOT NULL,
    for_board BOOLEAN NOT NULL,
    for_data_team BOOLEAN NOT NULL,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (query_id, version)
);
