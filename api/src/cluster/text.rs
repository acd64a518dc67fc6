//! The text of a question to a cluster: one SELECT over the tables of the lake, with its parameters' values in it.
//!
//! It is split into tokens and written again from them, in the words of Spark. A construct that dialects read
//! differently, such as a backslash in a text, is refused or rewritten in a form that all dialects read alike.

use super::dialect::in_spark;
use super::lexer::{Kind, Token, tokens};
use super::tables::tables_read;
use super::{foreign, misread};
use crate::sql::Parameter;
use data_encoding::HEXUPPER;
use std::collections::BTreeSet;

/// The longest text, in bytes, as in the engine of the register.
const LONGEST: usize = 64 * 1024;

/// A text that a cluster may execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub sql: String,
    /// The tables that it reads.
    pub tables: BTreeSet<String>,
}

/// Checks a text. `is_table` says whether a name is a table of the lake.
///
/// # Errors
/// Names what is refused, and what to write instead.
pub fn check(text: &str, parameters: &[Parameter], is_table: &dyn Fn(&str) -> bool) -> Result<Checked, String> {
    if text.len() > LONGEST {
        return Err(format!("the query has {} bytes: at most {LONGEST} are allowed", text.len()));
    }
    let mut tokens = tokens(text)?;
    if tokens.last().is_some_and(|last| last.is(';')) {
        tokens.pop();
    }
    if tokens.iter().any(|one| one.is(';')) {
        return Err("write one SELECT, not several statements".into());
    }
    let begins = tokens.iter().find(|one| !one.is('('));
    if !begins.is_some_and(|one| ["select", "with", "values"].iter().any(|word| one.is_word(word))) {
        return Err("write one SELECT: a cluster executes nothing else".into());
    }
    misread::refuse(&tokens)?;
    foreign::refuse(&tokens)?;
    let tables = tables_read(&tokens, is_table)?;
    let mut used = BTreeSet::new();
    let mut sql = String::with_capacity(text.len());
    for token in &in_spark(tokens) {
        if token.spaced && !sql.is_empty() {
            sql.push(' ');
        }
        write_token(token, parameters, &mut used, &mut sql)?;
    }
    if used.len() != parameters.len() {
        return Err(format!("the query has {} parameters, and {} values were given", used.len(), parameters.len()));
    }
    Ok(Checked { sql, tables })
}

fn write_token(
    token: &Token,
    parameters: &[Parameter],
    used: &mut BTreeSet<usize>,
    sql: &mut String,
) -> Result<(), String> {
    match &token.kind {
        Kind::Word(word) | Kind::Number(word) => sql.push_str(word),
        // Spark reads double quotes as quotes of texts.
        Kind::Name(name) => {
            sql.push('`');
            sql.push_str(name);
            sql.push('`');
        }
        Kind::Text(content) => sql.push_str(&text_literal(content)),
        Kind::Symbol(symbol) => sql.push(*symbol),
        Kind::Parameter(number) => {
            let value = parameters.get(number - 1).ok_or_else(|| format!("the parameter ${number} has no value"))?;
            used.insert(*number);
            sql.push_str(&literal(value, *number)?);
        }
    }
    Ok(())
}

/// A text literal that every dialect reads alike.
fn text_literal(content: &str) -> String {
    if content.contains(['\'', '\\']) {
        return format!("cast(X'{}' as string)", HEXUPPER.encode(content.as_bytes()));
    }
    format!("'{content}'")
}

