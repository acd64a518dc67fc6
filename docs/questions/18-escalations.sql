-- Whose complaints had to be escalated?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
SELECT department, COUNT(*) AS complaints, COUNT(escalated_on) AS escalated,
    CAST(COUNT(escalated_on) AS DOUBLE) / COUNT(*) AS share
FROM complaints
WHERE received_on BETWEEN $since AND $until AND department IS NOT NULL
GROUP BY department
ORDER BY department
