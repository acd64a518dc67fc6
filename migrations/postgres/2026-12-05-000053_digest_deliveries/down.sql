DROP INDEX reader_digests_by_created_at_id;
DROP VIEW digest_deliveries;
