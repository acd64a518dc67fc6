DROP INDEX IF EXISTS enterprises_by_plain_name;
DROP INDEX IF EXISTS complaints_by_plain_text;