fn literal(value: &Parameter, number: usize) -> Result<String, String> {
    Ok(match value {
        Parameter::Null => "null".into(),
        Parameter::Flag(flag) => flag.to_string(),
        Parameter::Whole(whole) => format!("cast('{whole}' as bigint)"),
        Parameter::Float(float) if float.is_finite() => format!("cast('{float:e}' as double)"),
        Parameter::Float(_) => return Err(format!("the parameter ${number} is no finite number")),
        Parameter::Text(text) => text_literal(text),
        Parameter::Day(day) => format!("date '{day}'"),
        Parameter::Instant(at) => format!("timestamp '{}'", at.format("%Y-%m-%d %H:%M:%S%.6fZ")),
        Parameter::Decimal(text) => {
            let is_number =
                !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
            if !is_number {
                return Err(format!("the parameter ${number} is no decimal number"));
            }
            format!("cast('{text}' as decimal(38, 9))")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_table(name: &str) -> bool {
        ["complaints", "allegations", "units"].contains(&name)
    }

    fn checked(text: &str) -> Result<Checked, String> {
        check(text, &[], &is_table)
    }

    #[test]
    fn questions_of_analysts_pass() {
        for (text, tables) in [
            ("SELECT 1", vec![]),
            ("SELECT branch, COUNT(*) AS n FROM complaints GROUP BY branch ORDER BY n DESC;", vec!["complaints"]),
            ("SELECT * FROM complaints c, units u WHERE c.unit = u.code", vec!["complaints", "units"]),
            ("SELECT * FROM (complaints c JOIN units u ON c.unit = u.code)", vec!["complaints", "units"]),
            ("WITH a (n) AS (SELECT 1), b AS (SELECT * FROM units) SELECT * FROM a JOIN b ON TRUE", vec!["units"]),
            ("SELECT EXTRACT(year FROM received_on), x IS DISTINCT FROM y FROM complaints", vec!["complaints"]),
            ("SELECT SUM(n) OVER (ORDER BY d ROWS 6 PRECEDING) FROM (SELECT 1 AS n, 2 AS d) AS t (n, d)", vec![]),
            (
                "SELECT * FROM units WHERE code IN (SELECT unit FROM complaints) AND EXISTS (SELECT 1 FROM units)",
                vec!["complaints", "units"],
            ),
            ("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cost_vnd) FROM complaints", vec!["complaints"]),
            ("SELECT \"Branch\" FROM (VALUES (1), (2)) v (\"Branch\")", vec![]),
        ] {
            let found = checked(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(found.tables.iter().map(String::as_str).collect::<Vec<_>>(), tables, "{text}");
        }
        let found = checked("SELECT 'a''b', '\\' -- x\n FROM /* units */ complaints").unwrap();
        assert_eq!(found.sql, "select cast(X'612762' as string), cast(X'5C' as string) from complaints");
    }

    #[test]
    fn nothing_but_tables_of_the_lake_is_read() {
        for text in [
            "SELECT * FROM secret",
            "SELECT * FROM complaints, secret",
            "SELECT * FROM (units JOIN secret ON TRUE)",
            "SELECT * FROM default.complaints",
            "SELECT * FROM csv.`/etc/passwd`",
            "SELECT * FROM parquet.\"x\"",
            "SELECT * FROM 'file'",
            "SELECT * FROM (WITH secret AS (SELECT 1) SELECT * FROM secret) a, secret",
            "SELECT (SELECT 1 FROM secret)",
            "SELECT EXTRACT(year FROM (SELECT d FROM secret)) FROM complaints",
            "SELECT reflect('java.lang.System', 'exit', 1)",
            "SELECT \"reflect\"('java.lang.System', 'exit', 1)",
            "SELECT a.reflect('x')",
            "SELECT TRANSFORM(code) USING 'sh' FROM units",
            "SELECT * FROM (FROM units MAP code USING 'sh')",
            "SELECT * FROM read_files('/etc')",
            "SELECT * FROM IDENTIFIER('secret')",
            "SELECT '\\', reflect('x'), '\\'",
            "WITH a AS (SELECT 1) INSERT INTO units SELECT * FROM a",
            "DROP TABLE units",
            "SET a = 1",
            "SELECT 1; SELECT 2",
            "SELECT 1)",
            "(SELECT 1",
            "",
        ] {
            assert!(checked(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_are_values_and_never_words() {
        let text = "SELECT $2 FROM complaints WHERE category = $1";
        let found = check(text, &[Parameter::Text("' OR '1'='1".into()), Parameter::Whole(-1)], &is_table).unwrap();
        assert!(found.sql.ends_with("= cast(X'27204F52202731273D2731' as string)"), "{}", found.sql);
        assert!(found.sql.starts_with("select cast('-1' as bigint) from"), "{}", found.sql);
        assert!(check(text, &[Parameter::Null], &is_table).is_err());
        assert!(check("SELECT $1", &[Parameter::Null, Parameter::Null], &is_table).is_err());
        assert!(check("SELECT $1", &[Parameter::Decimal("1) x".into())], &is_table).is_err());
    }
}
