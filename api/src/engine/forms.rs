//! Forms of PostgreSQL that the parser reads and the engine does not, in other words:
//!
//! - `date_trunc('day', instant, zone)` is the beginning of the day in a zone;
//! - `LIKE ANY (ARRAY[…])` is a LIKE for each pattern;
//! - `TIMESTAMP '2025-01-05 10:00'` has no seconds;
//! - `localtimestamp` is the local time in Vietnam, as `current_date` is the day there;
//! - `(a, b) OVERLAPS (c, d)` is a function of four times;
//! - `BETWEEN SYMMETRIC` is a BETWEEN for each order of its bounds;
//! - `ceiling` is `ceil`.

use super::compatibility::parsed;
use super::{overlaps, symmetric};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, ObjectNamePart, TimezoneInfo, Value, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// The zone of instants in answers.
const UTC: &str = "UTC";
const LOCAL_NOW: &str = "(now() AT TIME ZONE 'Asia/Ho_Chi_Minh')";

/// Puts such forms in other words.
pub fn replace(statement: &mut Statement) {
    match statement {
        Statement::Statement(statement) => {
            let _all: ControlFlow<()> = statement.visit(&mut Forms);
        }
        Statement::Explain(explained) => replace(&mut explained.statement),
        // What else there is, is refused as a whole.
        _ => {}
    }
}

struct Forms;

impl VisitorMut for Forms {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(function) => {
                if let Some(other) = begun_in_zone(function).or_else(|| local_now(function)) {
                    *expression = other;
                } else if let Some(name) = name(function, "ceiling") {
                    *name = Ident::new("ceil");
                }
            }
            Expr::Like { any: true, .. } | Expr::ILike { any: true, .. } => {
                if let Some(alternatives) = alternatives(expression) {
                    *expression = alternatives;
                }
            }
            Expr::Between { .. } => {
                if let Some(either) = symmetric::in_either_order(expression) {
                    *expression = either;
                }
            }
            Expr::BinaryOp { left, op: BinaryOperator::Overlaps, right } => {
                if let Some(call) = overlap(left, right) {
                    *expression = call;
                }
            }
            Expr::TypedString(typed) if matches!(typed.data_type, DataType::Timestamp(..)) => {
                if let Value::SingleQuotedString(text) = &mut typed.value.value
                    && lacks_seconds(text)
                {
                    text.push_str(":00");
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The name of a function, if it is this one.
fn name<'f>(function: &'f mut Function, word: &str) -> Option<&'f mut Ident> {
    match function.name.0.as_mut_slice() {
        [ObjectNamePart::Identifier(name)] if is_named(name, word) => Some(name),
        _ => None,
    }
}

fn is_named(name: &Ident, word: &str) -> bool {
    name.quote_style.is_none() && name.value.eq_ignore_ascii_case(word)
}

/// `date_trunc` with a zone: the local time is cut off, and is an instant again.
fn begun_in_zone(function: &Function) -> Option<Expr> {
    let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    if !is_named(name, "date_trunc") {
        return None;
    }
    let [part, FunctionArg::Unnamed(FunctionArgExpr::Expr(of)), FunctionArg::Unnamed(FunctionArgExpr::Expr(zone))] =
        list.args.as_slice()
    else {
        return None;
    };
    let instant = Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(of.clone()),
        data_type: DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
        array: false,
        format: None,
    };
    let at = |timestamp: Expr, zone: &Expr| Expr::AtTimeZone {
        timestamp: Box::new(timestamp),
        time_zone: Box::new(zone.clone()),
    };
    let local = FunctionArg::Unnamed(FunctionArgExpr::Expr(at(instant, zone)));
    let mut begun = function.clone();
    if let FunctionArguments::List(list) = &mut begun.args {
        list.args = vec![part.clone(), local];
    }
    let utc = Expr::value(Value::SingleQuotedString(UTC.into()));
    Some(at(at(Expr::Function(begun), zone), &utc))
}

