//! Other words of PostgreSQL for what the engine has: `FETCH FIRST n ROWS ONLY` is LIMIT, `mod(a, b)` the operator `%`,
//! and some functions have another name. `substring(a FROM 'pattern')` is what `regexp_match` finds, and
//! `SELECT generate_series(…)` has its rows by `unnest`. The column of `FROM generate_series(…) AS n` has the name `n`.
//! The sign before an interval is that of all its parts, where the engine gives it to the first one.

use super::compatibility::parsed;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, LimitClause,
    ObjectNamePart, Query, Select, SelectItem, TableAliasColumnDef, TableFactor, UnaryOperator, Value, VisitMut,
    VisitorMut,
};
use std::ops::ControlFlow;

/// Functions with the name that the engine has for them.
const FUNCTIONS: [(&str, &str); 3] = [("every", "bool_and"), ("sign", "signum"), ("variance", "var_samp")];
/// The function that makes rows of numbers or days, in FROM and in SELECT.
const SERIES: &str = "generate_series";

/// Puts the engine's words into a statement.
pub fn replace(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let _all: ControlFlow<()> = statement.visit(&mut Synonyms);
        }
        Statement::Explain(explained) => replace(&mut explained.statement),
        // What else there is, is refused as a whole.
        _ => {}
    }
}

struct Synonyms;

impl VisitorMut for Synonyms {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        // With ties, or of a percentage, it is none: the engine refuses that.
        let Some(fetch) = query.fetch.take_if(|fetch| !fetch.with_ties && !fetch.percent) else {
            return ControlFlow::Continue(());
        };
        let number = fetch.quantity.clone().unwrap_or_else(|| Expr::value(Value::Number("1".into(), false)));
        match &mut query.limit_clause {
            None => {
                let limit = Some(number);
                query.limit_clause = Some(LimitClause::LimitOffset { limit, offset: None, limit_by: Vec::new() });
            }
            Some(LimitClause::LimitOffset { limit: limit @ None, .. }) => *limit = Some(number),
            Some(_) => query.fetch = Some(fetch),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) if is_series(expr) => {
                    if let Some(rows) = parsed(&format!("unnest({expr})")) {
                        *item = SelectItem::ExprWithAlias { expr: rows, alias: Ident::new(SERIES) };
                    }
                }
                SelectItem::ExprWithAlias { expr, .. } if is_series(expr) => {
                    if let Some(rows) = parsed(&format!("unnest({expr})")) {
                        *expr = rows;
                    }
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias: Some(alias), args: Some(_), .. } = factor
            && alias.columns.is_empty()
            && matches!(name.0.as_slice(), [ObjectNamePart::Identifier(name)] if is_named(name, SERIES))
        {
            alias.columns.push(TableAliasColumnDef { name: alias.name.clone(), data_type: None });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Some(found) = found_by_pattern(expression) {
            *expression = found;
        }
        if let Expr::UnaryOp { op: UnaryOperator::Minus, expr } = expression
            && matches!(**expr, Expr::Interval(_))
        {
            let interval = expr.clone();
            **expr = Expr::Nested(interval);
        } else if let Expr::Function(function) = expression {
            if let Some(remainder) = remainder(function) {
                *expression = remainder;
            } else if let [ObjectNamePart::Identifier(name)] = function.name.0.as_mut_slice() {
                let other = FUNCTIONS.iter().find(|(own, _)| is_named(name, own));
                if let Some((_, other)) = other {
                    *name = Ident::new(*other);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Whether it is `generate_series(…)`.
pub fn is_series(expression: &Expr) -> bool {
    let Expr::Function(function) = expression else { return false };
    matches!(function.name.0.as_slice(), [ObjectNamePart::Identifier(name)] if is_named(name, SERIES))
}

/// What `substring` with a regular expression finds: the first group, or without one all that matches.
fn found_by_pattern(expression: &Expr) -> Option<Expr> {
    let Expr::Substring { expr, substring_from: Some(pattern), substring_for: None, .. } = expression else {
        return None;
    };
    let is_text = matches!(
        pattern.as_ref(),
        Expr::Value(value)
            if matches!(value.value, Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_))
    );
    if is_text { parsed(&format!("(regexp_match({expr}, {pattern}))[1]")) } else { None }
}

fn is_named(name: &Ident, word: &str) -> bool {
    name.quote_style.is_none() && name.value.eq_ignore_ascii_case(word)
}

/// The operator in the place of `mod(a, b)`.
fn remainder(function: &Function) -> Option<Expr> {
    let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    if !is_named(name, "mod") {
        return None;
    }
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(left)), FunctionArg::Unnamed(FunctionArgExpr::Expr(right))] =
        list.args.as_slice()
    else {
        return None;
    };
    let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
    Some(Expr::BinaryOp { left, op: BinaryOperator::Modulo, right })
}

#[cfg(test)]
mod tests {
    use super::super::statement::parse;

    #[test]
    fn a_sign_is_that_of_all_parts() {
        for (text, expected) in [
            ("SELECT - INTERVAL '1 day 2 hours'", "SELECT -(INTERVAL '1 day 2 hours')"),
            ("SELECT -(INTERVAL '1 day')", "SELECT -(INTERVAL '1 day')"),
            ("SELECT now() - INTERVAL '1 day'", "SELECT now() - INTERVAL '1 day'"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn the_name_of_a_series_is_that_of_its_column() {
        for (text, expected) in [
            ("SELECT n FROM generate_series(1, 3) AS n", "SELECT n FROM generate_series(1, 3) AS n (n)"),
            ("SELECT t.n FROM generate_series(1, 3) t (n)", "SELECT t.n FROM generate_series(1, 3) t (n)"),
            ("SELECT value FROM generate_series(1, 3)", "SELECT value FROM generate_series(1, 3)"),
            ("SELECT n.code FROM units AS n", "SELECT n.code FROM units AS n"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
    }
}
