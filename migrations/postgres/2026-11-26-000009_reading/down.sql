DROP INDEX complaints_by_department_id_state_received_at_id;
DROP FUNCTION phananh_plain(text);
