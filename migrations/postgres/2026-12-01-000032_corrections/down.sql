UPDATE complaint_events SET kind = 'UPDATED' WHERE kind = 'CORRECTED';
ALTER TABLE complaint_events DROP CONSTRAINT complaint_events_kind_check;
ALTER TABLE complaint_events ADD CONSTRAINT complaint_events_kind_check CHECK (kind IN ('RECEIVED', 'UPDATED', 'STATE_CHANGED', 'RESPONDED', 'UNIT_TREE_CORRECTED'));
DROP TABLE merges;
DROP TABLE correction_proposal_officers;
DROP TABLE correction_proposals;
