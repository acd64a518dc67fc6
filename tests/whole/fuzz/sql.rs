//! Random SQL: by a grammar over the tables, and the questions of `sql/questions.sql` with changes.

use super::{DEADLINE, Fuzzer, Target};
use crate::sql::questions::questions;
use jobs::tables::{ColumnType, TABLES, Table};
use rand::RngExt;
use rand::seq::IndexedRandom;
use serde_json::json;
use std::time::{Duration, Instant};
use tests::Database;

/// How long after its deadline a question may be answered: an engine that does not stop is killed, and the next one is
/// given the tables.
const LATE: Duration = Duration::from_secs(2);
/// Most levels of subqueries and expressions.
const LEVELS: u32 = 4;

const SCALAR: [&str; 24] = [
    "abs",
    "round",
    "length",
    "upper",
    "lower",
    "reverse",
    "coalesce",
    "nullif",
    "greatest",
    "date_trunc",
    "date_part",
    "substr",
    "repeat",
    "lpad",
    "split_part",
    "regexp_replace",
    "concat",
    "power",
    "to_char",
    "array_length",
    "arrow_typeof",
    "make_array",
    "translate",
    "md5",
];
const AGGREGATE: [&str; 14] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "array_agg",
    "string_agg",
    "median",
    "stddev",
    "corr",
    "bool_and",
    "approx_distinct",
    "first_value",
    "bit_xor",
];
const WINDOW: [&str; 8] = ["row_number", "rank", "dense_rank", "lag", "lead", "ntile", "first_value", "percent_rank"];
const FRAMES: [&str; 6] = [
    "",
    "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
    "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "ROWS BETWEEN 5 FOLLOWING AND 1 PRECEDING",
];
const LITERALS: [&str; 22] = [
    "NULL",
    "TRUE",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "1e308",
    "0.1",
    "''",
    "'x'",
    "'02'",
    "'đội'",
    "'%_\\'",
    "DATE '2024-02-29'",
    "INTERVAL '1 month'",
    "TIMESTAMP '2024-01-01 00:00:00+07:00'",
    "$1",
    "[1, 2]",
    "'NaN'::DOUBLE",
    "CAST('7' AS NUMERIC(38, 10))",
    "X'00'",
    "ARRAY[NULL]",
];
const OPERATORS: [&str; 20] = [
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "<>",
    "<",
    ">=",
    "AND",
    "OR",
    "||",
    "LIKE",
    "ILIKE",
    "~",
    "IS DISTINCT FROM",
    "&",
    "<<",
    "^",
    "->",
];
const TYPES: [&str; 9] =
    ["BIGINT", "INTEGER", "DOUBLE PRECISION", "NUMERIC(38, 10)", "TEXT", "DATE", "TIMESTAMPTZ", "BOOLEAN", "BYTEA"];

