ALTER TABLE flag_assessments DROP COLUMN new_evidence;
DROP TABLE flag_reviews;
