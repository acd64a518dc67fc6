CREATE OR REPLACE FUNCTION phananh_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT translate(
        lower(regexp_replace(normalize(value, NFD), '[̀-ͯ]', '', 'g') COLLATE "C"),
        'đĐðÐɖƉ', 'dddddd'
    ) COLLATE "C"
$$;
DROP TABLE deferred_indexes;
