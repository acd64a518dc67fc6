-- Do complaints about conduct rise? Each month with the mean of it and the two before.
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH months AS (
    SELECT DISTINCT month FROM calendar WHERE day BETWEEN $since AND $until
), counted AS (
    SELECT m.month, COUNT(c.complaint) AS complaints
    FROM months m LEFT JOIN complaints c ON c.month = m.month AND c.kind = 'CONDUCT'
    GROUP BY m.month
)
SELECT month, complaints, AVG(complaints) OVER (ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS mean_of_three
FROM counted
ORDER BY month
