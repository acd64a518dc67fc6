-- Which flags stand, and how many complaints are behind them?
WITH behind AS (
    SELECT flag, COUNT(*) AS complaints FROM flag_evidence GROUP BY flag
)
SELECT f.subject_kind, f.tier, f.state, COUNT(*) AS flags, SUM(COALESCE(b.complaints, 0)) AS complaints
FROM flags f LEFT JOIN behind b ON b.flag = f.flag
GROUP BY f.subject_kind, f.tier, f.state
ORDER BY f.subject_kind, f.tier, f.state
