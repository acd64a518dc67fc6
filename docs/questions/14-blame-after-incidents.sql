-- How many complaints in which the officer blamed the system came within three days of an incident there or everywhere?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH blaming AS (
    SELECT c.complaint, c.blames_system, MAX(CASE WHEN i.begins_at IS NULL THEN 0 ELSE 1 END) AS soon
    FROM complaints c LEFT JOIN incidents i ON i.begins_at <= c.received_at
        AND i.begins_at + INTERVAL '3 days' >= c.received_at AND (i.unit IS NULL OR i.unit = c.branch)
    WHERE c.received_on BETWEEN $since AND $until
    GROUP BY c.complaint, c.blames_system
)
SELECT blames_system, COUNT(*) AS complaints, SUM(soon) AS after_incident,
    CAST(SUM(soon) AS DOUBLE) / COUNT(*) AS share
FROM blaming
GROUP BY blames_system
ORDER BY blames_system
