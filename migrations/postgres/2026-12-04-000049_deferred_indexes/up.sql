-- Indexes and foreign keys that an import into an empty register has dropped, with the statements that make them again.
CREATE TABLE deferred_indexes (
    name text COLLATE "C" NOT NULL,
    made_by text COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);

-- As before, but faster: the marks of Vietnamese are removed with the letters that look like d, in one pass, and the
-- regular expression seldom has one left to find. The indexes hold what it says now.
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
