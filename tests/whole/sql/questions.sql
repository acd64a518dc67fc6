-- Questions that the server and DuckDB have to answer alike. A line "--- name" begins one; "--- in DuckDB" begins
-- its text for DuckDB where the dialects differ. Rows are compared in their order where the last line begins with
-- ORDER BY, else as a set. Pseudonyms differ between answers and the lake: questions count them and show none.

--- share of each kind
SELECT kind, COUNT(*) AS n, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () AS share
FROM complaints GROUP BY kind
ORDER BY kind NULLS LAST

--- change from the month before
SELECT month, COUNT(*) AS n, LAG(COUNT(*)) OVER (ORDER BY month) AS before,
       COUNT(*) - LAG(COUNT(*), 1, 0) OVER (ORDER BY month) AS change
FROM complaints GROUP BY month
ORDER BY month

--- rank of branches within departments
SELECT department, branch, n, RANK() OVER w AS place, DENSE_RANK() OVER w AS dense, ROW_NUMBER() OVER v AS row_number
FROM (SELECT department, branch, COUNT(*) AS n FROM complaints WHERE branch IS NOT NULL GROUP BY department, branch) t
WINDOW w AS (PARTITION BY department ORDER BY n DESC), v AS (PARTITION BY department ORDER BY n DESC, branch)
ORDER BY department, branch

