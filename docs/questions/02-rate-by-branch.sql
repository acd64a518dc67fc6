-- How many complaints come for each thousand declarations, by branch, with 95 % limits (Byar)? Branches without complaints
-- have the rate 0, and branches without declarations have no rate.
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH volume AS (
    SELECT w.unit AS branch, CAST(SUM(w.declarations) AS DOUBLE) AS declarations
    FROM workload w JOIN units u ON u.code = w.unit
    WHERE u.kind = 'BRANCH' AND w.officer IS NULL AND w.month BETWEEN $since AND $until
    GROUP BY w.unit
), counted AS (
    SELECT branch, CAST(COUNT(*) AS DOUBLE) AS o
    FROM complaints
    WHERE received_on BETWEEN $since AND $until AND branch IS NOT NULL
    GROUP BY branch
), compared AS (
    SELECT COALESCE(v.branch, c.branch) AS branch, COALESCE(c.o, 0) AS o, NULLIF(v.declarations, 0) AS declarations
    FROM volume v FULL JOIN counted c ON c.branch = v.branch
)
SELECT branch, o AS complaints, declarations,
    1000 * o / declarations AS rate,
    1000 * COALESCE(o * POWER(1 - 1 / (9.0 * NULLIF(o, 0)) - 1.96 / (3 * SQRT(NULLIF(o, 0))), 3), 0) / declarations
        AS lower_limit,
    1000 * (o + 1) * POWER(1 - 1 / (9.0 * (o + 1)) + 1.96 / (3 * SQRT(o + 1)), 3) / declarations AS upper_limit
FROM compared
ORDER BY branch
