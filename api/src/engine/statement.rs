//! Reads the text of a question, and refuses everything but one statement that reads.

use super::{compatibility, forms, lacking, misread, symmetric, synonyms};
use datafusion::error::DataFusionError;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{ObjectNamePart, Statement as SqlStatement, visit_relations};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use jobs::tables::table;
use std::collections::VecDeque;
use std::ops::ControlFlow;

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
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location();
    let mut tokens = tokens.map_err(|e| DataFusionError::Plan(format!("the query cannot be read: {e}")))?;
    let number = tokens.iter().filter(|one| !matches!(one.token, Token::Whitespace(_))).count();
    if number > MOST_TOKENS {
        return refused(format!("the query has {number} tokens: at most {MOST_TOKENS} are allowed"));
    }
    symmetric::mark(&mut tokens)?;
    let parser = DFParserBuilder::new(tokens).with_dialect(&dialect).with_recursion_limit(MOST_LEVELS).build();
    let written = parser.and_then(|mut parser| parser.parse_statements());
    // A rewritten question may give another answer, which must not happen to the numbers of an analyst.
    let is_of_analyst = written.as_ref().is_ok_and(|statements| statements.iter().any(reads_tables));
    let of_catalog = if is_of_analyst { None } else { compatibility::parse(text).transpose() };
    let mut statements: VecDeque<Statement> = match of_catalog {
        Some(rewritten) => {
            let rewritten = rewritten.map_err(|e| DataFusionError::SQL(Box::new(e), None))?;
            rewritten.into_iter().map(|one| Statement::Statement(Box::new(one))).collect()
        }
        None => {
            let mut written = written?;
            written.iter().try_for_each(misread::in_text)?;
            written.iter().try_for_each(lacking::in_text)?;
            written.iter().try_for_each(symmetric::in_text)?;
            written.iter_mut().for_each(synonyms::replace);
            written.iter_mut().for_each(forms::replace);
            written
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

/// Whether a statement reads a table of analysts.
fn reads_tables(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => visit_relations(statement.as_ref(), |name| {
            let last = name.0.last().and_then(ObjectNamePart::as_ident);
            match last.is_some_and(|last| table(&last.value.to_lowercase()).is_some()) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
        .is_break(),
        Statement::Explain(explained) => reads_tables(&explained.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

/// Whether a statement only reads. The plan check covers what a SELECT contains.
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
    fn the_question_of_an_analyst_is_not_rewritten() {
        // The rules for the catalog would put NULL in the place of this subquery.
        let text = "SELECT (SELECT COUNT(*) FROM complaints c WHERE c.unit = u.code) AS n FROM units AS u";
        for more in ["", " -- pg_dump", " WHERE u.code <> 'pg_class'"] {
            let parsed = parse(&format!("{text}{more}")).unwrap().to_string();
            assert!(parsed.contains("(SELECT COUNT(*) FROM complaints"), "{more}: {parsed}");
            let explained = parse(&format!("EXPLAIN {text}{more}")).unwrap().to_string();
            assert!(explained.contains("(SELECT COUNT(*) FROM complaints"), "{more}: {explained}");
        }
        assert!(
            parse("SELECT 'complaints'::regclass").unwrap().to_string().contains("to_regclass"),
            "it is one to the catalog"
        );
    }

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
