-- Why a job is paused.
ALTER TABLE jobs ADD COLUMN pause_reason text COLLATE "C";
-- The last day of a category, inclusive; NULL while it is in use.
ALTER TABLE issue_categories ADD COLUMN valid_to date;
