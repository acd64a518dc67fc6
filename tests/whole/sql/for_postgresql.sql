-- Questions of shapes in which dialects differ, that the server and PostgreSQL have to answer alike. A line "--- name"
-- begins one. Rows are compared in their order where the last line begins with ORDER BY, else as a set. Columns have
-- different names. Texts are not sorted: their order is that of a collation.

--- nulls come last
SELECT DISTINCT answered_on FROM complaints
ORDER BY answered_on

--- nulls come first in descending order
SELECT DISTINCT answered_on FROM complaints
ORDER BY answered_on DESC

--- nulls in a window
SELECT n, ROW_NUMBER() OVER (ORDER BY n) AS up, ROW_NUMBER() OVER (ORDER BY n DESC) AS down,
       LAST_VALUE(n) OVER (ORDER BY n) AS last, SUM(n) OVER (ORDER BY n DESC) AS sum
FROM (VALUES (3), (NULL), (1)) AS t (n)

--- a span longer than an interval
SELECT COUNT(*) FILTER (WHERE span > INTERVAL '36 hours') AS a, COUNT(*) FILTER (WHERE span > INTERVAL '1 day') AS b,
       COUNT(*) FILTER (WHERE span BETWEEN INTERVAL '2 days' AND INTERVAL '1 month') AS c,
       COUNT(*) FILTER (WHERE INTERVAL '5 days 12 hours' <= span) AS d
FROM (SELECT r.responded_at - c.received_at AS span
      FROM responses r JOIN complaints c ON c.complaint = r.complaint) AS t

--- seconds of spans
SELECT SUM(EXTRACT(EPOCH FROM r.responded_at - c.received_at)) AS seconds,
       SUM(EXTRACT(DAY FROM r.responded_at - c.received_at)) AS days
FROM responses r JOIN complaints c ON c.complaint = r.complaint

--- not in with a null
SELECT COUNT(*) AS n FROM units WHERE code NOT IN (SELECT parent FROM units)

--- not in as the last of several conditions
SELECT COUNT(*) AS n FROM units WHERE kind <> 'TEAM' AND code NOT IN (SELECT parent FROM units WHERE parent IS NOT NULL)

--- in beside or
SELECT COUNT(*) AS n FROM complaints
WHERE kind = 'CONDUCT' OR unit IN (SELECT code FROM units WHERE peer_group = 'SEAPORT')

--- not exists beside or
SELECT COUNT(*) AS n FROM units u
WHERE u.kind = 'TEAM' OR NOT EXISTS (SELECT 1 FROM complaints c WHERE c.unit = u.code)

--- full join
SELECT COALESCE(a.n, b.n) AS both_n, a.n AS a_n, b.n AS b_n
FROM (VALUES (1), (2), (NULL)) AS a (n) FULL JOIN (VALUES (2), (3), (NULL)) AS b (n) ON a.n = b.n

--- full join of groups
SELECT COALESCE(x.unit, y.code) AS unit, x.n, y.kind
FROM (SELECT unit, COUNT(*) AS n FROM complaints GROUP BY unit) x FULL JOIN units y ON y.code = x.unit

--- right join with a condition on one side
SELECT u.code, COUNT(c.complaint) AS n
FROM complaints c RIGHT JOIN units u ON u.code = c.unit AND c.kind = 'CONDUCT'
GROUP BY u.code

--- days in Vietnam
SELECT CAST(received_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS DATE) AS day, COUNT(*) AS n,
       COUNT(*) FILTER (WHERE received_on = CAST(received_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS DATE)) AS same,
       COUNT(*) FILTER (WHERE received_at AT TIME ZONE 'Asia/Ho_Chi_Minh' >= received_on) AS later
FROM complaints GROUP BY 1
ORDER BY day

