-- What a complaint says against nobody named, where that is several things. The complaint itself has the first of them, and counts once.
CREATE TABLE complaint_matters (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    ordinal integer NOT NULL,
    category_id uuid REFERENCES issue_categories (id),
    unit_id uuid REFERENCES units (id),
    finding text COLLATE "C" NOT NULL CHECK (finding IN ('PENDING', 'SUSTAINED', 'NOT_SUSTAINED', 'UNFOUNDED', 'EXONERATED')),
    decided_on date,
    source_codes jsonb,
    PRIMARY KEY (complaint_id, ordinal)
);

-- Letters that look like đ (eth, and the African d) are found by d as it is: some keyboards and conversions write them for it.
CREATE OR REPLACE FUNCTION phananh_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT translate(
        lower(regexp_replace(normalize(value, NFD), '[̀-ͯ]', '', 'g') COLLATE "C"),
        'đĐðÐɖƉ', 'dddddd'
    ) COLLATE "C"
$$;

-- The indexes hold what the function said before.
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
