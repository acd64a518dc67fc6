-- Which branches have more complaints than their peer group lets expect, allowing for volume? O over E with 95 % limits
-- (Byar); E is what the branch would have at the rate of its peers. Branches without complaints have the ratio 0.
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH volume AS (
    SELECT w.unit AS branch, u.peer_group, CAST(SUM(w.declarations) AS DOUBLE) AS declarations
    FROM workload w JOIN units u ON u.code = w.unit
    WHERE u.kind = 'BRANCH' AND u.peer_group IS NOT NULL AND w.officer IS NULL AND w.month BETWEEN $since AND $until
    GROUP BY w.unit, u.peer_group
), counted AS (
    SELECT branch, CAST(COUNT(*) AS DOUBLE) AS o FROM complaints WHERE received_on BETWEEN $since AND $until GROUP BY branch
), compared AS (
    SELECT v.branch, v.peer_group, COALESCE(c.o, 0) AS o,
        v.declarations * SUM(COALESCE(c.o, 0)) OVER (PARTITION BY v.peer_group)
            / NULLIF(SUM(v.declarations) OVER (PARTITION BY v.peer_group), 0) AS e
    FROM volume v LEFT JOIN counted c ON c.branch = v.branch
)
SELECT branch, peer_group, o AS observed, e AS expected, o / NULLIF(e, 0) AS ratio,
    COALESCE(o * POWER(1 - 1 / (9.0 * NULLIF(o, 0)) - 1.96 / (3 * SQRT(NULLIF(o, 0))), 3), 0) / NULLIF(e, 0)
        AS lower_limit,
    (o + 1) * POWER(1 - 1 / (9.0 * (o + 1)) + 1.96 / (3 * SQRT(o + 1)), 3) / NULLIF(e, 0) AS upper_limit
FROM compared
ORDER BY branch
