//! Reads the text of a question, and refuses everything but one statement that reads.

use super::compatibility;
use datafusion::error::DataFusionError;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::VecDeque;

/// The longest text, in bytes.
const LONGEST: usize = 64 * 1024;
/// Most tokens of a text. Each may be a level of the syntax tree (`1+1+1…`, `UNION SELECT 1 UNION …`).
const MOST_TOKENS: usize = 5_000;
/// Most levels of brackets and subqueries.
const MOST_LEVELS: usize = 200;

/// Parses a text.
///
/// # Errors
/// When it is too long, no SQL (with line and column), or anything but one statement that reads.
pub fn parse(text: &str) -> Result<Statement, DataFusionError> {
    let refused = |message: String| Err(DataFusionError::Plan(message));
    if text.len() > LONGEST {
        return refused(format!("the query has {} bytes: at most {LONGEST} are allowed", text.len()));
    }
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize();
    let tokens = tokens.map_err(|e| DataFusionError::Plan(format!("the query cannot be read: {e}")))?;
    let number = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).count();
    if number > MOST_TOKENS {
        return refused(format!("the query has {number} tokens: at most {MOST_TOKENS} are allowed"));
    }
    let of_catalog = compatibility::parse(text).map_err(|e| DataFusionError::SQL(Box::new(e), None))?;
    let mut statements: VecDeque<Statement> = match of_catalog {
        Some(rewritten) => rewritten.into_iter().map(|one| Statement::Statement(Box::new(one))).collect(),
        None => {
            let parser = DFParserBuilder::new(text).with_dialect(&dialect).with_recursion_limit(MOST_LEVELS).build();
            parser?.parse_statements()?
        }
    };
    let (Some(statement), true) = (statements.pop_front(), statements.is_empty()) else {
        return refused("write one SELECT, not several statements and not none".into());
    };
    match reads(&statement) {
        true => Ok(statement),
        false => {
            refused("only SELECT, EXPLAIN, SHOW TABLES and SHOW COLUMNS are allowed: queries change nothing".into())
        }
    }
}

/// Whether a statement only reads. What stands within a SELECT is checked in its plan.
fn reads(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => match statement.as_ref() {
            SqlStatement::Query(_)
            | SqlStatement::ShowTables { .. }
            | SqlStatement::ShowColumns { .. }
            | SqlStatement::ExplainTable { .. } => true,
            SqlStatement::Explain { statement, .. } => matches!(statement.as_ref(), SqlStatement::Query(_)),
            _ => false,
        },
        Statement::Explain(explained) => match explained.statement.as_ref() {
            Statement::Statement(statement) => matches!(statement.as_ref(), SqlStatement::Query(_)),
            _ => false,
        },
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_single_statement_that_reads_is_refused() {
        for text in [
            "",
            ";",
            "SELECT 1; SELECT 2",
            "DROP TABLE complaints",
            "CREATE TABLE t AS SELECT * FROM complaints",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "CREATE FUNCTION f() RETURNS INT RETURN 1",
            "COPY complaints TO '/tmp/x.csv'",
            "COPY (SELECT 1) TO '/tmp/x.csv'",
            "DELETE FROM complaints",
            "INSERT INTO t VALUES (1)",
            "UPDATE t SET a = 1",
            "SET datafusion.execution.batch_size = 1",
            "RESET datafusion.execution.batch_size",
            "SHOW ALL",
            "SHOW datafusion.execution.batch_size",
            "PREPARE p AS SELECT 1",
            "EXECUTE p",
            "BEGIN",
            "EXPLAIN COPY complaints TO '/tmp/x.csv'",
            "EXPLAIN DELETE FROM complaints",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        for text in ["SELECT 1;", "SHOW TABLES", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1", "VALUES (1)"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        let deep = format!("SELECT {}1{}", "(".repeat(2_000), ")".repeat(2_000));
        assert!(parse(&deep).is_err());
        assert!(parse(&format!("SELECT {}1", "1+".repeat(5_000))).is_err());
    }
}
