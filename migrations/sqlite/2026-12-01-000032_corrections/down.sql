UPDATE complaint_events SET kind = 'UPDATED' WHERE kind = 'CORRECTED';
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''UNIT_TREE_CORRECTED'', ''CORRECTED''', '''UNIT_TREE_CORRECTED''') WHERE type = 'table' AND name = 'complaint_events';
PRAGMA writable_schema = RESET;
DROP TABLE merges;
DROP TABLE correction_proposal_officers;
DROP TABLE correction_proposals;
