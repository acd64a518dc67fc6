-- What came since a reader last looked is counted at each of its visits, for a moment that differs each time.
CREATE INDEX complaints_by_recorded_at ON complaints (recorded_at);
CREATE INDEX unit_responses_by_responded_at ON unit_responses (responded_at);
CREATE INDEX escalations_by_escalated_at ON escalations (escalated_at);
