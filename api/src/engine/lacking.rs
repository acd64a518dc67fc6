//! Functions of PostgreSQL that the engine lacks, each with what to write instead. Of those that it has, forms that it
//! lacks or that PostgreSQL refuses.

use super::ordered_sets;
use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, FunctionArguments, ObjectNamePart, visit_expressions};
use std::ops::ControlFlow;

/// Functions in alphabetical order.
const LACKING: [(&str, &str); 12] = [
    ("clock_timestamp", "now()"),
    ("format", "a || b, or concat(a, b)"),
    ("json_agg", "array_agg, or a column for each value: answers are JSON as well"),
    ("json_build_object", "a column for each value: answers are JSON as well"),
    ("jsonb_agg", "array_agg, or a column for each value: answers are JSON as well"),
    ("make_timestamptz", "make_timestamp(y, m, d, h, mi, s) AT TIME ZONE 'Asia/Ho_Chi_Minh'"),
    ("regexp_matches", "regexp_match"),
    ("regexp_split_to_array", "string_to_array"),
    ("regexp_split_to_table", "unnest(string_to_array(text, ','))"),
    ("statement_timestamp", "now()"),
    ("to_number", "CAST(REPLACE(text, ',', '') AS NUMERIC(20, 2))"),
    ("transaction_timestamp", "now()"),
];

/// Refuses a text that calls such a function.
///
/// # Errors
/// When it does.
pub fn in_text(statement: &Statement) -> Result<(), DataFusionError> {
    let statement = match statement {
        Statement::Statement(statement) => statement.as_ref(),
        Statement::Explain(explained) => return in_text(&explained.statement),
        // What else there is, is refused as a whole.
        _ => return Ok(()),
    };
    let found = visit_expressions(statement, |expression| match lacking(expression) {
        Some(message) => ControlFlow::Break(message),
        None => ControlFlow::Continue(()),
    });
    match found {
        ControlFlow::Break(message) => Err(DataFusionError::Plan(message)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn lacking(expression: &Expr) -> Option<String> {
    let Expr::Function(function) = expression else { return None };
    let [ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else { return None };
    let called = name.value.to_ascii_lowercase();
    if called == "localtimestamp" && !matches!(function.args, FunctionArguments::None) {
        return Some("localtimestamp takes no number of digits: write date_trunc('second', localtimestamp)".to_owned());
    }
    let ordered_set = ordered_sets::WRITTEN.iter().find(|(own, _)| *own == called);
    if let Some((_, written)) = ordered_set.filter(|_| function.within_group.is_empty()) {
        return Some(format!("{called} takes values in their order: write {written}"));
    }
    let (_, instead) = LACKING.iter().find(|(own, _)| *own == called)?;
    Some(format!("{called} is not supported: write {instead}"))
}

#[cfg(test)]
mod tests {
    use super::super::statement::parse;
    use super::LACKING;

    #[test]
    fn a_function_that_lacks_is_named_with_what_to_write() {
        assert!(LACKING.is_sorted());
        for (text, advice) in [
            ("SELECT TO_NUMBER('1') FROM units", "REPLACE"),
            ("SELECT make_timestamptz(2025, 1, 5, 10, 0, 0)", "AT TIME ZONE"),
            ("SELECT percentile_disc(kind, 0.5) FROM units", "WITHIN GROUP"),
            ("SELECT mode(kind) OVER () FROM units", "WITHIN GROUP"),
            ("SELECT localtimestamp(0)", "date_trunc"),
        ] {
            let refused = parse(text).unwrap_err().to_string();
            assert!(refused.contains(advice), "{text}: {refused}");
        }
    }
}
