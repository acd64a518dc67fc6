//! `current_date` (and `today`), the day in Vietnam, as the days of the tables are. The engine's own is the day in UTC:
//! until seven in the morning it would be the day before.

use super::replacement::called_as_wrapped;
use chrono::NaiveDate;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::datetime::current_date;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};
use schema::Timestamp;
use schema::domain::calendar::local_date;
use std::sync::Arc;

/// The function, in the place of the engine's `current_date`.
pub fn today() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Today(current_date())))
}

/// The function with the engine's own, which has its name and signature.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Today(Arc<ScalarUDF>);

impl ScalarUDFImpl for Today {
    called_as_wrapped!();

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }

    /// Every call in one question returns the same day.
    fn simplify(&self, arguments: Vec<Expr>, about: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(began) = about.query_execution_start_time() else {
            return Ok(ExprSimplifyResult::Original(arguments));
        };
        let days = local_date(Timestamp::from(began)).signed_duration_since(NaiveDate::default()).num_days();
        let day = ScalarValue::Date32(i32::try_from(days).ok());
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(day, None)))
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(DataFusionError::Internal("current_date was not replaced by its day".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};

    #[test]
    fn the_day_begins_at_midnight_in_vietnam() {
        for (began, day) in [("2025-06-30T16:59:59Z", 20_269), ("2025-06-30T17:00:00Z", 20_270)] {
            let began: DateTime<Utc> = began.parse().unwrap();
            let context = SimplifyContext::builder().with_query_execution_start_time(Some(began)).build();
            let ExprSimplifyResult::Simplified(Expr::Literal(found, _)) = today().simplify(vec![], &context).unwrap()
            else {
                panic!("no day");
            };
            assert_eq!(found, ScalarValue::Date32(Some(day)));
        }
    }
}
