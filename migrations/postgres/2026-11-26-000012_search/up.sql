-- Texts are found anywhere in them by their trigrams. Where the server does not have pg_trgm, or does not let us have it, a
-- search reads all rows, as it does on SQLite.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX complaints_by_plain_text ON complaints USING gin (phananh_plain(text) gin_trgm_ops);
    CREATE INDEX enterprises_by_plain_name ON enterprises USING gin (phananh_plain(name) gin_trgm_ops);
EXCEPTION
    WHEN undefined_file OR feature_not_supported OR insufficient_privilege OR undefined_object THEN
        RAISE NOTICE 'searches read all rows: pg_trgm is not to be had (%)', SQLERRM;
END
$$;
