//! Errors as PostgreSQL's clients know them: with SQLSTATE, and the position in the text where it is known.

use crate::sql::QueryError;
use pgwire::error::{ErrorInfo, PgWireError};

/// An error after which the session continues.
pub fn error(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message.into())))
}

/// An error that ends the session.
pub fn fatal(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new("FATAL".to_owned(), code.to_owned(), message.into())))
}

/// Adds a hint.
pub fn with_hint(failure: PgWireError, hint: impl Into<String>) -> PgWireError {
    match failure {
        PgWireError::UserError(mut info) => {
            info.hint = Some(hint.into());
            PgWireError::UserError(info)
        }
        other => other,
    }
}

/// The end of a question that a cancel request stopped.
pub fn cancelled() -> PgWireError {
    error("57014", "canceling statement due to user request")
}

/// The error of a question. `text` is the question, in which the error has its position.
pub fn of_query(failure: QueryError, text: &str) -> PgWireError {
    match failure {
        QueryError::Sql(message) => of_sql(message, text),
        QueryError::Timeout(_) => error("57014", format!("canceling statement due to statement timeout: {failure}")),
        QueryError::Cancelled => cancelled(),
        QueryError::Broken(_) => error("53200", failure.to_string()),
        QueryError::NoEngine(_) | QueryError::Cluster(_) => error("58000", failure.to_string()),
        QueryError::Engine(message) => {
            tracing::error!(message, "the SQL engine failed");
            error("XX000", "the query failed; the server's log says why")
        }
    }
}

/// Parts of the engine's messages, and the SQLSTATE that they mean. The first that occurs decides.
const CODES: &[(&str, &str)] = &[
    ("resources exhausted", "53200"),
    ("ddl not supported", "42501"),
    ("dml not supported", "42501"),
    ("statement not supported", "42501"),
    ("are allowed: queries change nothing", "42501"),
    (" mb: ask for fewer rows or groups", "53200"),
    ("the answer has more than", "54000"),
    ("the query cannot be read", "42601"),
    ("write one select", "42601"),
    ("are allowed", "54001"),
    ("sql parser error", "42601"),
    ("parsererror", "42601"),
    ("tokenizererror", "42601"),
    ("invalid function", "42883"),
    ("no function matches", "42883"),
    ("failed to coerce arguments", "42883"),
    ("ambiguous reference", "42702"),
    ("no field named", "42703"),
    ("divide by zero", "22012"),
    ("division by zero", "22012"),
    ("overflow", "22003"),
    ("do not compare: cast one of them", "42804"),
    ("more than one row returned by a subquery", "21000"),
    ("compares with columns outside", "0A000"),
    ("ends with its escape character", "22025"),
    ("error parsing timestamp", "22007"),
    ("no value found for placeholder", "08P01"),
    ("placeholder", "42P18"),
    ("cast error", "22P02"),
    ("cannot cast", "22P02"),
    ("exactly: cast the parameter", "22P02"),
    ("parser error: error parsing", "22P02"),
    ("must be in the group by", "42803"),
    ("group by", "42803"),
    ("not implemented", "0A000"),
    ("not yet supported", "0A000"),
    ("unsupported", "0A000"),
];

fn of_sql(message: String, text: &str) -> PgWireError {
    let lower = message.to_lowercase();
    let names_no_table = lower.contains("table ") && lower.contains("not found");
    let found = CODES.iter().find(|(part, _)| lower.contains(part)).map(|(_, code)| *code);
    // 42000 is the class "syntax error or access rule violation".
    let code = if names_no_table { "42P01" } else { found.unwrap_or("42000") };
    let position = position(&message, text);
    let mut info = ErrorInfo::new("ERROR".to_owned(), code.to_owned(), message);
    info.position = position.map(|at| at.to_string());
    PgWireError::UserError(Box::new(info))
}

/// The character of the text, from 1, that a message names by `Line: 2, Column: 5`.
fn position(message: &str, text: &str) -> Option<usize> {
    let number_after = |word: &str| {
        let (_, after) = message.rsplit_once(word)?;
        let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok().filter(|number| *number > 0)
    };
    let (line, column) = (number_after("Line:")?, number_after("Column:")?);
    let before: usize = text.split_inclusive('\n').take(line - 1).map(|line| line.chars().count()).sum();
    let at = before + column;
    (at <= text.chars().count() + 1).then_some(at)
}

/// Moves the position of an error in a statement to its position in a text with several statements.
pub fn moved(failure: PgWireError, characters_before: usize) -> PgWireError {
    match failure {
        PgWireError::UserError(mut info) => {
            let at = info.position.as_ref().and_then(|at| at.parse::<usize>().ok());
            info.position = at.map(|at| (at + characters_before).to_string());
            PgWireError::UserError(info)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_and_position(message: &str, text: &str) -> (String, Option<String>) {
        let info: ErrorInfo = of_query(QueryError::Sql(message.to_owned()), text).into();
        (info.code, info.position)
    }

    #[test]
    fn errors_have_the_codes_of_postgresql() {
        let text = "SELECT\n  x FRM complaints";
        let syntax = "SQL error: ParserError(\"Expected: end of statement, found: y at Line: 2, Column: 9\")";
        assert_eq!(code_and_position(syntax, text), ("42601".to_owned(), Some("16".to_owned())));
        for (message, code) in [
            ("Error during planning: table 'phananh.public.x' not found", "42P01"),
            ("Schema error: No field named x.", "42703"),
            ("Error during planning: Invalid function 'f'.", "42883"),
            ("Error during planning: DDL not supported: CreateMemoryTable", "42501"),
            ("Resources exhausted: Failed to allocate", "53200"),
            ("Arrow error: Divide by zero error", "22012"),
            ("Error during planning: text and bigint do not compare: cast one of them", "42804"),
            ("more than one row returned by a subquery used as an expression", "21000"),
            ("DISTINCT in a subquery that compares with columns outside of it: write GROUP BY", "0A000"),
            ("something else", "42000"),
        ] {
            assert_eq!(code_and_position(message, "SELECT 1"), (code.to_owned(), None), "{message}");
        }
    }

    #[test]
    fn a_position_counts_from_the_beginning_of_all_statements() {
        let failure = of_query(QueryError::Sql("sql parser error: x at Line: 1, Column: 3".to_owned()), "SELECT");
        let info: ErrorInfo = moved(failure, 10).into();
        assert_eq!(info.position.as_deref(), Some("13"));
    }
}