--- months and hours in Vietnam
SELECT date_trunc('month', received_at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS month,
       EXTRACT(HOUR FROM received_at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS hour, COUNT(*) AS n
FROM complaints GROUP BY 1, 2

--- a local time at a border of months
SELECT COUNT(*) AS n FROM complaints
WHERE received_at AT TIME ZONE 'Asia/Ho_Chi_Minh' BETWEEN DATE '2024-03-01' AND TIMESTAMP '2024-03-31 23:59:59'

--- a template reads an instant
SELECT to_timestamp('31.01.2025 18:30', 'DD.MM.YYYY HH24:MI') AT TIME ZONE 'Asia/Ho_Chi_Minh' AS local,
       to_date('2025/02/28', 'YYYY/MM/DD') AS day

--- division of whole numbers
SELECT 7 / 2 AS a, -7 / 2 AS b, 7 / -2 AS c, 7 % 3 AS d, -7 % 3 AS e, 7 % -3 AS f, mod(-7, 3) AS g, 7 / 2.0 AS h

--- quotients without their fraction
SELECT div(7, 2) AS a, div(-7, 2) AS b, div(7, -2) AS c, div(CAST(7.5 AS NUMERIC(5, 1)), 2) AS d,
       div(900719925474099, 2) AS e, div(NULL, 2) AS f

--- a quotient behind a condition
SELECT n FROM (VALUES (0), (2), (3), (NULL)) AS t (n) WHERE n <> 0 AND div(12, n) > 5
ORDER BY n

--- division behind a condition
SELECT n FROM (VALUES (0), (2), (3), (NULL)) AS t (n) WHERE n <> 0 AND 12 / n > 5
ORDER BY n

--- rates
SELECT kind, COUNT(*) FILTER (WHERE overdue) * 100.0 / COUNT(*) AS share,
       SUM(delay_hours) / NULLIF(COUNT(delay_hours), 0) AS hours
FROM complaints GROUP BY kind

--- rounding
SELECT CAST(CAST(2.5 AS NUMERIC(5, 1)) AS BIGINT) AS a, CAST(CAST(-2.5 AS NUMERIC(5, 1)) AS BIGINT) AS b,
       CAST(CAST(2.5 AS DOUBLE PRECISION) AS BIGINT) AS c, CAST(CAST(3.5 AS DOUBLE PRECISION) AS BIGINT) AS d,
       CAST('1234.565' AS NUMERIC(10, 2)) AS e, FLOOR(-1.5) AS f, CEIL(-1.5) AS g, ABS(-7) AS h, SIGN(-2.5) AS i

--- halves of doubles
SELECT ROUND(CAST(a AS DOUBLE PRECISION)) AS a, ROUND(CAST(a AS REAL)) AS b, ROUND(-CAST(a AS DOUBLE PRECISION)) AS c,
       ROUND(a * CAST(1 AS DOUBLE PRECISION)) AS d, CAST(CAST(a AS REAL) AS INTEGER) AS e, ROUND(SQRT(6.25)) AS f,
       ROUND(CASE WHEN a > 0 THEN CAST(a AS DOUBLE PRECISION) ELSE 0.5 END) AS g
FROM (VALUES (0.5), (1.5), (2.5), (-0.5), (-2.5), (-3.5), (2.4), (NULL)) AS t (a)

--- halves of numerics
SELECT ROUND(a) AS a, ROUND(-a) AS b, CAST(a AS INTEGER) AS c, CAST(-a AS BIGINT) AS d, ROUND(a, 0) AS e,
       ROUND(a * 1.0) AS f, ROUND(CAST(a AS NUMERIC(5, 1))) AS g, CAST(EXTRACT(SECOND FROM TIME '10:00:02.5') AS INTEGER) AS h
FROM (VALUES (0.5), (1.5), (2.5), (-0.5), (-2.5), (-3.5), (2.4), (NULL)) AS t (a)

--- halves of subqueries and groups
SELECT g, ROUND(d) AS a, ROUND(n) AS b, ROUND(AVG(d)) AS c, ROUND(AVG(n)) AS d, CAST(AVG(w) AS BIGINT) AS e,
       ROUND(SUM(d) OVER (PARTITION BY g)) AS f, ROUND(MAX(n) OVER (PARTITION BY g)) AS h
FROM (SELECT n > 1 AS g, CAST(n AS DOUBLE PRECISION) AS d, n, w FROM (VALUES (0.5, 1), (0.5, 1), (2.5, 2), (2.5, 3)) AS v (n, w)) AS t
GROUP BY g, d, n

--- signs of remainders and of what is cut off
SELECT MOD(-7, 3) AS a, MOD(7, -3) AS b, -7.5 % 2 AS c, TRUNC(-2.5) AS d, TRUNC(CAST(-2.5 AS DOUBLE PRECISION)) AS e, -7 / 2 AS f

--- money
SELECT kind, SUM(cost_vnd) AS cost, AVG(cost_vnd) AS average, MAX(cost_vnd) / 3 AS third,
       SUM(cost_vnd) * 1.5 AS more, percentile_cont(0.5) WITHIN GROUP (ORDER BY cost_vnd) AS half
FROM complaints GROUP BY kind

--- aggregates of flags and nulls
SELECT EVERY(n > 0) AS a, BOOL_OR(n > 2) AS b, EVERY(n > 9) FILTER (WHERE n > 100) AS c, VARIANCE(n) AS d,
       COUNT(n) AS e, SUM(n) FILTER (WHERE n > 100) AS f, AVG(n) AS g
FROM (VALUES (1), (NULL), (3)) AS t (n)

--- three values of logic
SELECT a, b, a AND b AS both_ab, a OR b AS either, NOT a AS not_a, a = b AS same, a IS DISTINCT FROM b AS other,
       COALESCE(a, b) AS first, NULLIF(a, b) AS differs
FROM (VALUES (true, false), (true, NULL), (false, NULL), (CAST(NULL AS BOOLEAN), CAST(NULL AS BOOLEAN))) AS t (a, b)

--- parts of times
SELECT EXTRACT(SECOND FROM at) AS a, EXTRACT(MILLISECONDS FROM at) AS b, EXTRACT(MINUTE FROM at) AS c,
       EXTRACT(EPOCH FROM at) AS d, EXTRACT(DOW FROM at) AS e, EXTRACT(ISODOW FROM at) AS f, EXTRACT(WEEK FROM at) AS g
FROM (VALUES (TIMESTAMP '2025-01-05 05:06:07.5'), (TIMESTAMP '2024-12-30 23:59:59.999')) AS t (at)

--- parts of times are divided as numerics
SELECT EXTRACT(MONTH FROM at) / 2 AS a, EXTRACT(SECOND FROM at) / 2 AS b, (EXTRACT(MINUTE FROM at) - 1) / 4 AS c,
       CAST(EXTRACT(MONTH FROM at) / 2 AS INTEGER) AS d, ROUND(EXTRACT(MONTH FROM at) / 2) AS e, m / 10 AS f,
       CAST(m AS BIGINT) / 10 AS g, EXTRACT(DAY FROM at - TIMESTAMP '2024-12-01 00:00:00') / 7 AS h
FROM (SELECT at, EXTRACT(MONTH FROM at) AS m
      FROM (VALUES (TIMESTAMP '2025-05-05 05:06:07.5'), (TIMESTAMP '2024-11-30 23:59:59')) AS v (at)) AS t

--- parts of intervals
SELECT EXTRACT(SECOND FROM i) AS a, EXTRACT(MILLISECONDS FROM i) AS b, EXTRACT(MICROSECONDS FROM i) AS c,
       EXTRACT(MINUTE FROM i) AS d, EXTRACT(HOUR FROM i) AS e, EXTRACT(DAY FROM i) AS f, EXTRACT(MONTH FROM i) AS g,
       EXTRACT(QUARTER FROM i) AS h, EXTRACT(YEAR FROM i) AS j, EXTRACT(DECADE FROM i) AS k,
       EXTRACT(CENTURY FROM i) AS l, EXTRACT(MILLENNIUM FROM i) AS m, EXTRACT(EPOCH FROM i) AS n,
       date_part('secs', i) AS o
FROM (VALUES (INTERVAL '1 minute 12.25 seconds'), (INTERVAL '2 years 3 months 4 days 1.5 seconds'),
             (INTERVAL '-61.5 seconds'), (INTERVAL '-30 months -40 days 100 hours'), (INTERVAL '59.999999 seconds'),
             (INTERVAL '2025 years 11 months'), (-INTERVAL '1 day 2 hours'), (NULL)) AS t (i)

--- parts of spans
SELECT EXTRACT(DAY FROM a - b) AS a, EXTRACT(HOUR FROM a - b) AS b, EXTRACT(MINUTE FROM a - b) AS c,
       EXTRACT(SECOND FROM a - b) AS d, EXTRACT(EPOCH FROM a - b) AS e, EXTRACT(MONTH FROM a - b) AS f,
       EXTRACT(HOUR FROM COALESCE(a - b, INTERVAL '100 hours')) AS g, EXTRACT(DAY FROM a - b + INTERVAL '1 day') AS h,
       CAST(a - b AS TEXT) AS i
FROM (VALUES (TIMESTAMP '2025-01-03 05:06:07.5', TIMESTAMP '2025-01-01 00:00:00'),
             (TIMESTAMP '2025-01-01 00:00:00', TIMESTAMP '2025-01-03 05:06:07.25'), (NULL, NULL)) AS t (a, b)

--- parts of the longest and the first span
SELECT c.kind, EXTRACT(HOUR FROM MAX(r.responded_at - c.received_at)) AS hours,
       EXTRACT(MINUTE FROM MAX(r.responded_at) - MIN(c.received_at)) AS minutes
FROM responses r JOIN complaints c ON c.complaint = r.complaint GROUP BY c.kind

--- intervals of one length
SELECT INTERVAL '30 days' = INTERVAL '1 month' AS a, INTERVAL '25 hours' > INTERVAL '1 day' AS b,
       INTERVAL '1 year' = INTERVAL '360 days' AS c, INTERVAL '1 day' IN (INTERVAL '24 hours') AS d,
       INTERVAL '1 day' BETWEEN INTERVAL '23 hours' AND INTERVAL '25 hours' AS e,
       CASE INTERVAL '1 day' WHEN INTERVAL '24 hours' THEN 1 ELSE 2 END AS f,
       INTERVAL '1 day' IS DISTINCT FROM INTERVAL '24 hours' AS g

--- intervals in the order of their lengths
SELECT CAST(i AS TEXT) AS text FROM (VALUES (INTERVAL '40 days'), (INTERVAL '1 month'), (INTERVAL '800 hours')) AS t (i)
ORDER BY i

--- multiples of intervals
SELECT CAST(INTERVAL '1 month' * 2.9 AS TEXT) AS a, CAST(INTERVAL '-1 month -1 day' * 0.1 AS TEXT) AS b,
       CAST(0.777 * INTERVAL '2 months 5 days 3 hours' AS TEXT) AS c, CAST(-INTERVAL '1 day 2 hours' AS TEXT) AS d,
       CAST(CAST('5' AS INTERVAL) AS TEXT) AS e, DATE '2025-01-31' + INTERVAL '1 day' * 2 = DATE '2025-02-02' AS f

--- names in templates
SELECT to_char(day, 'DD Month YYYY') AS a, to_char(day, 'FMDay') AS b, to_char(day, 'Day Dy Mon') AS c,
       to_char(day, 'FMDD FMMonth FMYY') AS d
FROM (VALUES (DATE '2005-05-02'), (DATE '2025-09-30')) AS t (day)

--- days and intervals
SELECT CAST(day + INTERVAL '1 month' AS DATE) AS later, CAST(day - INTERVAL '1 year' AS DATE) AS before,
       day - DATE '2024-01-01' AS days, day + 7 AS week_later, CAST(day AS TIMESTAMP) + INTERVAL '36 hours' AS at
FROM (VALUES (DATE '2024-01-31'), (DATE '2024-02-29'), (DATE '2023-12-31')) AS t (day)

--- sets of rows
SELECT unit FROM complaints EXCEPT SELECT unit FROM allegations

--- common rows
SELECT unit FROM complaints INTERSECT SELECT unit FROM allegations

--- texts
SELECT LENGTH('Hải quan') AS a, UPPER('đội') AS b, 'a' || NULL AS c, SUBSTRING('Hải quan' FROM 2 FOR 3) AS d,
       'a_c' LIKE 'a!_c' ESCAPE '!' AS e, 'abc' LIKE 'a!_c' ESCAPE '!' AS f, POSITION('q' IN 'Hải quan') AS g,
       SPLIT_PART('a;b;c', ';', 2) AS h, LEFT('abc', -1) AS i, REPLACE('aaa', 'a', 'b') AS j

--- the first rows
SELECT received_on, COUNT(*) AS n FROM complaints GROUP BY received_on
ORDER BY received_on FETCH FIRST 5 ROWS ONLY

--- the value of the only row
SELECT u.code, (SELECT p.kind FROM units p WHERE p.code = u.parent) AS parent_kind,
       (SELECT q.n FROM (SELECT unit, COUNT(*) AS n FROM complaints GROUP BY unit) q WHERE q.unit = u.code) AS n
FROM units u

--- the value of the first row
SELECT u.code, (SELECT c.received_on FROM complaints c WHERE c.unit = u.code ORDER BY c.received_on DESC LIMIT 1) AS last_on,
       (SELECT c.received_on FROM complaints c WHERE c.unit = u.code AND c.kind = 'CONDUCT' ORDER BY received_on LIMIT 1) AS first_on
FROM units u

--- a value without rows
SELECT (SELECT received_on FROM complaints WHERE complaint = 'none') AS a,
       (SELECT received_on FROM complaints WHERE complaint = 'none') IS NULL AS b,
       COALESCE((SELECT code FROM units WHERE code = 'none'), 'nothing') AS c, (SELECT 1 WHERE false) IS NULL AS d

--- exists as a value
SELECT u.code, EXISTS (SELECT 1 FROM complaints c WHERE c.unit = u.code) AS a,
       CASE WHEN NOT EXISTS (SELECT 1 FROM complaints c WHERE c.unit = u.code AND c.overdue) THEN 'none' ELSE 'some' END AS b,
       EXISTS (SELECT COUNT(*) FROM complaints c WHERE c.unit = u.code) AS c
FROM units u

--- in as a value
SELECT u.code, u.code IN (SELECT unit FROM complaints) AS a, u.parent NOT IN (SELECT unit FROM complaints) AS b,
       u.code NOT IN (SELECT v.parent FROM units v WHERE v.kind = u.kind) AS c, NULL IN (SELECT parent FROM units) AS d,
       'x' IN (SELECT parent FROM units WHERE false) AS e
FROM units u

--- subqueries in aggregates
SELECT kind, COUNT(*) FILTER (WHERE unit IN (SELECT code FROM units WHERE peer_group = 'SEAPORT')) AS a,
       SUM(CASE WHEN EXISTS (SELECT 1 FROM allegations l WHERE l.complaint = c.complaint) THEN 1 ELSE 0 END) AS b,
       SUM((SELECT COUNT(*) FROM responses r WHERE r.complaint = c.complaint)) AS d
FROM complaints c GROUP BY kind

--- not in without a column
SELECT COUNT(*) AS a, (SELECT COUNT(*) FROM units WHERE 'x' NOT IN (SELECT parent FROM units)) AS b,
       (SELECT COUNT(*) FROM units WHERE NOT ('U9' IN (SELECT parent FROM units))) AS c,
       (SELECT COUNT(*) FROM units WHERE 'x' NOT IN (SELECT code FROM units)) AS d
FROM units WHERE (NULL IN (SELECT parent FROM units)) IS NULL

--- not in of the rows that belong to a row
SELECT u.code FROM units u WHERE u.code NOT IN (SELECT v.parent FROM units v WHERE v.kind = u.kind)

--- not in beside or
SELECT a FROM (VALUES (1), (2), (NULL)) AS t (a) WHERE a NOT IN (SELECT b FROM (VALUES (2), (3)) AS v (b)) OR a = 2

--- a number in the number of rows
SELECT u.code FROM units u WHERE 0 IN (SELECT COUNT(*) FROM complaints c WHERE c.unit = u.code)
  OR 1 NOT IN (SELECT COUNT(*) FROM complaints c WHERE c.unit = u.code)

--- lateral aggregates
SELECT u.code, x.n, x.last_on FROM units u
CROSS JOIN LATERAL (SELECT COUNT(*) AS n, MAX(received_on) AS last_on FROM complaints c WHERE c.unit = u.code) x

--- lateral groups
SELECT u.code, x.kind, x.n FROM units u
LEFT JOIN LATERAL (SELECT kind, COUNT(*) AS n FROM complaints c WHERE c.unit = u.code GROUP BY kind HAVING COUNT(*) > 1) x ON true

--- exists with groups
SELECT u.code FROM units u
WHERE EXISTS (SELECT 1 FROM complaints c WHERE c.unit = u.code GROUP BY c.kind HAVING COUNT(*) > 1)

--- a condition on the number of rows
SELECT u.code, (SELECT COUNT(*) FROM complaints c WHERE c.unit = u.code) * 100.0 / (SELECT COUNT(*) FROM complaints) AS share
FROM units u WHERE (SELECT COUNT(*) FROM complaints c WHERE c.unit = u.code) < 3

--- texts of values
SELECT complaint, CAST(received_at AS TEXT) AS a, received_at || '' AS b, CONCAT(received_at, '/', overdue) AS c,
       CAST(delay_hours AS TEXT) AS d, CONCAT_WS('-', delay_hours, received_on, overdue) AS e, CAST(overdue AS TEXT) AS f,
       overdue || '' AS g, LENGTH(CAST(received_at AS TEXT)) AS h, LEFT(CAST(received_at AS TEXT), 13) AS i
FROM complaints

--- conditions on the text of an instant
SELECT COUNT(*) AS n, COUNT(*) FILTER (WHERE CAST(received_at AS TEXT) LIKE '2024-03%') AS a,
       COUNT(*) FILTER (WHERE CAST(received_at AS TEXT) LIKE '% 02:%') AS b FROM complaints

--- texts of doubles
SELECT n, CAST(CAST(n AS DOUBLE PRECISION) AS TEXT) AS a, CAST(CAST(n AS REAL) AS TEXT) AS b
FROM (VALUES ('4'), ('-0.5'), ('1e20'), ('1e15'), ('123456789012345'), ('0.0001'), ('0.00001'), ('1234567'), (NULL)) AS t (n)

--- texts of local times
SELECT CAST(received_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS TEXT) AS a, CAST(date_trunc('day', received_at) AS TEXT) AS b,
       CAST(TIMESTAMP '2025-01-05 10:00:00.5' AS TEXT) AS c FROM complaints

--- replacements
SELECT REGEXP_REPLACE('xabcx', 'b(.)', '[\1]$1') AS a, REGEXP_REPLACE('abc', 'b', '\&\&') AS b,
       REGEXP_REPLACE('aXa', 'x', '-', 'gi') AS c, REGEXP_REPLACE('a$b', '[$]', '$0') AS d

--- regular expressions
SELECT code, name_vi ~ '^[[:upper:]][[:alpha:]]+\y' AS a, name_vi ~* 'HẢI' AS b, name_vi ~ '\mquan\M' AS c,
       name_vi !~ '[[:digit:]]' AS d, SUBSTRING(code FROM '[0-9]+') AS e, SUBSTRING(code FROM '(.).$') AS f
FROM units

--- a point is any character
SELECT ('a' || CHR(10) || 'b') ~ 'a.b' AS a, ('a' || CHR(10) || 'b') ~ '^b' AS b, 'a.b' ~ 'a\.b' AS c, ']' ~ '[]]' AS d

--- decimal digits are rounded
SELECT ROUND(0.285, 2) AS a, ROUND(100.0 * 201 / 20000, 2) AS b, FLOOR(0.29 * 100) AS c, CEIL(0.1 * 3 * 10) AS d,
       TRUNC(0.29 * 100) AS e, ROUND(-1.005, 2) AS f, CEILING(2.1) AS g, CAST(0.29 * 100 + 0.5 AS BIGINT) AS h

--- shares are rounded
SELECT kind, ROUND(COUNT(*) * 100.0 / SUM(COUNT(*)) OVER (), 1) AS share FROM complaints GROUP BY kind

--- rows of numbers
SELECT generate_series(1, 3) AS n, 'a' AS a

--- texts that are written out take the type of their place
SELECT COUNT(*) FILTER (WHERE received_on >= '2024-03-01') AS a, COUNT(*) FILTER (WHERE officers = '1') AS b,
       COUNT(*) FILTER (WHERE overdue = 'f') AS c, COUNT(*) FILTER (WHERE received_at < '2024-06-01 00:00:00+00') AS d
FROM complaints

--- everyday comparisons
SELECT COUNT(*) FILTER (WHERE received_on >= date_trunc('month', DATE '2024-03-15')) AS a,
       COUNT(*) FILTER (WHERE received_on + 7 < COALESCE(answered_on, DATE '2024-12-31')) AS b,
       COUNT(*) FILTER (WHERE answered_on - received_on > 10) AS c,
       COUNT(*) FILTER (WHERE EXTRACT(YEAR FROM received_on) = year) AS d,
       COUNT(*) FILTER (WHERE date_trunc('month', received_on) = month) AS e,
       COUNT(*) FILTER (WHERE CAST(LEFT(CAST(month AS TEXT), 4) AS INTEGER) = year) AS f,
       COUNT(*) FILTER (WHERE COALESCE(delay_hours, 0) > 24.5) AS g,
       COUNT(*) FILTER (WHERE overdue IS NOT TRUE AND NOT COALESCE(blames_system, false)) AS h,
       COUNT(*) FILTER (WHERE received_at BETWEEN '2024-03-01' AND now()) AS i,
       COUNT(*) FILTER (WHERE CAST(received_at AS DATE) <= received_on AND unit IN ('02', '02A')) AS j,
       SUM(CAST(overdue AS INTEGER)) AS k, MAX(GREATEST(received_on, due_on, answered_on)) AS l
FROM complaints

--- numbers of rows that may be none
SELECT u.code, COALESCE(c.n, 0) AS n, NULLIF(COALESCE(c.n, 0), 0) AS some, GREATEST(COALESCE(c.n, 0), 1) AS least,
       CASE WHEN c.n IS NULL THEN 'none' WHEN c.n > 10 THEN 'many' ELSE 'some' END AS size,
       COALESCE(c.last_on, DATE '1900-01-01') AS last_on
FROM units u LEFT JOIN (SELECT unit, COUNT(*) AS n, MAX(received_on) AS last_on FROM complaints GROUP BY unit) c
     ON c.unit = u.code

--- groups and their total
SELECT kind, COUNT(*) AS n, SUM(cost_vnd) AS cost FROM complaints GROUP BY kind
UNION ALL SELECT 'TOTAL', COUNT(*), SUM(cost_vnd) FROM complaints
UNION ALL SELECT NULL AS kind, 0 AS n, NULL AS cost

--- the newest of each unit
SELECT c.unit, COUNT(*) AS n FROM complaints c
WHERE c.received_on = (SELECT MAX(d.received_on) FROM complaints d WHERE d.unit = c.unit) GROUP BY c.unit

--- an outer join within a subquery
SELECT u.code, (SELECT COUNT(*) FROM complaints c LEFT JOIN responses r ON r.complaint = c.complaint
                WHERE c.unit = u.code AND r.complaint IS NULL) AS unanswered,
       (SELECT COALESCE(SUM(c.cost_vnd), 0) FROM complaints c WHERE c.unit = u.code) AS cost
FROM units u

--- groups with alternatives in patterns
SELECT code, SUBSTRING(code FROM '(0|1)[0-9]') AS a, SUBSTRING(name_vi FROM '(?:Cục|Chi cục) ([^ ]+)') AS b FROM units

--- whole numbers of quotients
SELECT n, FLOOR(n / 56.0) AS a, CEIL(-n / 8.0) AS b, ROUND(n / 4.0) AS c, TRUNC(-n / 7.0) AS d
FROM (VALUES (0), (1), (2), (3), (6), (28), (55), (56), (57), (500)) AS t (n)

--- values of one row of an ordered set
SELECT unit, percentile_disc(0.5) WITHIN GROUP (ORDER BY delay_hours) AS half,
       percentile_disc(0.95) WITHIN GROUP (ORDER BY delay_hours DESC) AS few, percentile_disc(0) WITHIN GROUP (ORDER BY cost_vnd) AS least,
       percentile_disc(0.9) WITHIN GROUP (ORDER BY received_on) AS day, CAST(percentile_disc(0.333) WITHIN GROUP (ORDER BY received_at DESC) AS TEXT) AS at,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY kind) AS kind, percentile_disc(0.7) WITHIN GROUP (ORDER BY overdue) AS flag,
       percentile_disc(0.25) WITHIN GROUP (ORDER BY delay_hours) FILTER (WHERE kind = 'CONDUCT') AS of_conduct
FROM complaints GROUP BY unit

--- places of percentiles
SELECT percentile_disc(0.07) WITHIN GROUP (ORDER BY n) AS a, percentile_disc(0.57) WITHIN GROUP (ORDER BY n) AS b,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY n DESC) AS c, percentile_disc(1) WITHIN GROUP (ORDER BY n) AS d,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FILTER (WHERE n > 1000) AS e, percentile_disc(0.001) WITHIN GROUP (ORDER BY -n) AS f,
       ROUND(percentile_disc(0.5) WITHIN GROUP (ORDER BY n + 0.5)) AS g
