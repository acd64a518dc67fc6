-- How many days does an answer take, by department: the median, and what nine of ten do not exceed?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH answered AS (
    SELECT department, (date_part('epoch', answered_on) - date_part('epoch', received_on)) / 86400 AS days
    FROM complaints
    WHERE received_on BETWEEN $since AND $until AND answered_on IS NOT NULL AND department IS NOT NULL
), ranked AS (
    SELECT department, days, ROW_NUMBER() OVER (PARTITION BY department ORDER BY days) AS place,
        COUNT(*) OVER (PARTITION BY department) AS answered
    FROM answered
)
SELECT department, COUNT(*) AS answered,
    MIN(CASE WHEN place * 2 >= answered THEN days END) AS median_days,
    MIN(CASE WHEN place * 10 >= answered * 9 THEN days END) AS days_of_nine_tenths
FROM ranked
GROUP BY department
ORDER BY department
