-- Do flagged officers handle more declarations? Declarations of an officer in a month, over the months with a count of the
-- officer's own.
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH flagged AS (
    SELECT DISTINCT officer FROM flags
    WHERE officer IS NOT NULL AND state IN ('OPEN', 'ACKNOWLEDGED', 'UNDER_REVIEW', 'UPHELD')
)
SELECT f.officer IS NOT NULL AS flagged, COUNT(DISTINCT w.officer) AS officers, COUNT(*) AS officer_months,
    CAST(SUM(w.declarations) AS DOUBLE) / COUNT(*) AS declarations_per_month
FROM workload w LEFT JOIN flagged f ON f.officer = w.officer
WHERE w.officer IS NOT NULL AND w.month BETWEEN $since AND $until
GROUP BY f.officer IS NOT NULL
ORDER BY flagged