FROM generate_series(1, 100) AS n

--- most frequent values
SELECT kind, mode() WITHIN GROUP (ORDER BY unit) AS unit, mode() WITHIN GROUP (ORDER BY delay_hours DESC) AS hours,
       mode() WITHIN GROUP (ORDER BY received_on) AS day, mode() WITHIN GROUP (ORDER BY answered_on) FILTER (WHERE overdue) AS answered,
       mode() WITHIN GROUP (ORDER BY officers % 2) AS officers
FROM complaints GROUP BY kind

--- the first of equally frequent values
SELECT mode() WITHIN GROUP (ORDER BY a) AS up, mode() WITHIN GROUP (ORDER BY a DESC) AS down, mode() WITHIN GROUP (ORDER BY b) AS flag,
       mode() WITHIN GROUP (ORDER BY ROUND(n)) AS zero, mode() WITHIN GROUP (ORDER BY CAST(NULL AS INTEGER)) AS none,
       CAST(mode() WITHIN GROUP (ORDER BY c - TIMESTAMP '2025-01-01 00:00:00') AS TEXT) AS span
FROM (VALUES ('b', true, CAST(-0.4 AS DOUBLE PRECISION), TIMESTAMP '2025-01-03 10:00:00'),
             ('a', false, 0.4, TIMESTAMP '2025-01-02 12:30:00'), ('b', NULL, 3, TIMESTAMP '2025-01-02 12:30:00'),
             (NULL, false, 4, NULL), ('a', true, NULL, NULL), (NULL, NULL, 3, NULL), ('c', NULL, 0, NULL)) AS t (a, b, n, c)

