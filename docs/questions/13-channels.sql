-- How do complaints arrive, and how does this change from year to year?
-- parameter since DATE = 2021-01-01
-- parameter until DATE = 2025-12-31
SELECT year, channel, COUNT(*) AS complaints,
    CAST(COUNT(*) AS DOUBLE) / SUM(COUNT(*)) OVER (PARTITION BY year) AS share
FROM complaints
WHERE received_on BETWEEN $since AND $until
GROUP BY year, channel
ORDER BY year, channel
