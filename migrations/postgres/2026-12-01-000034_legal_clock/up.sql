-- The state of the legal clock, which follows from the columns and tables around it and from the calendar: the last day
-- to answer (null without a deadline), the day of the answer in the present round (null until then), and since when the
-- clock is stopped.
ALTER TABLE complaints ADD COLUMN due_on date;
ALTER TABLE complaints ADD COLUMN answered_on date;
ALTER TABLE complaints ADD COLUMN clock_stopped_since date;
CREATE INDEX complaints_unanswered_by_due_on ON complaints (due_on) WHERE answered_on IS NULL;

-- In which days the deadline of a category is counted; null for working days.
ALTER TABLE issue_categories ADD COLUMN deadline_unit text COLLATE "C" CHECK (deadline_unit IN ('WORKING', 'CALENDAR'));

-- The rounds of a complaint whose clock somebody changed, or that was reopened. `due_on` and `answered_on` are of rounds
-- that ended; those of the last one are columns of the complaint.
CREATE TABLE complaint_clocks (
    complaint_id uuid NOT NULL REFERENCES complaints (id),
    round integer NOT NULL CHECK (round >= 1),
    started_at timestamptz NOT NULL,
    accepted_on date,
    remote_area boolean NOT NULL,
    extensions integer NOT NULL,
    extended_days integer NOT NULL,
    stops jsonb,
    due_on date,
    answered_on date,
    PRIMARY KEY (complaint_id, round)
);

-- A hash of the rules by which `complaints.due_on` was computed last; empty before that.
CREATE TABLE legal_clock (
    id integer NOT NULL PRIMARY KEY CHECK (id = 1),
    rules text COLLATE "C" NOT NULL
);
INSERT INTO legal_clock (id, rules) VALUES (1, '');

-- Levels count on from round to round: 1 and 2 in the first one, 3 and 4 in the second.
ALTER TABLE escalations DROP CONSTRAINT escalations_level_check;
ALTER TABLE escalations ADD CONSTRAINT escalations_level_check CHECK (level >= 1);
CREATE INDEX escalations_by_unit_id ON escalations (unit_id);
