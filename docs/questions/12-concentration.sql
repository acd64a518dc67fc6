-- Do few enterprises complain for many? The share of the tenth of enterprises that complain most.
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH counted AS (
    SELECT enterprise, COUNT(*) AS complaints
    FROM complaints
    WHERE received_on BETWEEN $since AND $until AND enterprise IS NOT NULL
    GROUP BY enterprise
), ranked AS (
    SELECT complaints, ROW_NUMBER() OVER (ORDER BY complaints DESC) AS place, COUNT(*) OVER () AS enterprises FROM counted
)
SELECT COUNT(*) AS enterprises, SUM(complaints) AS complaints,
    SUM(CASE WHEN place * 10 <= enterprises THEN complaints ELSE 0 END) AS of_the_tenth,
    CAST(SUM(CASE WHEN place * 10 <= enterprises THEN complaints ELSE 0 END) AS DOUBLE) / SUM(complaints) AS share
FROM ranked
