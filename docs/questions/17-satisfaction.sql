-- Which answers satisfy enterprises?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
SELECT kind, COUNT(*) AS responses, COUNT(satisfied) AS known, SUM(CASE WHEN satisfied THEN 1 ELSE 0 END) AS satisfied
FROM responses
WHERE responded_on BETWEEN $since AND $until
GROUP BY kind
ORDER BY kind