--- moving average of three months
SELECT month, n, AVG(n) OVER (ORDER BY month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS average,
       SUM(n) OVER (ORDER BY month ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running,
       MAX(n) OVER (ORDER BY month ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS largest
FROM (SELECT month, COUNT(*) AS n FROM complaints GROUP BY month) t
ORDER BY month

--- range of days
SELECT received_on, COUNT(*) AS n,
       SUM(COUNT(*)) OVER (ORDER BY received_on RANGE BETWEEN INTERVAL '29' DAY PRECEDING AND CURRENT ROW) AS of_30_days
FROM complaints GROUP BY received_on
ORDER BY received_on

--- range of numbers
SELECT number, SUM(number) OVER (ORDER BY number RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING) AS near
FROM (VALUES (1), (2), (2), (4), (7), (8), (20)) AS t (number)
ORDER BY number

--- peers of a value
SELECT number, COUNT(*) OVER (ORDER BY number) AS up_to, SUM(number) OVER (ORDER BY number ROWS UNBOUNDED PRECEDING) AS s,
       COUNT(*) OVER (ORDER BY number GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) AS groups
FROM (VALUES (1), (2), (2), (4), (7), (7), (20)) AS t (number)
ORDER BY number, s

--- first and last of a window
SELECT month, FIRST_VALUE(n) OVER w AS first, LAST_VALUE(n) OVER w AS last, NTH_VALUE(n, 2) OVER w AS second,
       LEAD(n, 2) OVER (ORDER BY month) AS later, NTILE(4) OVER (ORDER BY n, month) AS quarter,
       ROUND(PERCENT_RANK() OVER (ORDER BY n), 6) AS percent, CUME_DIST() OVER (ORDER BY n) AS share
FROM (SELECT month, COUNT(*) AS n FROM complaints GROUP BY month) t
WINDOW w AS (ORDER BY month ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY month

--- months that grew twice in a row
WITH months AS (SELECT month, COUNT(*) AS n FROM complaints GROUP BY month),
     changes AS (SELECT month, n, n > LAG(n) OVER (ORDER BY month) AS grew FROM months)
SELECT COUNT(*) AS n FROM (SELECT grew, LAG(grew) OVER (ORDER BY month) AS before FROM changes) t WHERE grew AND before

--- levels with rollup
SELECT department, kind, COUNT(*) AS n, GROUPING(department) AS no_department, GROUPING(kind) AS no_kind
FROM complaints GROUP BY ROLLUP (department, kind)

--- all levels with cube
SELECT channel, legal_form, COUNT(*) AS n, COUNT(enterprise) AS named
FROM complaints GROUP BY CUBE (channel, legal_form)

--- chosen levels
SELECT year, kind, channel, SUM(delay_hours) AS hours, COUNT(delay_hours) AS n
FROM complaints GROUP BY GROUPING SETS ((year, kind), (channel), ())

--- numbers by recursion
WITH RECURSIVE n (i, product) AS (SELECT 1 AS i, CAST(1 AS BIGINT) AS product UNION ALL SELECT i + 1, product * (i + 1) FROM n WHERE i < 15)
SELECT i, product FROM n
ORDER BY i

--- units below a department by recursion
WITH RECURSIVE below (root, code, level) AS (
    SELECT code AS root, code, 0 AS level FROM units WHERE kind = 'PROVINCIAL_DEPARTMENT'
    UNION ALL SELECT b.root, u.code, b.level + 1 FROM below b JOIN units u ON u.parent = b.code
)
SELECT root, level, COUNT(*) AS n FROM below GROUP BY root, level
ORDER BY root, level

--- complaints of a unit and all below it
WITH RECURSIVE below (root, code) AS (
    SELECT code AS root, code FROM units WHERE kind = 'PROVINCIAL_DEPARTMENT'
    UNION ALL SELECT b.root, u.code FROM below b JOIN units u ON u.parent = b.code
)
SELECT b.root, COUNT(c.complaint) AS n FROM below b LEFT JOIN complaints c ON c.unit = b.code GROUP BY b.root
ORDER BY b.root

--- above the average by a scalar subquery
SELECT unit, n FROM (SELECT unit, COUNT(*) AS n FROM complaints WHERE unit IS NOT NULL GROUP BY unit) t
WHERE n > (SELECT COUNT(*) * 1.0 / COUNT(DISTINCT unit) FROM complaints WHERE unit IS NOT NULL)
ORDER BY unit

--- correlated scalar subquery
SELECT u.code, (SELECT COUNT(*) FROM complaints c WHERE c.unit = u.code) AS n,
       (SELECT MAX(c.received_on) FROM complaints c WHERE c.unit = u.code AND c.kind = 'CONDUCT') AS last
FROM units u
ORDER BY u.code

--- correlated average
SELECT COUNT(*) AS n FROM complaints c
WHERE c.delay_hours > (SELECT AVG(d.delay_hours) FROM complaints d WHERE d.kind = c.kind)

--- complaints without an allegation
SELECT COUNT(*) AS n FROM complaints c WHERE NOT EXISTS (SELECT 1 FROM allegations a WHERE a.complaint = c.complaint)

--- complaints with a sustained allegation
SELECT c.kind, COUNT(*) AS n FROM complaints c
WHERE EXISTS (SELECT 1 FROM allegations a WHERE a.complaint = c.complaint AND a.finding = 'SUSTAINED')
GROUP BY c.kind

--- not in with a null
SELECT COUNT(*) AS n FROM units WHERE code NOT IN (SELECT parent FROM units)

--- not in without a null
SELECT COUNT(*) AS n FROM units WHERE code NOT IN (SELECT parent FROM units WHERE parent IS NOT NULL)

--- in with a null
SELECT COUNT(*) AS n, SUM(CASE WHEN kind IN ('CONDUCT', NULL) THEN 1 ELSE 0 END) AS conduct,
       SUM(CASE WHEN kind NOT IN ('CONDUCT', NULL) THEN 1 ELSE 0 END) AS other FROM complaints

--- rows of nulls
SELECT COUNT(*) AS all_rows, COUNT(unit) AS with_unit, COUNT(*) FILTER (WHERE unit IS NULL) AS without,
       COUNT(DISTINCT unit) AS units, COUNT(cost_vnd) AS costs, COUNT(NULLIF(channel, 'HOTLINE')) AS not_hotline
FROM complaints

--- nothing
SELECT COUNT(*) AS n, SUM(delay_hours) AS s, AVG(delay_hours) AS a, MIN(received_on) AS first, MAX(kind) AS last
FROM complaints WHERE received_on < DATE '1900-01-01'

--- no groups of nothing
SELECT kind, COUNT(*) AS n FROM complaints WHERE received_on < DATE '1900-01-01' GROUP BY kind

--- having of nothing
SELECT COUNT(*) AS n FROM complaints HAVING COUNT(*) < 0

--- nulls first and last
SELECT department, COUNT(*) AS n FROM complaints GROUP BY department
ORDER BY department NULLS FIRST

--- nulls in descending order
SELECT branch, COUNT(*) AS n FROM complaints GROUP BY branch
ORDER BY branch DESC NULLS LAST

--- nulls compare as unknown
SELECT SUM(CASE WHEN unit = responsible_unit THEN 1 ELSE 0 END) AS same,
       SUM(CASE WHEN unit <> responsible_unit THEN 1 ELSE 0 END) AS other,
       SUM(CASE WHEN unit IS DISTINCT FROM responsible_unit THEN 1 ELSE 0 END) AS distinct_from,
       SUM(CASE WHEN NOT (unit = responsible_unit) IS NULL THEN 1 ELSE 0 END) AS unknown FROM complaints

--- enterprises by distinct and filter
SELECT year, COUNT(DISTINCT enterprise) AS enterprises,
       COUNT(DISTINCT enterprise) FILTER (WHERE kind = 'CONDUCT') AS of_conduct,
       COUNT(*) FILTER (WHERE enterprise IS NULL) AS anonymous
FROM complaints GROUP BY year
ORDER BY year

--- distinct pairs
SELECT COUNT(*) AS n FROM (SELECT DISTINCT officer, complaint FROM allegations) t

--- officers by distinct enterprises
SELECT enterprises, COUNT(*) AS officers FROM (
    SELECT a.officer, COUNT(DISTINCT c.enterprise) AS enterprises
    FROM allegations a JOIN complaints c ON a.complaint = c.complaint WHERE c.kind = 'CONDUCT' GROUP BY a.officer) t
GROUP BY enterprises
ORDER BY enterprises

--- texts in order
SELECT kind, STRING_AGG(code, ', ' ORDER BY code DESC) AS codes FROM categories GROUP BY kind
ORDER BY kind

--- lists in order
SELECT kind, ARRAY_AGG(code ORDER BY code) AS codes FROM categories GROUP BY kind
ORDER BY kind

--- amounts of money
SELECT kind, SUM(cost_vnd) AS cost, CAST(AVG(CAST(cost_vnd AS DOUBLE PRECISION)) AS DOUBLE PRECISION) AS average,
       MIN(cost_vnd) AS least, MAX(cost_vnd) AS most
FROM complaints GROUP BY kind
ORDER BY kind NULLS LAST

--- average of decimals
SELECT COUNT(*) AS n, SUM(CAST(delay_hours AS NUMERIC(18, 4))) AS hours,
       CAST(AVG(CAST(delay_hours AS NUMERIC(18, 4))) AS NUMERIC(18, 4)) - CAST(20 AS NUMERIC(18, 4)) > 0 AS is_long
FROM complaints

--- division of whole numbers
SELECT 7 / 2 AS a, -7 / 2 AS b, 7 % 3 AS c, -7 % 3 AS d, 7 / 2.0 AS e, 1.0 / 3 * 3 > 0.99 AS f
--- in DuckDB
SELECT 7 // 2 AS a, -7 // 2 AS b, 7 % 3 AS c, -7 % 3 AS d, 7 / 2.0 AS e, 1.0 / 3 * 3 > 0.99 AS f

--- rounding
SELECT ROUND(2.5) AS a, ROUND(-2.5) AS b, ROUND(1234.567, 2) AS c, FLOOR(-1.5) AS d, CEIL(-1.5) AS e, TRUNC(-1.7) AS f

--- months of Vietnam's time
SELECT date_trunc('month', received_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::DATE AS month, COUNT(*) AS n
FROM complaints GROUP BY 1
ORDER BY 1
--- in DuckDB
SELECT date_trunc('month', received_at + INTERVAL 7 HOUR)::DATE AS month, COUNT(*) AS n FROM complaints GROUP BY 1
ORDER BY 1

--- the day of receipt is that of Vietnam
SELECT COUNT(*) AS n, COUNT(*) FILTER (WHERE received_on = (received_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::DATE) AS same
FROM complaints
--- in DuckDB
SELECT COUNT(*) AS n, COUNT(*) FILTER (WHERE received_on = (received_at + INTERVAL 7 HOUR)::DATE) AS same
FROM complaints

--- hours of Vietnam's time
SELECT EXTRACT(HOUR FROM received_at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS hour, COUNT(*) AS n FROM complaints GROUP BY 1
ORDER BY 1
--- in DuckDB
SELECT EXTRACT(HOUR FROM received_at + INTERVAL 7 HOUR) AS hour, COUNT(*) AS n FROM complaints GROUP BY 1
ORDER BY 1

--- quarters and weekdays
SELECT date_trunc('quarter', received_on)::DATE AS quarter, EXTRACT(DOW FROM received_on) AS weekday, COUNT(*) AS n
FROM complaints GROUP BY 1, 2
ORDER BY 1, 2

--- weeks
SELECT date_trunc('week', received_on)::DATE AS monday, EXTRACT(WEEK FROM MIN(received_on)) AS week, COUNT(*) AS n
FROM complaints GROUP BY 1
ORDER BY 1

--- ends of months
SELECT CAST(day + INTERVAL '1 month' AS DATE) AS later, CAST(day - INTERVAL '1 year' AS DATE) AS before,
       day - DATE '2024-01-01' AS days
FROM (VALUES (DATE '2024-01-31'), (DATE '2024-02-29'), (DATE '2023-12-31'), (DATE '2024-03-30')) AS t (day)
ORDER BY days

--- working days to the answer
SELECT COUNT(*) AS n, AVG(days) AS average FROM (
    SELECT c.complaint, COUNT(k.day) AS days FROM complaints c
    JOIN calendar k ON k.day > c.received_on AND k.day <= c.answered_on AND k.weekday <= 5
    GROUP BY c.complaint) t

--- the days without a complaint
SELECT k.year, k.month, COUNT(*) AS n FROM calendar k LEFT JOIN complaints c ON c.received_on = k.day
WHERE c.complaint IS NULL GROUP BY k.year, k.month
ORDER BY k.month

--- late answers
SELECT kind, COUNT(*) FILTER (WHERE answered_on > due_on) AS late, AVG(answered_on - received_on) AS days
FROM complaints WHERE answered_on IS NOT NULL GROUP BY kind
ORDER BY kind NULLS LAST

--- between two days
SELECT COUNT(*) AS n FROM complaints WHERE received_on BETWEEN DATE '2024-01-31' AND DATE '2024-02-29'

--- percentiles
SELECT kind, percentile_cont(0.5) WITHIN GROUP (ORDER BY delay_hours) AS half,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY delay_hours) AS most, MEDIAN(delay_hours) AS median
FROM complaints GROUP BY kind
ORDER BY kind NULLS LAST

--- percentiles of money
SELECT percentile_cont(0.333) WITHIN GROUP (ORDER BY CAST(cost_vnd AS DOUBLE PRECISION)) AS low,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY CAST(cost_vnd AS DOUBLE PRECISION)) AS high FROM complaints

--- percentile of few numbers
SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY n) AS low, percentile_cont(0.25) WITHIN GROUP (ORDER BY n DESC) AS high,
       MEDIAN(n) AS median FROM (VALUES (1), (2), (4), (1000000)) AS t (n)
--- in DuckDB
SELECT quantile_cont(n, 0.25) AS low, quantile_cont(n, 0.75) AS high, MEDIAN(n) AS median
FROM (VALUES (1), (2), (4), (1000000)) AS t (n)

--- spread
SELECT STDDEV_SAMP(delay_hours) AS s, VAR_POP(delay_hours) AS v, CORR(delay_hours, CAST(cost_vnd AS DOUBLE PRECISION)) AS r,
       REGR_SLOPE(delay_hours, CAST(cost_vnd AS DOUBLE PRECISION)) * 1e9 AS slope FROM complaints

--- join of four tables
SELECT u.name_vi, g.name_vi AS category, COUNT(DISTINCT c.complaint) AS complaints, COUNT(DISTINCT a.officer) AS officers,
       COUNT(r.complaint) AS responses
FROM complaints c
JOIN units u ON u.code = c.unit
JOIN categories g ON g.code = c.category
LEFT JOIN allegations a ON a.complaint = c.complaint
LEFT JOIN responses r ON r.complaint = c.complaint
GROUP BY u.name_vi, g.name_vi

--- officers of the units they are posted to
SELECT p.unit, COUNT(DISTINCT p.officer) AS officers, COUNT(DISTINCT a.complaint) AS complaints
FROM postings p JOIN officers o ON o.officer = p.officer
LEFT JOIN allegations a ON a.officer = p.officer AND a.unit = p.unit
    AND a.received_on BETWEEN COALESCE(p.valid_from, DATE '1900-01-01') AND COALESCE(p.valid_to, DATE '2100-01-01')
GROUP BY p.unit
ORDER BY p.unit

--- declarations for each complaint
WITH of_workload AS (SELECT unit, SUM(declarations) AS declarations FROM workload WHERE officer IS NULL GROUP BY unit),
     of_complaints AS (SELECT unit, COUNT(*) AS n FROM complaints GROUP BY unit)
SELECT COALESCE(w.unit, c.unit) AS unit, w.declarations, c.n, c.n * 1000.0 / NULLIF(w.declarations, 0) AS rate
FROM of_workload w FULL JOIN of_complaints c ON c.unit = w.unit
ORDER BY unit NULLS LAST

--- workload by quarter
SELECT date_trunc('quarter', month)::DATE AS quarter, officer IS NULL AS of_unit, SUM(declarations) AS declarations,
       COUNT(DISTINCT officer) AS officers
FROM workload GROUP BY 1, 2
ORDER BY 1, 2

--- enterprises of a group
SELECT size, COUNT(*) AS groups FROM (SELECT enterprise_group, COUNT(*) AS size FROM enterprises GROUP BY 1) t GROUP BY size
ORDER BY size

--- campaigns by peer group
SELECT peer_group, COUNT(*) AS n, COUNT(campaign) AS in_campaigns, COUNT(DISTINCT officer) AS officers
FROM recurrence_complaints GROUP BY peer_group
ORDER BY peer_group

--- exposure by peer group and month
SELECT basis, peer_group, month, COUNT(*) AS n, COUNT(DISTINCT officer) AS officers, MAX(last_day) AS until
FROM recurrence_exposure GROUP BY basis, peer_group, month
ORDER BY basis, peer_group, month

--- incidents of a unit or of the country
SELECT COUNT(*) AS n, COUNT(i.begins_at) AS during FROM complaints c
LEFT JOIN incidents i ON (i.unit IS NULL OR i.unit = c.unit) AND c.received_at >= i.begins_at
    AND (i.ends_at IS NULL OR c.received_at <= i.ends_at)

--- flags and their numbers
SELECT f.subject_kind, f.tier, n.window_days, COUNT(*) AS n, SUM(n.d) AS enterprises, MAX(n.ratio) AS ratio
FROM flags f JOIN flag_numbers n ON n.flag = f.flag GROUP BY f.subject_kind, f.tier, n.window_days

--- evidence of flags
SELECT f.tier, COUNT(*) AS complaints, COUNT(DISTINCT e.complaint) AS different, COUNT(DISTINCT c.enterprise) AS enterprises
FROM flags f JOIN flag_evidence e ON e.flag = f.flag JOIN complaints c ON c.complaint = e.complaint GROUP BY f.tier

--- decisions and measures
SELECT f.state, COUNT(DISTINCT r.flag) AS reviewed, COUNT(DISTINCT m.officer) AS with_measure
FROM flags f LEFT JOIN reviews r ON r.flag = f.flag LEFT JOIN measures m ON m.flag = f.flag GROUP BY f.state

--- results of jobs
SELECT job, subject_kind, measure, COUNT(*) AS n, AVG(value) AS average FROM job_results GROUP BY job, subject_kind, measure

--- days of the first response
SELECT kind, days, COUNT(*) AS n FROM (
    SELECT c.kind, c.complaint, MIN(r.responded_on) - MIN(c.received_on) AS days
    FROM complaints c JOIN responses r ON r.complaint = c.complaint WHERE r.is_answer GROUP BY c.kind, c.complaint) t
GROUP BY kind, days
ORDER BY kind NULLS LAST, days

--- satisfaction
SELECT unit, COUNT(*) AS n, AVG(CASE WHEN satisfied THEN 1.0 WHEN NOT satisfied THEN 0.0 END) AS satisfied,
       BOOL_AND(satisfied) AS all_of_them, BOOL_OR(satisfied) AS some
FROM responses GROUP BY unit
ORDER BY unit

--- letters of Vietnam
SELECT code, UPPER(name_vi) AS upper, LOWER(name_vi) AS lower, LENGTH(name_vi) AS characters,
       SUBSTR(name_vi, 2, 5) AS part, REVERSE(name_vi) AS reversed, LEFT(name_vi, 3) AS "left", RIGHT(name_vi, 3) AS "right",
       STRPOS(name_vi, 'ục') AS place
FROM units
ORDER BY code

--- order of letters
SELECT name_vi FROM (SELECT DISTINCT name_vi FROM units UNION SELECT DISTINCT name_vi FROM categories) t
ORDER BY name_vi

--- patterns
SELECT COUNT(*) FILTER (WHERE name_vi LIKE 'C%') AS with_c, COUNT(*) FILTER (WHERE name_vi ILIKE '%HẢI QUAN%') AS customs,
       COUNT(*) FILTER (WHERE name_vi LIKE '%\_%') AS with_line, COUNT(*) FILTER (WHERE code LIKE '__') AS of_two,
       COUNT(*) FILTER (WHERE name_vi NOT LIKE '%a%') AS without_a FROM units
--- in DuckDB
SELECT COUNT(*) FILTER (WHERE name_vi LIKE 'C%') AS with_c, COUNT(*) FILTER (WHERE name_vi ILIKE '%HẢI QUAN%') AS customs,
       COUNT(*) FILTER (WHERE name_vi LIKE '%\_%' ESCAPE '\') AS with_line, COUNT(*) FILTER (WHERE code LIKE '__') AS of_two,
       COUNT(*) FILTER (WHERE name_vi NOT LIKE '%a%') AS without_a FROM units

--- regular expressions
SELECT code, REGEXP_REPLACE(name_vi, '[aăâ]', '-', 'g') AS replaced, code ~ '^[0-9]+$' AS is_number FROM units
ORDER BY code
--- in DuckDB
SELECT code, REGEXP_REPLACE(name_vi, '[aăâ]', '-', 'g') AS replaced, regexp_matches(code, '^[0-9]+$') AS is_number FROM units
ORDER BY code

--- parts of texts
SELECT SPLIT_PART(CAST(month AS VARCHAR), '-', 2) AS month, CAST(month AS VARCHAR) || '/' || kind AS both,
       CONCAT(kind, NULL, '!') AS concat,
       COALESCE(kind, 'none') AS kind, COUNT(*) AS n FROM complaints GROUP BY 1, 2, 3, 4

--- classes of delay
SELECT CASE WHEN delay_hours IS NULL THEN 'unknown' WHEN delay_hours < 1 THEN 'short' WHEN delay_hours < 24 THEN 'day'
            ELSE 'long' END AS class, COUNT(*) AS n, GREATEST(MAX(delay_hours), 1) AS most, LEAST(MIN(delay_hours), 1) AS least
FROM complaints GROUP BY 1
ORDER BY 1

--- groups with many rows
SELECT department, kind, COUNT(*) AS n FROM complaints GROUP BY department, kind HAVING COUNT(*) > 10 AND MIN(received_on) IS NOT NULL

--- units of either list
SELECT unit FROM complaints UNION SELECT unit FROM workload

--- units of both lists
SELECT unit FROM complaints INTERSECT SELECT unit FROM responses

--- units of one list
SELECT code AS unit FROM units EXCEPT SELECT unit FROM complaints

--- rows of both lists
SELECT COUNT(*) AS n FROM (SELECT unit FROM complaints UNION ALL SELECT unit FROM allegations
    UNION ALL SELECT unit FROM responses) t

--- the third page
SELECT unit, month, COUNT(*) AS n FROM complaints GROUP BY unit, month
ORDER BY unit NULLS FIRST, month LIMIT 10 OFFSET 20

--- the newest of each unit
SELECT unit, received_on, n FROM (
    SELECT unit, received_on, COUNT(*) AS n, ROW_NUMBER() OVER (PARTITION BY unit ORDER BY received_on DESC) AS place
    FROM complaints GROUP BY unit, received_on) t
WHERE place <= 2

--- every pair of kinds
SELECT a.kind, b.kind AS other, COUNT(*) AS n
FROM (SELECT DISTINCT kind, month FROM complaints) a JOIN (SELECT DISTINCT kind, month FROM complaints) b
    ON a.month = b.month AND a.kind < b.kind GROUP BY a.kind, b.kind

--- complaints of one enterprise within a month
SELECT COUNT(*) AS n FROM (
    SELECT enterprise, received_on, LAG(received_on) OVER (PARTITION BY enterprise ORDER BY received_on) AS before
    FROM complaints WHERE enterprise IS NOT NULL) t
WHERE received_on - before <= 30

--- lateral
SELECT u.code, t.n FROM units u CROSS JOIN LATERAL (SELECT COUNT(*) AS n FROM complaints c WHERE c.unit = u.code) t
ORDER BY u.code

--- series of numbers
SELECT value AS n, value * value AS square FROM generate_series(1, 10)
ORDER BY n
--- in DuckDB
SELECT n, n * n AS square FROM generate_series(1, 10) t (n)
ORDER BY n

--- columns of yes and no
SELECT blames_system, confidential, overdue, COUNT(*) AS n, SUM(CAST(overdue AS INTEGER)) AS number
FROM complaints GROUP BY blames_system, confidential, overdue

--- sums in windows of money
SELECT month, SUM(cost) OVER (ORDER BY month) AS running,
       CAST(cost AS DOUBLE PRECISION) / CAST(SUM(cost) OVER () AS DOUBLE PRECISION) AS share
FROM (SELECT month, SUM(cost_vnd) AS cost FROM complaints GROUP BY month) t
ORDER BY month

--- median of money
SELECT kind, MEDIAN(cost_vnd) AS median FROM complaints GROUP BY kind
ORDER BY kind NULLS LAST
--- in DuckDB
SELECT kind, MEDIAN(CAST(cost_vnd AS DOUBLE)) AS median FROM complaints GROUP BY kind
ORDER BY kind NULLS LAST

--- money for each declaration
WITH costs AS (SELECT unit, SUM(cost_vnd) AS cost, AVG(cost_vnd) AS average FROM complaints GROUP BY unit),
     loads AS (SELECT unit, SUM(declarations) AS declarations FROM workload WHERE officer IS NULL GROUP BY unit)
SELECT c.unit, c.cost / NULLIF(l.declarations, 0) AS for_each, c.average, l.declarations / c.cost AS for_each_vnd
FROM costs c JOIN loads l ON l.unit = c.unit WHERE c.cost > 0
ORDER BY c.unit

--- whole days of delay
SELECT CAST(delay_hours / 24 AS BIGINT) AS days, COUNT(*) AS n, SUM(CAST(delay_hours AS INTEGER)) AS hours
FROM complaints WHERE delay_hours IS NOT NULL GROUP BY CAST(delay_hours / 24 AS BIGINT)
ORDER BY days
