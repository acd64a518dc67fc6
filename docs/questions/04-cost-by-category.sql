-- What do complaints cost for each thousand declarations, by category?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH volume AS (
    SELECT CAST(SUM(w.declarations) AS DOUBLE) AS declarations
    FROM workload w JOIN units u ON u.code = w.unit
    WHERE u.kind = 'BRANCH' AND w.officer IS NULL AND w.month BETWEEN $since AND $until
)
SELECT c.category_group, COUNT(*) AS complaints, CAST(COALESCE(SUM(c.cost_vnd), 0) AS DOUBLE) AS cost_vnd,
    1000 * CAST(COALESCE(SUM(c.cost_vnd), 0) AS DOUBLE) / NULLIF(MAX(v.declarations), 0) AS cost_per_thousand
FROM complaints c CROSS JOIN volume v
WHERE c.received_on BETWEEN $since AND $until AND c.category_group IS NOT NULL
GROUP BY c.category_group
ORDER BY c.category_group