--- parts of equal width
SELECT x, width_bucket(x, 0, 10, 5) AS a, width_bucket(x, 10, 0, 5) AS b, width_bucket(CAST(x AS DOUBLE PRECISION), 0, 9.5, 4) AS c,
       width_bucket(x / 100.0, 0, 1, 100) AS d, width_bucket(CAST(x AS NUMERIC(5, 1)), -2.5, 2.5, 10) AS e
FROM generate_series(-2, 13) AS x

--- parts of equal width are exact for numerics
SELECT width_bucket(0.29, 0, 1, 100) AS a, width_bucket(5.35, 0.024, 10.06, 5) AS b, width_bucket(EXTRACT(HOUR FROM at), 0, 24, 24) AS c,
       width_bucket(NULL, 0, 10, 5) AS d, width_bucket(0.1 + 0.2, 0.3, 0.6, 3) AS e
FROM (VALUES (TIMESTAMP '2025-01-05 07:00:00'), (TIMESTAMP '2025-01-05 23:59:59')) AS t (at)

--- hours of delay in parts
SELECT width_bucket(delay_hours, 0, 240, 7) AS part, COUNT(*) AS n FROM complaints GROUP BY 1

--- times of their parts
SELECT y, make_timestamp(y, 2, 28, 23, 59, 60) AS a, CAST(make_timestamp(y, 1, 31, 8, 5, 7.25) AS TEXT) AS b,
       make_timestamp(y, 12, 31, 24, 0, 0) = DATE '2026-01-01' AS c, make_date(y, 12, 31) AS d,
       CAST(make_timestamp(y, 1, 1, 7, 0, 0) AT TIME ZONE 'Asia/Ho_Chi_Minh' AS TEXT) AS e, make_timestamp(NULL, 1, 1, 7, 0, 0) AS f
