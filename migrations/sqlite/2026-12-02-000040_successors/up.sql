-- The unit that goes on after the last day of this one; NULL if none is named.
ALTER TABLE units ADD COLUMN successor_id BLOB REFERENCES units (id);
