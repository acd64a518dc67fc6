-- The state of the legal clock, which follows from the columns and tables around it and from the calendar: the last day
-- to answer (null without a deadline), the day of the answer in the present round (null until then), and since when the
-- clock is stopped.
ALTER TABLE complaints ADD COLUMN due_on DATE;
ALTER TABLE complaints ADD COLUMN answered_on DATE;
ALTER TABLE complaints ADD COLUMN clock_stopped_since DATE;
CREATE INDEX complaints_unanswered_by_due_on ON complaints (due_on) WHERE answered_on IS NULL;

-- In which days the deadline of a category is counted; null for working days.
ALTER TABLE issue_categories ADD COLUMN deadline_unit TEXT CHECK (deadline_unit IN ('WORKING', 'CALENDAR'));

-- The rounds of a complaint whose clock somebody changed, or that was reopened. `due_on` and `answered_on` are of rounds
-- that ended; those of the last one are columns of the complaint.
CREATE TABLE complaint_clocks (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    round INTEGER NOT NULL CHECK (round >= 1),
    started_at INTEGER NOT NULL,
    accepted_on DATE,
    remote_area BOOLEAN NOT NULL,
    extensions INTEGER NOT NULL,
    extended_days INTEGER NOT NULL,
    stops TEXT,
    due_on DATE,
    answered_on DATE,
    PRIMARY KEY (complaint_id, round)
) WITHOUT ROWID;

-- A hash of the rules by which `complaints.due_on` was computed last; empty before that.
CREATE TABLE legal_clock (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    rules TEXT NOT NULL
);
INSERT INTO legal_clock (id, rules) VALUES (1, '');

-- Levels count on from round to round: 1 and 2 in the first one, 3 and 4 in the second.
CREATE TABLE escalations_of_rounds (
    complaint_id BLOB NOT NULL REFERENCES complaints (id),
    level INTEGER NOT NULL CHECK (level >= 1),
    unit_id BLOB REFERENCES units (id),
    due_on DATE NOT NULL,
    escalated_at INTEGER NOT NULL,
    run_id BLOB NOT NULL REFERENCES job_runs (id),
    PRIMARY KEY (complaint_id, level)
);
INSERT INTO escalations_of_rounds SELECT complaint_id, level, unit_id, due_on, escalated_at, run_id FROM escalations;
DROP TABLE escalations;
ALTER TABLE escalations_of_rounds RENAME TO escalations;
CREATE INDEX escalations_by_run_id ON escalations (run_id);
CREATE INDEX escalations_by_unit_id ON escalations (unit_id);