impl Fuzzer {
    fn table(&mut self) -> &'static Table {
        TABLES.choose(&mut self.random).copied().expect("a table")
    }

    fn column(&mut self, table: &'static Table) -> &'static str {
        let texts = self.one_in(3);
        let fits = |of: ColumnType| !texts || matches!(of, ColumnType::Text);
        let all: Vec<&'static str> = table.columns.iter().filter(|one| fits(one.of)).map(|one| one.name).collect();
        all.choose(&mut self.random).copied().unwrap_or("complaint")
    }

    fn sql_expression(&mut self, table: &'static Table, level: u32) -> String {
        if level >= LEVELS {
            return if self.one_in(3) { self.choose(&LITERALS).to_owned() } else { self.column(table).to_owned() };
        }
        let below = level + 1;
        match self.random.random_range(0..11) {
            0 | 1 => self.choose(&LITERALS).to_owned(),
            2 | 3 => self.column(table).to_owned(),
            4 => {
                let (left, right) = (self.sql_expression(table, below), self.sql_expression(table, below));
                format!("({left} {} {right})", self.choose(&OPERATORS))
            }
            5 => {
                let (first, second) = (self.sql_expression(table, below), self.sql_expression(table, below));
                let name = self.choose(&SCALAR);
                if self.one_in(2) { format!("{name}({first})") } else { format!("{name}({first}, {second})") }
            }
            6 => {
                let of = self.sql_expression(table, below);
                format!("CAST({of} AS {})", self.choose(&TYPES))
            }
            7 => {
                let (when, then) = (self.sql_expression(table, below), self.sql_expression(table, below));
                format!("CASE WHEN {when} THEN {then} ELSE {} END", self.sql_expression(table, below))
            }
            8 => {
                let of = self.sql_expression(table, below);
                format!(
                    "{of} {}",
                    self.choose(&["IS NULL", "IS NOT NULL", "BETWEEN 1 AND 2", "IN (1, NULL)", "= ANY ([1])"])
                )
            }
            9 => {
                let inner = self.sql_query(below);
                self.choose(&["({})", "EXISTS ({})", "1 IN ({})", "NOT EXISTS ({})"]).replace("{}", &inner)
            }
            _ => {
                let of = self.sql_expression(table, below);
                let aggregate = self.choose(&AGGREGATE);
                let distinct = if self.one_in(4) { "DISTINCT " } else { "" };
                match self.random.random_range(0..4) {
                    0 => {
                        let order = self.column(table);
                        let frame = self.choose(&FRAMES);
                        format!("{}({of}) OVER (PARTITION BY {of} ORDER BY {order} {frame})", self.choose(&WINDOW))
                    }
                    1 => format!(
                        "{aggregate}({distinct}{of}) OVER (ORDER BY {} {})",
                        self.column(table),
                        self.choose(&FRAMES)
                    ),
                    2 => format!("{aggregate}({distinct}{of}) FILTER (WHERE {} IS NULL)", self.column(table)),
                    _ => format!("{aggregate}({distinct}{of})"),
                }
            }
        }
    }

    fn sql_query(&mut self, level: u32) -> String {
        let table = self.table();
        let selected: Vec<String> = (0..self.random.random_range(1..4))
            .map(|n| format!("{} AS c{n}", self.sql_expression(table, level + 1)))
            .collect();
        let mut text = format!("SELECT {} FROM {} t", selected.join(", "), table.name);
        if self.one_in(3) {
            let other = self.table();
            let kind = self.choose(&["JOIN", "LEFT JOIN", "FULL JOIN", "CROSS JOIN", "NATURAL JOIN"]);
            let on = if kind.starts_with("CROSS") || kind.starts_with("NATURAL") {
                String::new()
            } else {
                format!(" ON t.{} = u.{}", self.column(table), self.column(other))
            };
            text += &format!(" {kind} {} u{on}", other.name);
        }
        if self.one_in(2) {
            text += &format!(" WHERE {}", self.sql_expression(table, level + 1));
        }
        if self.one_in(3) {
            let by = self.column(table);
            let form = self.choose(&["{}", "ROLLUP ({})", "CUBE ({}, 1)", "GROUPING SETS (({}), ())", "1", "ALL"]);
            text += &format!(" GROUP BY {}", form.replace("{}", by));
        }
        if self.one_in(6) {
            text += &format!(" HAVING {}", self.sql_expression(table, level + 1));
        }
        if level < 2 && self.one_in(5) {
            let both = self.choose(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]);
            text += &format!(" {both} {}", self.sql_query(level + 1));
        }
        if level == 0 && self.one_in(5) {
            text = format!("WITH RECURSIVE t AS ({text}) SELECT * FROM t");
        }
        if self.one_in(3) {
            text += self.choose(&[
                " ORDER BY 1",
                " ORDER BY 1 DESC NULLS FIRST LIMIT 3",
                " LIMIT 0",
                " OFFSET 5",
                " ORDER BY 99",
            ]);
        }
        text
    }

    /// A text with some tokens taken away, doubled, exchanged or replaced.
    fn changed(&mut self, text: &str) -> String {
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        for _ in 0..self.random.random_range(1..4) {
            let (one, other) = (self.random.random_range(0..words.len()), self.random.random_range(0..words.len()));
            match self.random.random_range(0..6) {
                0 if words.len() > 1 => drop(words.remove(one)),
                1 => words.insert(one, words[other].clone()),
                2 => words.swap(one, other),
                3 => words[one] = self.choose(&LITERALS).to_owned(),
                4 => words[one] = format!("{}({})", self.choose(&SCALAR), words[one]),
                _ => words[one] = self.text(),
            }
        }
        words.join(" ")
    }
}

#[test]
fn random_sql() {
    let mut fuzzer = Fuzzer::new("random_sql");
    let target = Target::new(Database::sqlite());
    let token = target.tokens[2].clone();
    let bearer = format!("Bearer {token}");
    let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
    let questions = questions();
    let (mut asked, mut answered) = (0, 0);
    while fuzzer.goes_on() || answered <= 10 && asked < super::ENOUGH {
        asked += 1;
        let sql = match fuzzer.random.random_range(0..3) {
            0 => fuzzer.sql_query(0),
            1 => {
                let question = questions.choose(&mut fuzzer.random).expect("a question");
                fuzzer.changed(&question.text)
            }
            _ => {
                let made = fuzzer.sql_query(0);
                fuzzer.changed(&made)
            }
        };
        let parameters = if sql.contains("$1") && !fuzzer.one_in(4) { json!(["x"]) } else { json!([]) };
        let body = json!({ "query": sql, "parameters": parameters }).to_string();
        let began = Instant::now();
        let answer = target.server.send("POST", "/sql", &headers, &body);
        let took = began.elapsed();
        // 504 is a deadline that was kept, 429 an engine that just ended and starts again.
        assert!(answer.status < 500 || answer.status == 504, "{body}: {answer:?}");
        assert!(!answer.text.contains("INTERNAL_SERVER_ERROR"), "{body}: {answer:?}");
        assert!(!fuzzer.is_long || took <= DEADLINE + LATE, "{body}: after {took:?}");
        answered += u32::from(answer.status == 200);
    }
    assert!(answered > 10, "{answered} of {asked} questions have an answer");
    let last = json!({ "query": "SELECT COUNT(*) AS n FROM complaints" }).to_string();
    tests::wait_until(30, "the last question", || target.server.send("POST", "/sql", &headers, &last).status == 200);
    target.ends_well(&fuzzer);
}
