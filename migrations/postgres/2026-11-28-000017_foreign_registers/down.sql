CREATE OR REPLACE FUNCTION phananh_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT translate(
        lower(regexp_replace(normalize(value, NFD), '[̀-ͯ]', '', 'g') COLLATE "C"),
        'đĐ', 'dd'
    ) COLLATE "C"
$$;

DO $$
BEGIN
    IF to_regclass('complaints_by_plain_text') IS NOT NULL THEN
        REINDEX INDEX complaints_by_plain_text;
    END IF;
    IF to_regclass('enterprises_by_plain_name') IS NOT NULL THEN
        REINDEX INDEX enterprises_by_plain_name;
    END IF;
END
$$;

DROP TABLE complaint_matters;
