CREATE INDEX flags_by_run_id ON flags (run_id);
CREATE INDEX flag_reviews_by_run_id ON flag_reviews (run_id);
CREATE INDEX digests_by_run_id ON digests (run_id);
