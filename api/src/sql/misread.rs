//! Advises what to write for clauses that engines take for something else than they say. The engine of the register
//! finds them in its syntax tree, and [`crate::cluster`] in the tokens of a text.

pub const SIMILAR: &str = "SIMILAR TO is not supported: write LIKE, or ~ with a regular expression";
pub const SETS: &str =
    "EXCEPT ALL and INTERSECT ALL are not supported: leave ALL out, or number equal rows by row_number()";
pub const JOINS: &str = "RIGHT and FULL JOIN take no USING and no NATURAL: write ON, and COALESCE of both columns";
pub const SAMPLE: &str = "TABLESAMPLE is not supported: write WHERE random() < 0.1";
pub const QUANTIFIED: &str = "ANY and ALL take no subquery: write IN, EXISTS, or a comparison with MIN or MAX";
pub const UNKNOWN: &str = "NOT IN (SELECT …) beside OR, and IN (SELECT …) within NOT or as a value, would take null \
                           for false: write EXISTS (SELECT 1 FROM … WHERE …)";
pub const SERIES: &str = "generate_series is alone in its column: write SELECT n + 1 AS n FROM generate_series(1, 3) \
                          AS t (n) to compute with its numbers";
pub const CORRELATED_WINDOW: &str = "a window in a subquery that compares with columns outside of it would take the \
                                     rows of all: write a join with a subquery whose window has PARTITION BY";
pub const CORRELATED_GROUPS: &str = "HAVING, DISTINCT, ROLLUP and constants beside an aggregate in a subquery that \
                                     compares with columns outside of it would take the rows of all: write a LEFT \
                                     JOIN with a subquery that has GROUP BY";
pub const CORRELATED_LIMIT: &str = "LIMIT and OFFSET in a subquery that compares with columns outside of it would \
                                    count the rows of all: write a join with a subquery that has row_number() OVER \
                                    (PARTITION BY … ORDER BY …)";
pub const CORRELATED_DISTINCT: &str = "DISTINCT ON in a subquery that compares with columns outside of it would take \
                                       the rows of all: write a join with a subquery that has row_number() OVER \
                                       (PARTITION BY … ORDER BY …)";
pub const CORRELATED_ROWS: &str = "an outer join or a recursive query in a subquery that compares with columns \
                                   outside of it would have other rows: write a join with a subquery of its own";
/// Functions of intervals that engines have not, each with what to write instead.
pub const OF_INTERVALS: [(&str, &str); 5] = [
    ("age", "age is not supported: write a - b, the difference of two times, and EXTRACT(EPOCH FROM a - b)"),
    ("justify_days", "justify_days is not supported: EXTRACT(EPOCH FROM …) has all seconds of an interval"),
    ("justify_hours", "justify_hours is not supported: EXTRACT(EPOCH FROM …) has all seconds of an interval"),
    ("justify_interval", "justify_interval is not supported: EXTRACT(EPOCH FROM …) has all seconds of an interval"),
    ("make_interval", "make_interval is not supported: write INTERVAL '1 day' * n"),
];
pub const FRACTION_OF_FIELD: &str =
    "INTERVAL '1.5' HOUR is one hour in PostgreSQL, without a fraction: write INTERVAL '1.5 hours'";
