CREATE FUNCTION phananh_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT translate(
        lower(regexp_replace(normalize(value, NFD), '[̀-ͯ]', '', 'g') COLLATE "C"),
        'đĐ', 'dd'
    ) COLLATE "C"
$$;

CREATE INDEX complaints_by_department_id_state_received_at_id ON complaints (department_id, state, received_at, id);
