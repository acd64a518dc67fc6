//! Parses a query and refuses everything but one SELECT over tables.

use sqlparser::ast::{
    Query, Select, SelectItem, SetExpr, Statement, TableFactor, Visit, Visitor, WildcardAdditionalOptions,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserOptions};
use sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Why a query is refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SQL: {0}")]
pub struct SqlError(pub String);

/// A checked query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedQuery {
    pub sql: String,
    /// All its words in lower case: tables and columns that it does not name need not be loaded.
    words: BTreeSet<String>,
    /// Whether it may use columns that it does not name.
    everything: bool,
}

impl CheckedQuery {
    /// Whether the query contains a word, as the name of a table or column.
    pub fn names(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// Whether the query may use a column.
    pub fn may_need(&self, column: &str) -> bool {
        self.everything || self.names(column)
    }
}

/// The longest query, in bytes.
const LONGEST: usize = 64 * 1024;
/// Most tokens of a query. Each may be a level of the syntax tree (`1+1+1…`, `UNION SELECT 1 UNION …`).
const MOST_TOKENS: usize = 5_000;
/// Stack size in bytes of the parsing thread: parsing, visiting and dropping the tree recurse once for each level.
const STACK: usize = 64 * 1024 * 1024;

/// Parses and checks a query.
///
/// # Errors
/// When it is not valid SQL (with line and column), too long, or anything but one SELECT over tables.
pub fn check(sql: &str) -> Result<CheckedQuery, SqlError> {
    if sql.len() > LONGEST {
        return Err(SqlError(format!("the query has {} bytes: at most {LONGEST} are allowed", sql.len())));
    }
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().map_err(|e| SqlError(e.to_string()))?;
    let number = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).count();
    if number > MOST_TOKENS {
        return Err(SqlError(format!("the query has {number} tokens: at most {MOST_TOKENS} are allowed")));
    }
    let words: BTreeSet<String> = tokens
        .into_iter()
        .filter_map(|token| match token {
            Token::Word(word) => Some(word.value.to_lowercase()),
            _ => None,
        })
        .collect();
    let wildcard = std::thread::scope(|scope| {
        let reading = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || names_everything(sql));
        let read = reading.map_err(|e| SqlError(format!("the query cannot be parsed now: {e}")))?.join();
        read.unwrap_or_else(|_| Err(SqlError("the query cannot be parsed: write it in another way".into())))
    })?;
    // NATURAL JOIN and COLUMNS(…) use columns without naming them.
    let everything = wildcard || words.contains("natural") || words.contains("columns");
    Ok(CheckedQuery { sql: sql.to_owned(), words, everything })
}

/// Parses a query and checks that it only reads. Returns whether it selects columns by a wildcard.
fn names_everything(sql: &str) -> Result<bool, SqlError> {
    let dialect = GenericDialect {};
    let options = ParserOptions { trailing_commas: true, ..ParserOptions::default() };
    let parsed = Parser::new(&dialect).with_options(options).try_with_sql(sql).and_then(|mut p| p.parse_statements());
    let statements = parsed.map_err(|e| SqlError(e.to_string()))?;
    let [statement] = statements.as_slice() else {
        return Err(SqlError(format!("write one SELECT, not {} statements", statements.len())));
    };
    let mut walk = Walk::default();
    if let ControlFlow::Break(refused) = statement.visit(&mut walk) {
        return Err(SqlError(refused.into()));
    }
    Ok(walk.wildcard)
}

#[derive(Default)]
struct Walk {
    wildcard: bool,
}

fn refused(why: impl Into<String>) -> ControlFlow<Box<str>> {
    ControlFlow::Break(why.into().into_boxed_str())
}

impl Visitor for Walk {
    type Break = Box<str>;

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<Box<str>> {
        match statement {
            Statement::Query(_) => ControlFlow::Continue(()),
            _ => refused("only SELECT is allowed: queries cannot change data"),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Box<str>> {
        if !is_read(&query.body) {
            return refused("only SELECT is allowed: queries cannot change data");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Box<str>> {
        if select.into.is_some() {
            return refused("SELECT … INTO is not allowed: queries cannot change data");
        }
        let is_wildcard = |item: &SelectItem| {
            matches!(item, SelectItem::Wildcard(WildcardAdditionalOptions { .. }) | SelectItem::QualifiedWildcard(..))
        };
        self.wildcard |= select.projection.iter().any(is_wildcard);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Box<str>> {
        match factor {
            TableFactor::Table { name, args: None, .. } if name.0.len() == 1 => ControlFlow::Continue(()),
            TableFactor::Table { name, .. } => {
                refused(format!("{name} is not a table: use one of {}", super::TABLES.map(|t| t.0).join(", ")))
            }
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => ControlFlow::Continue(()),
            other => refused(format!("{other}: only tables, subqueries and joins are allowed after FROM")),
        }
    }
}

fn is_read(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::Values(_) => true,
        SetExpr::SetOperation { left, right, .. } => is_read(left) && is_read(right),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_single_select_is_refused() {
        for sql in [
            "",
            "SELECT",
            "SELECT 1; SELECT 2",
            "DROP TABLE complaints",
            "CREATE TABLE t AS SELECT * FROM complaints",
            "DELETE FROM complaints",
            "SHOW TABLES",
            "EXPLAIN SELECT 1",
            "INSERT INTO t VALUES (1)",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_parquet('x')",
            "SELECT * FROM (SELECT * FROM READ_CSV('/etc/passwd')) AS t",
            "WITH t AS (SELECT * FROM read_json('x')) SELECT * FROM t",
            "SELECT (SELECT max(a) FROM read_ipc('x'))",
            "SELECT * FROM complaints WHERE unit IN (SELECT unit FROM read_csv('x'))",
            "SELECT * FROM TABLE(read_csv('x'))",
            "SELECT * FROM a.b",
            "SELECT * INTO t FROM complaints",
        ] {
            assert!(check(sql).is_err(), "{sql}");
        }
        let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(check(&deep).is_err(), "brackets without end");
    }

    #[test]
    fn a_deep_question_is_read_or_refused_and_never_ends_the_process() {
        // The spawned thread has the default stack, like those that serve requests.
        for (part, times) in [("1+", 20_000), ("1+", 2_400), ("NOT ", 2_400), ("- ", 2_400), ("SELECT 1 UNION ", 1_600)]
        {
            let sql = if part.starts_with("SELECT") {
                format!("{}SELECT 1", part.repeat(times))
            } else {
                format!("SELECT {}1", part.repeat(times))
            };
            let read = std::thread::spawn(move || check(&sql)).join().expect("it does not panic");
            assert!(times < 20_000 || read.is_err(), "{part}");
        }
    }

    #[test]
    fn what_is_named_is_known() {
        let query = check("SELECT c.\"Unit\", COUNT(*) FROM complaints c GROUP BY 1").expect("a question");
        assert!(query.names("complaints") && query.may_need("unit") && !query.may_need("state"));
        for sql in ["SELECT * FROM complaints", "SELECT a.* FROM complaints a", "SELECT COLUMNS('.*') FROM complaints"]
        {
            assert!(check(sql).expect(sql).may_need("state"), "{sql}");
        }
    }
}
