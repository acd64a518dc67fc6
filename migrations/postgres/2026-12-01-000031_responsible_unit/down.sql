ALTER TABLE unit_responses DROP COLUMN statement;
DROP TABLE routing_rules;
DROP INDEX complaints_answered_elsewhere;
DROP INDEX complaints_by_responsible_unit_id_received_at_id;
ALTER TABLE complaints DROP COLUMN responsible_unit_id;
