-- PostgreSQL keeps its search indexes itself. Here each indexed text has a row: `plain` is its search form, which is also
-- in the index of trigrams.
--   plain IS NULL                    the text is not in the index yet
--   id IS NULL                       the text is gone, and its trigrams are to be removed from the index
--   id IS NULL AND plain IS NULL     they are removed, but parts of the index may still hold them
-- Triggers only note what changed, and schema::db::search_index does the rest at the end of a transaction. Other programs
-- have no function that makes search forms, and could not write if a trigger called it; and FTS5 writes to disk before each
-- statement that fires triggers, so that each complaint of an import would become a part of the index by itself.

CREATE TABLE search_complaints (
    number INTEGER PRIMARY KEY,
    id BLOB UNIQUE,
    plain TEXT
);
CREATE INDEX search_complaints_to_add ON search_complaints (number) WHERE plain IS NULL;
-- Search forms are lower case. Conditions check the text itself, so places of trigrams (detail) are not needed.
CREATE VIRTUAL TABLE search_complaints_trigrams USING fts5 (
    plain, content = 'search_complaints', content_rowid = 'number', tokenize = 'trigram case_sensitive 1', detail = none,
    columnsize = 0
);
-- 16 MiB: one part of the index for each batch of an import.
INSERT INTO search_complaints_trigrams (search_complaints_trigrams, rank) VALUES ('hashsize', 16777216);
INSERT INTO search_complaints (id) SELECT id FROM complaints WHERE text IS NOT NULL;
CREATE TRIGGER search_complaints_inserted AFTER INSERT ON complaints WHEN new.text IS NOT NULL BEGIN
    INSERT INTO search_complaints (id) VALUES (new.id);
END;
CREATE TRIGGER search_complaints_updated AFTER UPDATE OF id, text ON complaints
WHEN new.id IS NOT old.id OR new.text IS NOT old.text BEGIN
    DELETE FROM search_complaints WHERE id = old.id AND plain IS NULL;
    UPDATE search_complaints SET id = NULL WHERE id = old.id;
    INSERT INTO search_complaints (id) SELECT new.id WHERE new.text IS NOT NULL;
END;
CREATE TRIGGER search_complaints_deleted AFTER DELETE ON complaints BEGIN
    DELETE FROM search_complaints WHERE id = old.id AND plain IS NULL;
    UPDATE search_complaints SET id = NULL WHERE id = old.id;
END;

CREATE TABLE search_enterprises (
    number INTEGER PRIMARY KEY,
    id BLOB UNIQUE,
    plain TEXT
);
CREATE INDEX search_enterprises_to_add ON search_enterprises (number) WHERE plain IS NULL;
-- Search forms are lower case. Conditions check the text itself, so places of trigrams (detail) are not needed.
CREATE VIRTUAL TABLE search_enterprises_trigrams USING fts5 (
    plain, content = 'search_enterprises', content_rowid = 'number', tokenize = 'trigram case_sensitive 1', detail = none,
    columnsize = 0
);
-- 16 MiB: one part of the index for each batch of an import.
INSERT INTO search_enterprises_trigrams (search_enterprises_trigrams, rank) VALUES ('hashsize', 16777216);
INSERT INTO search_enterprises (id) SELECT id FROM enterprises WHERE name IS NOT NULL;
CREATE TRIGGER search_enterprises_inserted AFTER INSERT ON enterprises WHEN new.name IS NOT NULL BEGIN
    INSERT INTO search_enterprises (id) VALUES (new.id);
END;
CREATE TRIGGER search_enterprises_updated AFTER UPDATE OF id, name ON enterprises
WHEN new.id IS NOT old.id OR new.name IS NOT old.name BEGIN
    DELETE FROM search_enterprises WHERE id = old.id AND plain IS NULL;
    UPDATE search_enterprises SET id = NULL WHERE id = old.id;
    INSERT INTO search_enterprises (id) SELECT new.id WHERE new.name IS NOT NULL;
END;
CREATE TRIGGER search_enterprises_deleted AFTER DELETE ON enterprises BEGIN
    DELETE FROM search_enterprises WHERE id = old.id AND plain IS NULL;
    UPDATE search_enterprises SET id = NULL WHERE id = old.id;
END;
