DROP INDEX escalations_by_unit_id;
CREATE TABLE escalations_of_one_round (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    level INTEGER NOT NULL CHECK (level IN (1, 2)),
    unit_id BLOB REFERENCES units (id),
    due_on DATE NOT NULL,
    escalated_at INTEGER NOT NULL,
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    PRIMARY KEY (complaint_id, level)
);
INSERT INTO escalations_of_one_round
SELECT complaint_id, level, unit_id, due_on, escalated_at, run_id FROM escalations WHERE level <= 2;
DROP TABLE escalations;
ALTER TABLE escalations_of_one_round RENAME TO escalations;
CREATE INDEX escalations_by_run_id ON escalations (run_id);
DROP TABLE legal_clock;
DROP TABLE complaint_clocks;
ALTER TABLE issue_categories DROP COLUMN deadline_unit;
DROP INDEX complaints_unanswered_by_due_on;
ALTER TABLE complaints DROP COLUMN clock_stopped_since;
ALTER TABLE complaints DROP COLUMN answered_on;
ALTER TABLE complaints DROP COLUMN due_on;
