DROP TABLE unit_responses;
DROP TABLE complaint_event_values;
DROP TABLE complaint_events;
DROP TABLE complaint_officers;
DROP TABLE complaint_sources;
DROP TABLE complaints;
