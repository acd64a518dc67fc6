-- The tables of the register by the names that OpenReader expects, in a schema of their own.
DROP SCHEMA IF EXISTS openreader CASCADE;
CREATE SCHEMA openreader;
CREATE VIEW openreader.complaint AS SELECT * FROM public.complaints;
CREATE VIEW openreader.issue_category AS SELECT * FROM public.issue_categories;
CREATE VIEW openreader.unit AS SELECT * FROM public.units;
CREATE VIEW openreader.enterprise AS SELECT * FROM public.enterprises;
CREATE VIEW openreader.officer AS SELECT * FROM public.officers;
CREATE VIEW openreader.complaint_officer AS SELECT officer_id AS id, * FROM public.complaint_officers;
CREATE VIEW openreader.unit_response AS SELECT * FROM public.unit_responses;
