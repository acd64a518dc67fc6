//! Functions of intervals that stand in the place of the engine's own parts, casts and comparisons
//! ([`super::intervals`] and [`super::date_parts`]). A span, as the difference of two times, is an interval of whole
//! days and the rest, as in PostgreSQL.

use super::interval_parts::Part;
use api::sql::cells::postgres_texts;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, IntervalMonthDayNanoType};
use arrow_array::{Array, ArrayRef, Decimal128Array, Float64Array, Int64Array, IntervalMonthDayNanoArray};
use arrow_buffer::IntervalMonthDayNano;
use arrow_cast::cast;
use arrow_cast::parse::{IntervalParseConfig, IntervalUnit as Unit, parse_interval_month_day_nano_config};
use arrow_schema::{DECIMAL128_MAX_PRECISION, DataType, IntervalUnit, TimeUnit};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);
/// The advice to write something else than a day plus hours.
pub const NO_HOURS: &str = "a day has no hours: write CAST(… AS TIMESTAMP) + INTERVAL '…' to get a time";
pub const NANOSECONDS_OF_DAY: i64 = 86_400_000_000_000;
/// PostgreSQL compares a month as this many days.
const DAYS_OF_MONTH: i128 = 30;
/// Nanoseconds of any interval have fewer digits.
const LENGTH: DataType = DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0);

/// The operations on an interval, or on a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    Part(Part),
    /// The interval of a span.
    OfSpan,
    /// The interval of a text. A number without a unit has seconds.
    OfText,
    /// The length by which PostgreSQL compares.
    Length,
    /// The text as PostgreSQL writes it.
    Text,
    /// The interval itself, which has to be one of whole days.
    WholeDays,
}

impl Function {
    /// The call of the function.
    pub fn call(self, of: Expr) -> Expr {
        let function = OfInterval { function: self, signature: Signature::any(1, Volatility::Immutable) };
        let function = Arc::new(ScalarUDF::new_from_impl(function));
        Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![of]))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfInterval {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for OfInterval {
    fn name(&self) -> &'static str {
        match self.function {
            Function::Part(part) => part.function(),
            Function::OfSpan => "interval_of_span",
            Function::OfText => "interval_of_text",
            Function::Length => "length_of_interval",
            Function::Text => "text_of_interval",
            Function::WholeDays => "interval_of_whole_days",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.function {
            Function::Part(part) if part.microseconds_of_one().is_some() => DataType::Float64,
            Function::Part(_) => DataType::Int64,
            Function::OfSpan | Function::OfText | Function::WholeDays => INTERVAL,
            Function::Length => LENGTH,
            Function::Text => DataType::Utf8,
        })
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [of] = arguments.args.as_slice() else {
            return Err(DataFusionError::Internal(format!("{} of {} arguments", self.name(), arguments.args.len())));
        };
        let of = of.to_array_of_size(arguments.number_rows)?;
        let made: ArrayRef = match self.function {
            Function::Part(part) => of_parts(part, &intervals(&of)?)?,
            Function::OfSpan => Arc::new(intervals(&of)?),
            Function::OfText => Arc::new(of_texts(&of)?),
            Function::Length => {
                let lengths: Decimal128Array = intervals(&of)?.iter().map(|one| one.map(length)).collect();
                Arc::new(lengths.with_data_type(LENGTH))
            }
            Function::Text => Arc::new(postgres_texts(&intervals(&of)?)?),
            Function::WholeDays => Arc::new(of_whole_days(intervals(&of)?)?),
        };
        Ok(ColumnarValue::Array(made))
    }
}

fn of_parts(part: Part, of: &IntervalMonthDayNanoArray) -> Result<ArrayRef> {
    let counts = of.iter().map(|one| one.map(|one| part.count(one)));
    let Some(of_one) = part.microseconds_of_one() else {
        let counts = counts.map(|count| count.map(i64::try_from).transpose().map_err(|_| out_of_range()));
        return Ok(Arc::new(counts.collect::<Result<Int64Array>>()?));
    };
    Ok(Arc::new(counts.map(|count| count.map(|count| count as f64 / of_one)).collect::<Float64Array>()))
}