/// The local time in the place of `localtimestamp` without a number of digits.
fn local_now(function: &Function) -> Option<Expr> {
    let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else { return None };
    let is_bare = matches!(function.args, FunctionArguments::None);
    if is_bare && is_named(name, "localtimestamp") { parsed(LOCAL_NOW) } else { None }
}

/// The call of the function that is `OVERLAPS` of two pairs.
fn overlap(left: &Expr, right: &Expr) -> Option<Expr> {
    let (Expr::Tuple(one), Expr::Tuple(other)) = (left, right) else { return None };
    if one.len() != 2 || other.len() != 2 {
        return None;
    }
    let ends = one.iter().chain(other).map(|end| FunctionArg::Unnamed(FunctionArgExpr::Expr(end.clone())));
    let list = FunctionArgumentList { duplicate_treatment: None, args: ends.collect(), clauses: Vec::new() };
    Some(Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(overlaps::NAME)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }))
}

/// `LIKE ANY` as an OR of each pattern.
fn alternatives(expression: &Expr) -> Option<Expr> {
    let (Expr::Like { pattern, .. } | Expr::ILike { pattern, .. }) = expression else { return None };
    let patterns = match pattern.as_ref() {
        Expr::Tuple(all) => all,
        Expr::Nested(inner) => match inner.as_ref() {
            Expr::Array(array) => &array.elem,
            _ => return None,
        },
        _ => return None,
    };
    let of = |one: &Expr| {
        let mut alone = expression.clone();
        if let Expr::Like { any, pattern, .. } | Expr::ILike { any, pattern, .. } = &mut alone {
            (*any, **pattern) = (false, one.clone());
        }
        alone
    };
    let joined = patterns.iter().map(of).reduce(|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: BinaryOperator::Or,
        right: Box::new(right),
    })?;
    Some(Expr::Nested(Box::new(joined)))
}

/// Whether a time ends with its minutes, as `2025-01-05 10:00`.
fn lacks_seconds(text: &str) -> bool {
    let pattern = b"0000-00-00 00:00";
    text.len() == pattern.len()
        && text.bytes().zip(pattern).all(|(byte, of)| match of {
            b'0' => byte.is_ascii_digit(),
            b' ' => matches!(byte, b' ' | b'T'),
            other => byte == *other,
        })
}

#[cfg(test)]
mod tests {
    use super::super::statement::parse;

    #[test]
    fn forms_are_put_in_words_of_the_engine() {
        for (text, expected) in [
            (
                "SELECT date_trunc('day', a, 'Asia/Ho_Chi_Minh')",
                "SELECT date_trunc('day', CAST(a AS TIMESTAMP WITH TIME ZONE) AT TIME ZONE 'Asia/Ho_Chi_Minh') \
                 AT TIME ZONE 'Asia/Ho_Chi_Minh' AT TIME ZONE 'UTC'",
            ),
            ("SELECT ceiling(1.5), date_trunc('day', a)", "SELECT ceil(1.5), date_trunc('day', a)"),
            ("SELECT a LIKE ANY (ARRAY['x%', '%y'])", "SELECT (a LIKE 'x%' OR a LIKE '%y')"),
            ("SELECT a NOT ILIKE ANY ('x%', '%y')", "SELECT (a NOT ILIKE 'x%' OR a NOT ILIKE '%y')"),
            ("SELECT TIMESTAMP '2025-01-05 10:00'", "SELECT TIMESTAMP '2025-01-05 10:00:00'"),
            ("SELECT TIMESTAMP '2025-01-05'", "SELECT TIMESTAMP '2025-01-05'"),
            ("SELECT LOCALTIMESTAMP", "SELECT (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')"),
            ("SELECT (a, b) OVERLAPS (c, INTERVAL '1 day')", "SELECT overlaps(a, b, c, INTERVAL '1 day')"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
    }
}
