//! `make_timestamp(year, month, day, hour, minute, second)` of PostgreSQL: a local time. Seconds have a fraction.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, TimestampMicrosecondArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};
use chrono::NaiveDate;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::iter::repeat_n;
use std::sync::Arc;

const NAME: &str = "make_timestamp";
/// Whole numbers before the seconds.
const WHOLE: usize = 5;
const MICROSECONDS_OF_SECOND: i64 = 1_000_000;
const MICROSECONDS_OF_DAY: i64 = 86_400 * MICROSECONDS_OF_SECOND;

/// The function.
pub fn make_timestamp() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(MakeTimestamp { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MakeTimestamp {
    signature: Signature,
}

impl ScalarUDFImpl for MakeTimestamp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let (whole, seconds) = given.split_at(WHOLE.min(given.len()));
        let is_whole = |of: &DataType| of.is_integer() || of.is_null();
        match seconds {
            [seconds] if whole.iter().all(is_whole) && (seconds.is_numeric() || seconds.is_null()) => {
                Ok(repeat_n(DataType::Int64, WHOLE).chain([DataType::Float64]).collect())
            }
            _ => Err(DataFusionError::Plan(format!(
                "{NAME} takes whole numbers and seconds: write {NAME}(year, month, day, hour, minute, second)"
            ))),
        }
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Microsecond, None))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let column = |index: usize, of: &DataType| -> Result<_> {
            let given =
                arguments.args.get(index).ok_or_else(|| DataFusionError::Internal("no part of a time".into()))?;
            let options = CastOptions { safe: false, ..CastOptions::default() };
            Ok(cast_with_options(&given.to_array_of_size(arguments.number_rows)?, of, &options)?)
        };
        let whole = (0..WHOLE).map(|index| column(index, &DataType::Int64)).collect::<Result<Vec<_>>>()?;
        let whole: Vec<_> = whole.iter().map(AsArray::as_primitive::<Int64Type>).collect();
        let seconds = column(WHOLE, &DataType::Float64)?;
        let times = seconds.as_primitive::<Float64Type>().iter().enumerate().map(|(row, second)| {
            let numbers = whole.iter().map(|numbers| numbers.is_valid(row).then(|| numbers.value(row)));
            match (numbers.collect::<Option<Vec<_>>>().as_deref(), second) {
                (Some(&[year, month, day, hour, minute]), Some(second)) => {
                    microseconds([year, month, day], [hour, minute], second).map(Some)
                }
                _ => Ok(None),
            }
        });
        let times: TimestampMicrosecondArray = times.collect::<Result<_>>()?;
        Ok(ColumnarValue::Array(Arc::new(times)))
    }
}

/// Microseconds since 1970. The sixtieth second and `24:00:00` are the beginning of what follows, as in PostgreSQL.
fn microseconds([year, month, day]: [i64; 3], [hour, minute]: [i64; 2], second: f64) -> Result<i64> {
    let none =
        || DataFusionError::Execution(format!("{NAME}: there is no {year}-{month}-{day} {hour}:{minute}:{second}"));
    let number = |of: i64| u32::try_from(of).map_err(|_| none());
    let year = i32::try_from(year).ok().filter(|year| *year > 0).ok_or_else(none)?;
    let date = NaiveDate::from_ymd_opt(year, number(month)?, number(day)?).ok_or_else(none)?;
    if !(0..=24).contains(&hour) || !(0..60).contains(&minute) || !(0.0..=60.0).contains(&second) {
        return Err(none());
    }
    let fraction = (second * MICROSECONDS_OF_SECOND as f64).round_ties_even() as i64;
    let time = (hour * 60 + minute) * 60 * MICROSECONDS_OF_SECOND + fraction;
    if time > MICROSECONDS_OF_DAY {
        return Err(none());
    }
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    days.checked_mul(MICROSECONDS_OF_DAY).and_then(|days| days.checked_add(time)).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::microseconds;

    #[test]
    fn a_time_is_made_of_its_parts() {
        for (date, time, second, expected) in [
            ([1970, 1, 1], [0, 0], 0.0, 0),
            ([1970, 1, 2], [1, 2], 3.5, 90_123_500_000),
            ([1969, 12, 31], [23, 59], 60.0, 0),
            ([1969, 12, 31], [24, 0], 0.0, 0),
            ([2024, 2, 29], [10, 0], 0.0, 1_709_200_800_000_000),
        ] {
            assert_eq!(microseconds(date, time, second).unwrap(), expected, "{date:?} {time:?} {second}");
        }
        for (date, time, second) in [
            ([2025, 2, 29], [0, 0], 0.0),
            ([0, 1, 1], [0, 0], 0.0),
            ([2025, 1, 1], [24, 0], 0.5),
            ([2025, 1, 1], [0, 60], 0.0),
            ([2025, 1, 1], [0, 0], -1.0),
            ([2025, 1, 1], [0, 0], f64::NAN),
        ] {
            assert!(microseconds(date, time, second).is_err(), "{date:?} {time:?} {second}");
        }
    }
}
