-- Which seaport branches got worse in the quarter after a release, allowing for volume? The rate in the three months from
-- the release on over the rate in the three months before; worse where the lower 95 % limit of the ratio is above 1.
-- parameter release DATE = 2025-07-01
WITH periods AS (
    SELECT CAST(date_trunc('month', $release) AS DATE) AS middle,
        CAST(date_trunc('month', $release) - INTERVAL '3 months' AS DATE) AS first_day,
        CAST(date_trunc('month', $release) + INTERVAL '3 months' AS DATE) AS end_day
), volume AS (
    SELECT w.unit AS branch,
        CAST(SUM(CASE WHEN w.month < p.middle THEN w.declarations ELSE 0 END) AS DOUBLE) AS before_release,
        CAST(SUM(CASE WHEN w.month >= p.middle THEN w.declarations ELSE 0 END) AS DOUBLE) AS after_release
    FROM workload w JOIN units u ON u.code = w.unit CROSS JOIN periods p
    WHERE u.kind = 'BRANCH' AND u.peer_group = 'SEAPORT' AND w.officer IS NULL
        AND w.month >= p.first_day AND w.month < p.end_day
    GROUP BY w.unit
), counted AS (
    SELECT c.branch,
        CAST(SUM(CASE WHEN c.received_on < p.middle THEN 1 ELSE 0 END) AS DOUBLE) AS b,
        CAST(SUM(CASE WHEN c.received_on >= p.middle THEN 1 ELSE 0 END) AS DOUBLE) AS a
    FROM complaints c CROSS JOIN periods p
    WHERE c.received_on >= p.first_day AND c.received_on < p.end_day
    GROUP BY c.branch
), rates AS (
    SELECT v.branch, c.b, c.a, (c.a / v.after_release) / (c.b / v.before_release) AS ratio
    FROM volume v JOIN counted c ON c.branch = v.branch
    WHERE c.a > 0 AND c.b > 0 AND v.before_release > 0 AND v.after_release > 0
)
SELECT branch, b AS before_release, a AS after_release, ratio,
    ratio * EXP(-1.96 * SQRT(1 / a + 1 / b)) AS lower_limit,
    ratio * EXP(1.96 * SQRT(1 / a + 1 / b)) AS upper_limit,
    ratio * EXP(-1.96 * SQRT(1 / a + 1 / b)) > 1 AS worse
FROM rates
ORDER BY branch
