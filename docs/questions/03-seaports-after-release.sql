-- Which seaport branches got worse in the quarter after a release, allowing for volume? The rate in the three months from
-- the release on over the rate in the three months before; worse where the lower 95 % limit of the ratio is above 1. The
-- limits are those of Wilson, with a correction for continuity, for the part of the complaints that came afterwards.
-- parameter release DATE = 2025-07-01
WITH periods AS (
    SELECT CAST(date_trunc('month', $release) AS DATE) AS middle,
        CAST(date_trunc('month', $release) - INTERVAL '3 months' AS DATE) AS first_day,
        CAST(date_trunc('month', $release) + INTERVAL '3 months' AS DATE) AS end_day
), happened AS (
    SELECT unit AS branch, month AS happened_on, 0 AS complaints, declarations FROM workload WHERE officer IS NULL
    UNION ALL
    SELECT branch, received_on, 1, 0 FROM complaints
), summed AS (
    SELECT h.branch,
        CAST(SUM(CASE WHEN h.happened_on < p.middle THEN h.complaints ELSE 0 END) AS DOUBLE) AS b,
        CAST(SUM(CASE WHEN h.happened_on >= p.middle THEN h.complaints ELSE 0 END) AS DOUBLE) AS a,
        NULLIF(CAST(SUM(CASE WHEN h.happened_on < p.middle THEN h.declarations ELSE 0 END) AS DOUBLE), 0) AS v,
        NULLIF(CAST(SUM(CASE WHEN h.happened_on >= p.middle THEN h.declarations ELSE 0 END) AS DOUBLE), 0) AS w
    FROM happened h JOIN units u ON u.code = h.branch CROSS JOIN periods p
    WHERE u.kind = 'BRANCH' AND u.peer_group = 'SEAPORT' AND h.happened_on >= p.first_day AND h.happened_on < p.end_day
    GROUP BY h.branch
), parts AS (
    SELECT branch, b, a, v, w, (a / w) / (NULLIF(b, 0) / v) AS ratio,
        (2 * a + 2.8416 - 1.96 * SQRT(1.8416 - 1 / NULLIF(a + b, 0) + 4 * a * (b + 1) / NULLIF(a + b, 0)))
            / (2 * (a + b + 3.8416)) AS low,
        (2 * a + 4.8416 + 1.96 * SQRT(5.8416 - 1 / NULLIF(a + b, 0) + 4 * a * (b - 1) / NULLIF(a + b, 0)))
            / (2 * (a + b + 3.8416)) AS high
    FROM summed
), limits AS (
    SELECT branch, b, a, ratio,
        CASE WHEN a > 0 THEN low / (1 - low) * v / w ELSE 0 * v / w END AS lower_limit,
        CASE WHEN b > 0 THEN high / (1 - high) * v / w END AS upper_limit
    FROM parts
)
SELECT branch, b AS before_release, a AS after_release, ratio, lower_limit, upper_limit, lower_limit > 1 AS worse
FROM limits
ORDER BY branch
