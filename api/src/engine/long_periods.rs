//! `date_trunc` with decades, centuries and millenniums as PostgreSQL counts them: the decade of 2025 begins in 2020,
//! and its century in 2001. The engine's own knows years at most.

use super::replacement::called_as_wrapped;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, FieldRef, TimeUnit};
use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::datetime::date_trunc;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl};
use std::sync::Arc;

const SECONDS_OF_DAY: i64 = 86_400;

/// The function, in the place of the engine's `date_trunc`.
pub fn with_long_periods() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(WithLongPeriods(date_trunc())))
}

/// The function with the engine's own.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WithLongPeriods(Arc<ScalarUDF>);

impl ScalarUDFImpl for WithLongPeriods {
    called_as_wrapped!();

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.0.inner().return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.0.inner().return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ColumnarValue::Scalar(part), times] = arguments.args.as_slice() else {
            return self.0.invoke_with_args(arguments);
        };
        match part.try_as_str().flatten().and_then(Period::named) {
            Some(period) => {
                let times = times.to_array_of_size(arguments.number_rows)?;
                Ok(ColumnarValue::Array(beginnings(&times, period)?))
            }
            None => self.0.invoke_with_args(arguments),
        }
    }

    fn output_ordering(&self, input: &[ExprProperties]) -> Result<SortProperties> {
        self.0.inner().output_ordering(input)
    }
}

/// So many years, the first of which is the year `first` of our calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Period {
    years: i32,
    first: i32,
}

impl Period {
    fn named(part: &str) -> Option<Self> {
        let (years, first) = match part.to_ascii_lowercase().as_str() {
            "decade" | "decades" => (10, 0),
            "century" | "centuries" => (100, 1),
            "millennium" | "millennia" => (1_000, 1),
            _ => return None,
        };
        Some(Self { years, first })
    }

    /// The first year of the period in which a year lies.
    fn begin(self, year: i32) -> i32 {
        year - (year - self.first).rem_euclid(self.years)
    }
}

/// The beginnings of the periods in which times lie.
fn beginnings(times: &ArrayRef, period: Period) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, _) = times.data_type() else {
        return Err(DataFusionError::Execution("date_trunc: a time of the day has no year".into()));
    };
    let of_second = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let numbers = cast_with_options(times, &DataType::Int64, &options)?;
    let numbers = numbers.as_primitive::<Int64Type>().iter();
    let beginnings = numbers.map(|time| time.map(|time| begin(time, of_second, period)).transpose());
    let beginnings: Int64Array = beginnings.collect::<Result<_>>()?;
    // The clock of instants is that of UTC (`super::local_times`).
    Ok(cast_with_options(&beginnings, times.data_type(), &options)?)
}

/// The beginning of the period in which a time lies, both in units of which a second has so many.
fn begin(time: i64, of_second: i64, period: Period) -> Result<i64> {
    let year = DateTime::from_timestamp(time.div_euclid(of_second), 0).map(|time| period.begin(time.year()));
    let date = year.and_then(|year| NaiveDate::from_ymd_opt(year, 1, 1));
    let days = date.map(|date| date.signed_duration_since(NaiveDate::default()).num_days());
    days.and_then(|days| days.checked_mul(SECONDS_OF_DAY)?.checked_mul(of_second))
        .ok_or_else(|| DataFusionError::Execution("date_trunc: the beginning is out of range".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_cast::cast;
    use datafusion::prelude::SessionContext;

    async fn evaluate(value: &str) -> Result<Option<String>> {
        let context = SessionContext::new();
        context.register_udf(with_long_periods().as_ref().clone());
        let rows = context.sql(&format!("SELECT {value} AS v")).await?.collect().await?;
        let texts = cast(rows[0].column(0), &DataType::Utf8)?;
        Ok(texts.as_string::<i32>().iter().next().flatten().map(str::to_owned))
    }

    #[tokio::test]
    async fn periods_begin_where_postgresql_has_them_begin() {
        for (value, expected) in [
            ("date_trunc('decade', TIMESTAMP '2025-07-05 10:00:00')", Some("2020-01-01T00:00:00")),
            ("date_trunc('decade', DATE '1969-12-31')", Some("1960-01-01T00:00:00")),
            ("date_trunc('Century', DATE '2000-12-31')", Some("1901-01-01T00:00:00")),
            ("date_trunc('century', DATE '2001-01-01')", Some("2001-01-01T00:00:00")),
            ("date_trunc('millennium', DATE '2025-01-01')", Some("2001-01-01T00:00:00")),
            ("date_trunc('year', DATE '2025-07-05')", Some("2025-01-01T00:00:00")),
            ("date_trunc('decade', CAST(NULL AS TIMESTAMP))", None),
            ("(SELECT date_trunc('decade', MAX(t)) FROM (VALUES (TIMESTAMP '1999-12-31 23:59:59')) AS x (t))", {
                Some("1990-01-01T00:00:00")
            }),
        ] {
            assert_eq!(evaluate(value).await.unwrap().as_deref(), expected, "{value}");
        }
        for value in ["date_trunc('decade', TIME '10:00:00')", "date_trunc('fortnight', DATE '2025-01-01')"] {
            assert!(evaluate(value).await.is_err(), "{value}");
        }
    }
}
