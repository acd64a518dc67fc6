//! `x BETWEEN SYMMETRIC a AND b`, whose bounds have no order. The parser does not read the word, so that NOT stands in
//! its place among the tokens: PostgreSQL has no NOT there. The syntax tree then gets a BETWEEN for each order.

use datafusion::error::{DataFusionError, Result};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, visit_expressions};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};
use std::ops::ControlFlow;

/// Puts NOT in the place of SYMMETRIC, and nothing in that of ASYMMETRIC, which changes nothing.
///
/// # Errors
/// When a bound begins with NOT.
pub fn mark(tokens: &mut [TokenWithSpan]) -> Result<()> {
    let mut before = Keyword::NoKeyword;
    for token in tokens.iter_mut().map(|one| &mut one.token) {
        let keyword = match token {
            Token::Whitespace(_) => continue,
            Token::Word(word) => word.keyword,
            _ => Keyword::NoKeyword,
        };
        match (before, keyword) {
            (Keyword::BETWEEN, Keyword::SYMMETRIC) => *token = Token::make_keyword("NOT"),
            (Keyword::BETWEEN, Keyword::ASYMMETRIC) => *token = Token::Whitespace(Whitespace::Space),
            (Keyword::BETWEEN | Keyword::SYMMETRIC | Keyword::ASYMMETRIC, Keyword::NOT)
            | (Keyword::SYMMETRIC, Keyword::EXISTS) => {
                return Err(DataFusionError::Plan("put a bound of BETWEEN that is a condition in brackets".into()));
            }
            _ => {}
        }
        before = keyword;
    }
    Ok(())
}

/// Refuses one within another one: each doubles what stands in it.
///
/// # Errors
/// When there is one.
pub fn in_text(statement: &Statement) -> Result<()> {
    let statement = match statement {
        Statement::Statement(statement) => statement.as_ref(),
        Statement::Explain(explained) => return in_text(&explained.statement),
        // What else there is, is refused as a whole.
        _ => return Ok(()),
    };
    let found = visit_expressions(statement, |one| match is_marked(one) && has_another(one) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    if found.is_break() {
        let message = "BETWEEN SYMMETRIC takes no other one within its parts: write a subquery with a column for it";
        return Err(DataFusionError::Plan(message.into()));
    }
    Ok(())
}

fn has_another(one: &Expr) -> bool {
    let mut number = 0;
    let _all: ControlFlow<()> = visit_expressions(one, |part| {
        number += usize::from(is_marked(part));
        ControlFlow::Continue(())
    });
    number > 1
}

fn is_marked(one: &Expr) -> bool {
    let Expr::Between { low, .. } = one else { return false };
    matches!(low.as_ref(), Expr::UnaryOp { op: UnaryOperator::Not, .. })
}

/// A marked BETWEEN with its bounds in either order.
pub fn in_either_order(one: &Expr) -> Option<Expr> {
    let Expr::Between { expr, negated, low, high } = one else { return None };
    let Expr::UnaryOp { op: UnaryOperator::Not, expr: low } = low.as_ref() else { return None };
    let between = |low: &Expr, high: &Expr| {
        let (low, high) = (Box::new(low.clone()), Box::new(high.clone()));
        Box::new(Expr::Between { expr: expr.clone(), negated: false, low, high })
    };
    let (left, right) = (between(low, high), between(high, low));
    let either = Expr::Nested(Box::new(Expr::BinaryOp { left, op: BinaryOperator::Or, right }));
    Some(if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(either) } } else { either })
}

#[cfg(test)]
mod tests {
    use super::super::statement::parse;

    #[test]
    fn bounds_stand_in_either_order() {
        for (text, expected) in [
            ("SELECT a BETWEEN SYMMETRIC b + 1 AND c", "SELECT (a BETWEEN b + 1 AND c OR a BETWEEN c AND b + 1)"),
            (
                "SELECT 1 WHERE a NOT between /* any */ symmetric 3 AND 1 AND b",
                "SELECT 1 WHERE NOT (a BETWEEN 3 AND 1 OR a BETWEEN 1 AND 3) AND b",
            ),
            ("SELECT a BETWEEN ASYMMETRIC 1 AND 3", "SELECT a BETWEEN 1 AND 3"),
            ("SELECT a BETWEEN \"symmetric\" AND 3", "SELECT a BETWEEN \"symmetric\" AND 3"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
        for text in [
            "SELECT a BETWEEN NOT b AND c",
            "SELECT a BETWEEN SYMMETRIC NOT b AND c",
            "SELECT a BETWEEN SYMMETRIC (b BETWEEN SYMMETRIC 1 AND 2) AND c",
            "SELECT a BETWEEN SYMMETRIC (SELECT 1 WHERE 2 BETWEEN SYMMETRIC 1 AND 2) AND c",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
