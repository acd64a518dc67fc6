-- How many days does an answer take, by department: the median, and what nine of ten do not exceed?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH answered AS (
    SELECT department, (date_part('epoch', answered_on) - date_part('epoch', received_on)) / 86400 AS days
    FROM complaints
    WHERE received_on BETWEEN $since AND $until AND answered_on IS NOT NULL AND department IS NOT NULL
)
SELECT department, COUNT(*) AS answered,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY days) AS median_days,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY days) AS days_of_nine_tenths
FROM answered
GROUP BY department
ORDER BY department
