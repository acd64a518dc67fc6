-- How many complaints come in, of which kind, and from how many enterprises?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
SELECT month, COALESCE(kind, 'NONE') AS kind, COUNT(*) AS complaints, COUNT(DISTINCT enterprise) AS enterprises
FROM complaints
WHERE received_on BETWEEN $since AND $until
GROUP BY month, COALESCE(kind, 'NONE')
ORDER BY month, kind
