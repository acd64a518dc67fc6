-- How many complaints come for each thousand declarations, by branch, with 95 % limits (Byar)?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH volume AS (
    SELECT w.unit AS branch, CAST(SUM(w.declarations) AS DOUBLE) AS declarations
    FROM workload w JOIN units u ON u.code = w.unit
    WHERE u.kind = 'BRANCH' AND w.officer IS NULL AND w.month BETWEEN $since AND $until
    GROUP BY w.unit
), counted AS (
    SELECT branch, CAST(COUNT(*) AS DOUBLE) AS o FROM complaints WHERE received_on BETWEEN $since AND $until GROUP BY branch
)
SELECT v.branch, c.o AS complaints, v.declarations,
    1000 * c.o / v.declarations AS rate,
    1000 * c.o * POWER(1 - 1 / (9.0 * c.o) - 1.96 / (3 * SQRT(c.o)), 3) / v.declarations AS lower_limit,
    1000 * (c.o + 1) * POWER(1 - 1 / (9.0 * (c.o + 1)) + 1.96 / (3 * SQRT(c.o + 1)), 3) / v.declarations AS upper_limit
FROM counted c JOIN volume v ON v.branch = c.branch
WHERE v.declarations > 0
ORDER BY v.branch