FROM (VALUES (2024), (2025)) AS t (y)

--- the local time
SELECT localtimestamp = LOCALTIMESTAMP AS same, localtimestamp > TIMESTAMP '2025-01-05 10:00' AS later

--- long periods of time
SELECT date_trunc('decade', at) AS decade, date_trunc('century', at) AS century, CAST(date_trunc('DECADE', CAST(at AS TIMESTAMPTZ)) AS TEXT) AS instant,
       CAST(date_trunc('decade', CAST(at AS TIMESTAMPTZ), 'Asia/Ho_Chi_Minh') AS TEXT) AS in_zone
FROM (VALUES (TIMESTAMP '2019-12-31 23:00:00'), (TIMESTAMP '2000-12-31 10:00'), (TIMESTAMP '2001-01-01 00:00:00'), (NULL)) AS t (at)

--- complaints of decades
SELECT date_trunc('decade', received_at AT TIME ZONE 'Asia/Ho_Chi_Minh') AS decade, COUNT(*) AS n FROM complaints GROUP BY 1

--- columns of series
SELECT a, n.n AS b, u.code FROM generate_series(1, 3) AS n CROSS JOIN generate_series(2, 0, -1) AS a
JOIN (VALUES (1, 'x'), (3, 'y')) AS u (place, code) ON u.place = n

