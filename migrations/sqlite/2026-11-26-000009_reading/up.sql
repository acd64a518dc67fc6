-- The function phananh_plain is given to each connection.

CREATE INDEX complaints_by_department_id_state_received_at_id ON complaints (department_id, state, received_at, id);
