-- A unit records the same measure once, unless it was a mistake; another unit may have decided the same.
DROP INDEX IF EXISTS measures_that_stand;
CREATE UNIQUE INDEX measures_that_stand ON measures (officer_id, kind, decided_on, starts_on, recorded_by_unit_id) WHERE void_reason IS NULL;
