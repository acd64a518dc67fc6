CREATE OR REPLACE FUNCTION phananh_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT lower(
        regexp_replace(
            translate(
                normalize(value, NFD),
                'đĐðÐɖƉ' || U&'\0300\0301\0302\0303\0306\0309\031B\0323',
                'dddddd'
            ),
            '[̀-ͯ]+', '', 'g'
        ) COLLATE "C"
    ) COLLATE "C"
$$;

-- A session keeps what it knows of an index, with the former function in it, and then plans no search by that index. A new
-- name makes all sessions look again.
DO $$
BEGIN
    IF to_regclass('complaints_by_plain_text') IS NOT NULL THEN
        ALTER INDEX complaints_by_plain_text RENAME TO complaints_by_former_text;
        ALTER INDEX complaints_by_former_text RENAME TO complaints_by_plain_text;
    END IF;
    IF to_regclass('enterprises_by_plain_name') IS NOT NULL THEN
        ALTER INDEX enterprises_by_plain_name RENAME TO enterprises_by_former_name;
        ALTER INDEX enterprises_by_former_name RENAME TO enterprises_by_plain_name;
    END IF;
END
$$;
