-- Complaints without an answer in their present round, by the unit that has to give it. A head's page reads from it, in
-- the order of time, what waits for branches that came below the unit after the day of the complaint.
CREATE INDEX complaints_unanswered_by_responsible_unit_id ON complaints (responsible_unit_id, received_at, id)
WHERE answered_on IS NULL;
