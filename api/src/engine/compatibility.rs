//! Rewrites questions to the catalog that use forms of PostgreSQL which the engine lacks, such as those of psql's `\d`.
//!
//! Only such questions are rewritten: some rules take the first row of a subquery where PostgreSQL would refuse
//! several, which must not happen to the numbers of an analyst.

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, ObjectNamePart, Query,
    SelectItem, SetExpr, Statement, Value, visit_expressions, visit_expressions_mut, visit_relations,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion_pg_catalog::sql::PostgresCompatibilityParser;
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// Words of which the text of a question to the catalog contains one.
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

/// Tables of the catalog that are empty here: defaults of columns, and sequences.
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
            statements.iter_mut().for_each(rewrite);
            Ok(Some(statements))
        }
        false => Ok(None),
    }
}

fn rewrite(statement: &mut Statement) {
    let _all: ControlFlow<()> = visit_expressions_mut(statement, |expression| {
        match expression {
            Expr::Subquery(query) => {
                if let Some(instead) = in_place_of(query) {
                    *expression = instead;
                }
            }
            // The lists that tools make of rows are those of privileges, options and roles, of which there are none.
            Expr::Function(function) if makes_list_of_rows(function) => {
                if let Some(none) = parsed("CAST(NULL AS TEXT[])") {
                    *expression = none;
                }
            }
            // In `a.b[1]` the name is that of a column.
            Expr::CompoundFieldAccess { root, access_chain } if matches!(root.as_ref(), Expr::Nested(_)) => {
                access_chain.iter_mut().for_each(name_field);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
}

/// Returns the replacement of a subquery; None keeps it.
fn in_place_of(query: &mut Query) -> Option<Expr> {
    if has_no_rows(query) {
        return Some(Expr::value(Value::Null));
    }
    if let Some(name) = cast_to_regclass(query) {
        return parsed(&format!("to_regclass({name})"));
    }
    take_least(query);
    None
}

/// The text of a cast to `regclass`, which the crate of the catalog writes as a subquery. That one finds tables of
/// analysts alone, and must not be in the condition of a join.
fn cast_to_regclass(query: &Query) -> Option<Expr> {
    if !query.to_string().starts_with("SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n") {
        return None;
    }
    let found = visit_expressions(query, |part| match part {
        Expr::Function(function) if is_named(function, "parse_ident") => {
            let FunctionArguments::List(arguments) = &function.args else { return ControlFlow::Continue(()) };
            match arguments.args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(name))] => ControlFlow::Break(name.clone()),
                _ => ControlFlow::Continue(()),
            }
        }
        _ => ControlFlow::Continue(()),
    });
    match found {
        ControlFlow::Break(name) => Some(name),
        ControlFlow::Continue(()) => None,
    }
}

/// Whether this is `ARRAY(SELECT …)`.
fn makes_list_of_rows(function: &Function) -> bool {
    matches!(function.args, FunctionArguments::Subquery(_)) && is_named(function, "array")
}

/// Lets `(f(x)).n` name its field by a text, as the engine wants it.
fn name_field(access: &mut AccessExpr) {
    if let AccessExpr::Dot(field) = access
        && let Expr::Identifier(name) = &*field
    {
        let name = Value::SingleQuotedString(name.value.clone());
        *field = Expr::value(name);
    }
}

fn is_named(function: &Function, name: &str) -> bool {
    let last = function.name.0.last().and_then(ObjectNamePart::as_ident);
    last.is_some_and(|last| last.value.eq_ignore_ascii_case(name))
}

/// An expression from its text.
pub fn parsed(text: &str) -> Option<Expr> {
    let parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text);
    parser.and_then(|mut parser| parser.parse_expr()).ok()
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

/// Lets a subquery have one row at most, as the engine demands of correlated ones: the catalog's keys select one row,
/// and the least of one value is that value.
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
    if let Some(least) = parsed(&format!("min({value})")) {
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

    #[test]
    fn casts_to_regclass_find_tables_of_the_catalog_too() {
        let rewritten = |text: &str| parse(text).unwrap().unwrap()[0].to_string();
        let joined = rewritten(
            "SELECT c.relname, d.description FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d \
             ON c.oid = d.objoid AND d.classoid = 'pg_catalog.pg_class'::regclass",
        );
        assert!(joined.contains("d.classoid = to_regclass('pg_catalog.pg_class'"), "{joined}");
        let parameter = rewritten("SELECT relname FROM pg_catalog.pg_class WHERE oid = CAST($1 AS REGCLASS)");
        assert!(parameter.contains("to_regclass($1"), "{parameter}");
        let own = "SELECT (SELECT min(oid) FROM pg_catalog.pg_class WHERE relname = (parse_ident('x'))[1]) AS n";
        assert!(!rewritten(own).contains("to_regclass"));
    }

    #[test]
    fn fields_and_lists_are_written_for_the_engine() {
        let rewritten = |text: &str| parse(text).unwrap().unwrap()[0].to_string();
        let keys = rewritten("SELECT (information_schema._pg_expandarray(i.indkey)).n FROM pg_catalog.pg_index i");
        assert!(keys.contains("(_pg_expandarray(i.indkey)).'n'"), "{keys}");
        let list =
            rewritten("SELECT pg_catalog.array_to_string(ARRAY(SELECT rolname FROM pg_roles), ',') FROM pg_class");
        assert!(list.contains("array_to_string(CAST(NULL AS TEXT[]), ',')"), "{list}");
    }
}
