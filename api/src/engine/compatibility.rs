//! Questions that tools ask the catalog in PostgreSQL's own ways, such as those of psql's `\d`, rewritten as the engine
//! can answer them.
//!
//! Only such questions are rewritten: some rules take the first row of a subquery where PostgreSQL would refuse
//! several, which must not happen to the numbers of an analyst.

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, ObjectNamePart, Query, SelectItem,
    SetExpr, Statement, Value, ValueWithSpan, visit_expressions, visit_expressions_mut, visit_relations,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use std::ops::ControlFlow;
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

/// Tables of the catalog about what this register has none of: defaults of columns, and sequences.
const WITHOUT_ROWS: [&str; 2] = ["pg_attrdef", "pg_sequence"];

/// Functions that make one value of all rows.
const AGGREGATES: [&str; 9] = ["min", "max", "count", "sum", "avg", "array_agg", "string_agg", "bool_and", "bool_or"];

/// The statements of a question to the catalog, rewritten; None for another question.
///
/// The text has to be checked for its size and depth before: the rules walk the statement recursively.
///
/// # Errors
/// When the text is no SQL. The error has no position, because the rewritten tokens have none.
pub fn parse(text: &str) -> Result<Option<Vec<Statement>>, ParserError> {
    static PARSER: LazyLock<PostgresCompatibilityParser> = LazyLock::new(PostgresCompatibilityParser::new);
    match asks_catalog(text) {
        true => {
            let mut statements = PARSER.parse(text)?;
            statements.iter_mut().for_each(aggregate_subqueries);
            Ok(Some(statements))
        }
        false => Ok(None),
    }
}

/// Lets each subquery in the place of a value have one row at most, as the engine demands of correlated ones: the
/// catalog's keys select one row, and the least of one value is that value.
fn aggregate_subqueries(statement: &mut Statement) {
    let _all: ControlFlow<()> = visit_expressions_mut(statement, |expression| {
        match expression {
            Expr::Subquery(query) if has_no_rows(query) => *expression = Expr::value(Value::Null),
            Expr::Subquery(query) => take_least(query),
            Expr::Function(function) if is_unnest_of_column(function) => {
                // Vectors of the catalog are texts to the engine. They are those of constraints and indexes, of which
                // the register has none to show.
                let none = Parser::new(&PostgreSqlDialect {}).try_with_sql("unnest(make_array(CAST(NULL AS INTEGER)))");
                if let Ok(none) = none.and_then(|mut parser| parser.parse_expr()) {
                    *expression = none;
                }
            }
            Expr::Like { pattern, escape_char, .. } | Expr::ILike { pattern, escape_char, .. } => {
                escape_by_backslash(pattern, escape_char);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

/// Writes a pattern with another escape character by the backslash, the only one that the engine knows.
fn escape_by_backslash(pattern: &mut Expr, escape_char: &mut Option<ValueWithSpan>) {
    let Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) = pattern else { return };
    let Some(ValueWithSpan { value: Value::SingleQuotedString(escape), .. }) = escape_char.as_ref() else { return };
    if escape.is_empty() || escape == "\\" {
        return;
    }
    *text = text.replace('\\', "\\\\").replace(escape.as_str(), "\\");
    *escape_char = None;
}

fn is_unnest_of_column(function: &Function) -> bool {
    let last = function.name.0.last().and_then(ObjectNamePart::as_ident);
    let FunctionArguments::List(arguments) = &function.args else { return false };
    let is_column = |argument: &FunctionArg| {
        matches!(
            argument,
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(_) | Expr::CompoundIdentifier(_)))
        )
    };
    last.is_some_and(|last| last.value.eq_ignore_ascii_case("unnest")) && arguments.args.iter().all(is_column)
}

fn has_no_rows(query: &Query) -> bool {
    visit_relations(query, |name| {
        let last = name.0.last().and_then(ObjectNamePart::as_ident);
        match last.is_some_and(|last| WITHOUT_ROWS.contains(&last.value.to_lowercase().as_str())) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })
    .is_break()
}

fn take_least(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let has_groups = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
    let [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }] = &mut select.projection[..]
    else {
        return;
    };
    if has_groups || is_aggregated(value) {
        return;
    }
    let parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(&format!("min({value})"));
    if let Ok(least) = parser.and_then(|mut parser| parser.parse_expr()) {
        *value = least;
    }
}

fn is_aggregated(value: &Expr) -> bool {
    visit_expressions(value, |part| match part {
        Expr::Function(function) if AGGREGATES.contains(&function.name.to_string().to_lowercase().as_str()) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })
    .is_break()
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
    }

    #[test]
    fn a_subquery_of_the_catalog_has_one_row_at_most() {
        let rewritten = |text: &str| parse(text).unwrap().unwrap()[0].to_string();
        let text = "SELECT CASE WHEN a.atthasdef THEN (SELECT d.adbin FROM pg_catalog.pg_attrdef d) ELSE NULL END, \
                    (SELECT t.typname FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid) FROM pg_catalog.pg_attribute a";
        let text = rewritten(text);
        assert!(!text.contains("pg_attrdef"), "{text}");
        let counted = rewritten("SELECT (SELECT count(*) FROM pg_catalog.pg_type t) FROM pg_catalog.pg_class");
        assert!(!counted.contains("min("), "{counted}");
    }
}
