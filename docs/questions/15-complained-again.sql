-- At which branches does the same enterprise complain again within 90 days?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH followed AS (
    SELECT branch, received_on, LAG(received_on) OVER (PARTITION BY enterprise, branch ORDER BY received_on) AS earlier
    FROM complaints
    WHERE enterprise IS NOT NULL AND branch IS NOT NULL
)
SELECT branch, COUNT(*) AS complaints,
    SUM(CASE WHEN earlier + INTERVAL '90 days' >= received_on THEN 1 ELSE 0 END) AS again,
    CAST(SUM(CASE WHEN earlier + INTERVAL '90 days' >= received_on THEN 1 ELSE 0 END) AS DOUBLE) / COUNT(*) AS share
FROM followed
WHERE received_on BETWEEN $since AND $until
GROUP BY branch
ORDER BY branch