--- bounds in either order
SELECT n, n BETWEEN SYMMETRIC 3 AND 1 AS a, n NOT BETWEEN SYMMETRIC 3 AND n - 1 AS b, n BETWEEN SYMMETRIC NULL AND 2 AS c,
       n BETWEEN ASYMMETRIC 3 AND 1 AS d
FROM generate_series(0, 5) AS n WHERE n BETWEEN SYMMETRIC 4 + 0 AND 0 AND n <> 3

--- spans that overlap
SELECT a, b, c, d, (a, b) OVERLAPS (c, d) AS days, (CAST(a AS TIMESTAMP), INTERVAL '1 month') OVERLAPS (c, d) AS lengths,
       NOT ((a, b) OVERLAPS (TIMESTAMP '2025-01-20 10:00', d)) AS times,
       (CAST(a AS TIMESTAMPTZ), CAST(b AS TIMESTAMPTZ)) OVERLAPS (CAST(c AS TIMESTAMPTZ), INTERVAL '36 hours') AS instants
FROM (VALUES (DATE '2025-01-01', DATE '2025-01-31', DATE '2025-01-31', DATE '2025-02-05'),
             (DATE '2025-01-31', DATE '2025-01-01', DATE '2025-01-30', DATE '2025-02-05'),
             (DATE '2025-01-31', DATE '2025-01-31', DATE '2025-01-31', DATE '2025-01-31'),
             (DATE '2025-01-01', NULL, DATE '2025-01-31', DATE '2025-01-02'), (NULL, NULL, DATE '2025-01-31', DATE '2025-01-02'),
             (DATE '2025-01-05', NULL, DATE '2025-01-31', DATE '2025-01-02')) AS t (a, b, c, d)
