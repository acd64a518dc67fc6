DROP INDEX digests_by_run_id;
DROP INDEX flag_reviews_by_run_id;
DROP INDEX flags_by_run_id;
