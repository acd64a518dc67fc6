//! Questions that tools ask the catalog in PostgreSQL's own ways, such as those of psql's `\d`, rewritten as the engine
//! can answer them.
//!
//! Only such questions are rewritten: some rules take the first row of a subquery where PostgreSQL would refuse
//! several, which must not happen to the numbers of an analyst.

use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use std::sync::LazyLock;

/// What occurs in the text of a question to the catalog.
const WORDS: [&str; 8] = [
    "pg_catalog",
    "pg_",
    "information_schema",
    "::reg",
    "current_schema",
    "current_database",
    "current_setting",
    "session_user",
];

/// The statements of a question to the catalog, rewritten; None for another question.
///
/// The text has to be checked for its size and depth before: the rules walk the statement recursively.
///
/// # Errors
/// When the text is no SQL. The error has no position, because the rewritten tokens have none.
pub fn parse(text: &str) -> Result<Option<Vec<Statement>>, ParserError> {
    static PARSER: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);
    match asks_catalog(text) {
        true => PARSER.parse(text).map(Some),
        false => Ok(None),
    }
}

fn asks_catalog(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word)) || is_about_session(&text)
}

/// Whether a question is only about the session, such as `SELECT version()` or `SELECT current_user`.
fn is_about_session(text: &str) -> bool {
    let no_table = !text.split_whitespace().any(|word| word == "from");
    no_table && ["version()", "current_user", "current_catalog"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_to_the_catalog_alone_are_rewritten() {
        for text in [
            "SELECT c.oid FROM pg_catalog.pg_class c",
            "SELECT 'complaints'::regclass",
            "select version()",
            "SELECT table_name FROM information_schema.tables",
        ] {
            assert_eq!(parse(text).unwrap().map(|statements| statements.len()), Some(1), "{text}");
        }
        for text in ["SELECT kind, COUNT(*) FROM complaints GROUP BY kind", "SELECT (SELECT unit FROM complaints)"] {
            assert!(parse(text).unwrap().is_none(), "{text}");
        }
        assert!(parse("SELECT FROM FROM pg_class").is_err());
    }
}
