DROP TABLE state_events;
DROP TABLE state_position;
DELETE FROM seals WHERE chain = 'STATE';
ALTER TABLE seals DROP CONSTRAINT seals_chain_check;
ALTER TABLE seals ADD CONSTRAINT seals_chain_check CHECK (chain IN ('COMPLAINTS', 'REFERENCE', 'AUDIT'));
