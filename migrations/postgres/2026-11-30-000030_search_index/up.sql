-- 2026-11-26-000012_search made the indexes.
SELECT 1;
