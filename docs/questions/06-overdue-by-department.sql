-- Where do answers wait beyond their deadline?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
SELECT department, COUNT(*) AS complaints, SUM(CASE WHEN overdue THEN 1 ELSE 0 END) AS overdue,
    CAST(SUM(CASE WHEN overdue THEN 1 ELSE 0 END) AS DOUBLE) / COUNT(*) AS share
FROM complaints
WHERE received_on BETWEEN $since AND $until AND department IS NOT NULL
GROUP BY department
ORDER BY department
