-- Saved questions in SQL, as they are now. One that was deleted keeps its row and its versions.
CREATE TABLE saved_queries (
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    -- The name in small letters: names that differ in their case alone are one name.
    name_key text COLLATE "C" NOT NULL UNIQUE,
    owner text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    description text COLLATE "C",
    text text COLLATE "C" NOT NULL,
    parameters jsonb NOT NULL,
    for_board boolean NOT NULL,
    for_data_team boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (id)
);

-- What each version said, and who wrote it.
CREATE TABLE saved_query_versions (
    id uuid NOT NULL,
    query_id uuid NOT NULL REFERENCES saved_queries (id),
    version integer NOT NULL,
    description text COLLATE "C",
    text text COLLATE "C" NOT NULL,
    parameters jsonb NOT NULL,
    for_board boolean NOT NULL,
    for_data_team boolean NOT NULL,
    actor text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (query_id, version)
);
