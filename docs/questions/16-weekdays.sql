-- On which days of the week do complaints come in?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH counted AS (
    SELECT received_on, COUNT(*) AS complaints FROM complaints GROUP BY received_on
)
SELECT d.weekday, COUNT(*) AS days, SUM(COALESCE(c.complaints, 0)) AS complaints,
    CAST(SUM(COALESCE(c.complaints, 0)) AS DOUBLE) / COUNT(*) AS complaints_per_day
FROM calendar d LEFT JOIN counted c ON c.received_on = d.day
WHERE d.day BETWEEN $since AND $until
GROUP BY d.weekday
ORDER BY d.weekday
