DROP INDEX measures_that_stand;
CREATE UNIQUE INDEX measures_that_stand ON measures (officer_id, kind, decided_on, starts_on) WHERE void_reason IS NULL;