/// Intervals, also those of spans.
fn intervals(of: &ArrayRef) -> Result<IntervalMonthDayNanoArray> {
    let DataType::Duration(unit) = of.data_type() else {
        return Ok(cast(of, &INTERVAL)?.as_primitive::<IntervalMonthDayNanoType>().clone());
    };
    let (in_a_day, nanoseconds) = match unit {
        TimeUnit::Second => (86_400, 1_000_000_000),
        TimeUnit::Millisecond => (86_400_000, 1_000_000),
        TimeUnit::Microsecond => (86_400_000_000, 1_000),
        TimeUnit::Nanosecond => (NANOSECONDS_OF_DAY, 1),
    };
    let split = |span: i64| -> Result<IntervalMonthDayNano> {
        let days = i32::try_from(span / in_a_day).map_err(|_| out_of_range())?;
        Ok(IntervalMonthDayNano::new(0, days, span % in_a_day * nanoseconds))
    };
    let spans = cast(of, &DataType::Int64)?;
    spans.as_primitive::<Int64Type>().iter().map(|span| span.map(split).transpose()).collect()
}

fn of_texts(of: &ArrayRef) -> Result<IntervalMonthDayNanoArray> {
    let read = |text: &str| -> Result<IntervalMonthDayNano> {
        Ok(parse_interval_month_day_nano_config(text, IntervalParseConfig::new(Unit::Second))?)
    };
    let texts = cast(of, &DataType::Utf8)?;
    texts.as_string::<i32>().iter().map(|text| text.map(read).transpose()).collect()
}

fn of_whole_days(of: IntervalMonthDayNanoArray) -> Result<IntervalMonthDayNanoArray> {
    if of.iter().flatten().any(|one| one.nanoseconds % NANOSECONDS_OF_DAY != 0) {
        return Err(DataFusionError::Execution(NO_HOURS.into()));
    }
    Ok(of)
}

/// The nanoseconds, with months of 30 days and days of 24 hours.
fn length(of: IntervalMonthDayNano) -> i128 {
    let days = i128::from(of.months) * DAYS_OF_MONTH + i128::from(of.days);
    days * i128::from(NANOSECONDS_OF_DAY) + i128::from(of.nanoseconds)
}

fn out_of_range() -> DataFusionError {
    DataFusionError::Execution("the interval is out of range".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{DurationMicrosecondArray, DurationSecondArray, StringArray};

    const HOUR: i64 = 3_600_000_000_000;

    #[test]
    fn a_span_has_whole_days_and_the_rest() {
        let of = IntervalMonthDayNano::new;
        let spans: ArrayRef =
            Arc::new(DurationMicrosecondArray::from(vec![Some(53 * 3_600_000_000), Some(-90_000_000_000), None]));
        let found: Vec<_> = intervals(&spans).unwrap().iter().collect();
        assert_eq!(found, [Some(of(0, 2, 5 * HOUR)), Some(of(0, -1, -HOUR)), None]);
        let long: ArrayRef = Arc::new(DurationSecondArray::from(vec![i64::MAX]));
        assert!(intervals(&long).is_err());
    }

    #[test]
    fn lengths_are_compared_as_in_postgresql() {
        let of = IntervalMonthDayNano::new;
        assert_eq!(length(of(1, 0, 0)), length(of(0, 30, 0)));
        assert_eq!(length(of(0, 1, 0)), length(of(0, 0, 24 * HOUR)));
        assert_eq!(length(of(12, 0, 0)), length(of(0, 360, 0)));
        assert!(length(of(0, 40, 0)) > length(of(1, 0, 0)) && length(of(0, 0, 25 * HOUR)) > length(of(0, 1, 0)));
        let longest = length(IntervalMonthDayNano::MAX);
        assert!(longest > 0 && longest < 10_i128.pow(u32::from(DECIMAL128_MAX_PRECISION)));
    }

    #[test]
    fn a_number_without_a_unit_has_seconds() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("5"), Some("1 day 2 hours"), None]));
        let found: Vec<_> = of_texts(&texts).unwrap().iter().collect();
        let of = IntervalMonthDayNano::new;
        assert_eq!(found, [Some(of(0, 0, 5_000_000_000)), Some(of(0, 1, 2 * HOUR)), None]);
        let wrong: ArrayRef = Arc::new(StringArray::from(vec!["soon"]));
        assert!(of_texts(&wrong).is_err());
    }

    #[test]
    fn a_day_takes_whole_days_alone() {
        let of = IntervalMonthDayNano::new;
        let whole = IntervalMonthDayNanoArray::from(vec![of(1, 2, 0), of(0, 0, 48 * HOUR)]);
        assert!(of_whole_days(whole).is_ok());
        assert!(of_whole_days(IntervalMonthDayNanoArray::from(vec![of(0, 0, 25 * HOUR)])).is_err());
    }
}
