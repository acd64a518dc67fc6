-- How many officers are named by how many different enterprises?
-- parameter since DATE = 2025-01-01
-- parameter until DATE = 2025-12-31
WITH named AS (
    SELECT a.officer, COUNT(DISTINCT c.enterprise) AS enterprises
    FROM allegations a JOIN complaints c ON c.complaint = a.complaint
    WHERE c.received_on BETWEEN $since AND $until
    GROUP BY a.officer
)
SELECT enterprises, COUNT(*) AS officers FROM named GROUP BY enterprises ORDER BY enterprises
