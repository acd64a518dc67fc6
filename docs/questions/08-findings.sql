-- How many allegations are sustained, by how they are attributed?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
SELECT attribution, finding, COUNT(*) AS allegations, COUNT(DISTINCT officer) AS officers,
    CAST(COUNT(*) AS DOUBLE) / SUM(COUNT(*)) OVER (PARTITION BY attribution) AS share
FROM allegations
WHERE received_on BETWEEN $since AND $until
GROUP BY attribution, finding
ORDER BY attribution, finding
