//! Functions of PostgreSQL that the engine lacks, each with what to write instead.

use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr, ObjectNamePart, visit_expressions};
use std::ops::ControlFlow;

/// Functions in alphabetical order.
const LACKING: [(&str, &str); 17] = [
    ("clock_timestamp", "now()"),
    ("format", "a || b, or concat(a, b)"),
    ("json_agg", "array_agg, or a column for each value: answers are JSON as well"),
    ("json_build_object", "a column for each value: answers are JSON as well"),
    ("jsonb_agg", "array_agg, or a column for each value: answers are JSON as well"),
    ("localtimestamp", "now() AT TIME ZONE 'Asia/Ho_Chi_Minh'"),
    ("make_timestamp", "CAST(make_date(y, m, d) AS TIMESTAMP) + INTERVAL '1 hour' * h + INTERVAL '1 minute' * m"),
    ("make_timestamptz", "TIMESTAMPTZ '2025-01-31 10:00:00+07'"),
    ("mode", "GROUP BY with ORDER BY COUNT(*) DESC LIMIT 1, or row_number() for each group"),
    (
        "percentile_disc",
        "percentile_cont, or MIN over rows whose row_number() is at least the share of COUNT(*) OVER ()",
    ),
    ("regexp_matches", "regexp_match"),
    ("regexp_split_to_array", "string_to_array"),
    ("regexp_split_to_table", "unnest(string_to_array(text, ','))"),
    ("statement_timestamp", "now()"),
    ("to_number", "CAST(REPLACE(text, ',', '') AS NUMERIC(20, 2))"),
    ("transaction_timestamp", "now()"),
    ("width_bucket", "FLOOR((x - low) * n / (high - low)) + 1, within CASE for what lies outside"),
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
            ("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY a) FROM units", "percentile_cont"),
            ("SELECT mode() WITHIN GROUP (ORDER BY kind) FROM units", "LIMIT 1"),
            ("SELECT WIDTH_BUCKET(1, 0, 10, 5)", "FLOOR"),
            ("SELECT localtimestamp", "AT TIME ZONE"),
        ] {
            let refused = parse(text).unwrap_err().to_string();
            assert!(refused.contains(advice), "{text}: {refused}");
        }
    }
}
