//! `(a, b) OVERLAPS (c, d)` of PostgreSQL: whether two spans of time have a moment in common. Each has its two ends in
//! any order, or its beginning and its length. [`super::forms`] writes it as the call of this function.

use super::local_times::ZONE_OF_INSTANTS;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use datafusion::arrow::compute::kernels::numeric::add;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use std::cmp::Ordering;
use std::sync::Arc;

pub const NAME: &str = "overlaps";
const LENGTH: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// The function.
pub fn overlaps() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Overlaps { signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Overlaps {
    signature: Signature,
}

impl ScalarUDFImpl for Overlaps {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let is_time =
            |of: &DataType| matches!(of, DataType::Date32 | DataType::Timestamp(..)) || of.is_string() || of.is_null();
        let is_length = |of: &DataType| matches!(of, DataType::Interval(_));
        let is_right = match given {
            [a, b, c, d] => {
                [a, c].into_iter().all(is_time) && [b, d].into_iter().all(|of| is_time(of) || is_length(of))
            }
            _ => false,
        };
        if !is_right {
            let message = "OVERLAPS compares days and times: write (begin, end) OVERLAPS (begin, end)";
            return Err(DataFusionError::Plan(message.into()));
        }
        let has_zone = given.iter().any(|of| matches!(of, DataType::Timestamp(_, Some(_))));
        let time = DataType::Timestamp(TimeUnit::Microsecond, has_zone.then(|| ZONE_OF_INSTANTS.into()));
        Ok(given.iter().map(|of| if is_length(of) { LENGTH } else { time.clone() }).collect())
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let columns: Vec<ArrayRef> =
            arguments.args.iter().map(|given| given.to_array_of_size(rows)).collect::<Result<_>>()?;
        let [a, b, c, d] = columns.as_slice() else {
            return Err(DataFusionError::Internal(format!("{NAME} of {} arguments", columns.len())));
        };
        let ends = [microseconds(a)?, end(a, b)?, microseconds(c)?, end(c, d)?];
        let [a, b, c, d] = ends.each_ref().map(AsArray::as_primitive::<TimestampMicrosecondType>);
        let pairs = a.iter().zip(b.iter()).zip(c.iter().zip(d.iter()));
        let found: BooleanArray = pairs.map(|(one, other)| overlap(one, other)).collect();
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

/// The times without their zone, which is that of all.
fn microseconds(times: &ArrayRef) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(times, &DataType::Timestamp(TimeUnit::Microsecond, None), &options)?)
}

/// The second end of spans, which may be given by their lengths.
fn end(begin: &ArrayRef, end: &ArrayRef) -> Result<ArrayRef> {
    match end.data_type() {
        DataType::Interval(_) => microseconds(&add(begin, end)?),
        _ => microseconds(end),
    }
}

type Span = (Option<i64>, Option<i64>);

/// Null where it depends on an end that is unknown.
fn overlap(one: Span, other: Span) -> Option<bool> {
    let ((begin, end), (other_begin, other_end)) = (ordered(one)?, ordered(other)?);
    match begin.cmp(&other_begin) {
        Ordering::Greater => begins_within(begin, end, other_end),
        Ordering::Less => begins_within(other_begin, other_end, end),
        Ordering::Equal => end.and(other_end).map(|_| true),
    }
}

/// Whether the later span begins before the end of the earlier one. If not, it has to be known where it ends.
fn begins_within(begin: i64, end: Option<i64>, end_of_earlier: Option<i64>) -> Option<bool> {
    if begin < end_of_earlier? { Some(true) } else { end.map(|_| false) }
}

/// The beginning and the end. An end that is unknown is the later one.
fn ordered((one, other): Span) -> Option<(i64, Option<i64>)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.min(other), Some(one.max(other)))),
        (one, other) => Some((one.or(other)?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_overlap_as_in_postgresql() {
        let all = |begin, end| (Some(begin), Some(end));
        for (one, other, expected) in [
            (all(1, 5), all(4, 9), Some(true)),
            (all(5, 1), all(9, 4), Some(true)),
            // The end does not belong to a span, unless it is its beginning.
            (all(1, 5), all(5, 9), Some(false)),
            (all(5, 5), all(5, 9), Some(true)),
            (all(5, 5), all(1, 5), Some(false)),
            (all(1, 2), all(3, 4), Some(false)),
            ((Some(1), None), all(3, 4), None),
            ((Some(3), None), all(1, 4), Some(true)),
            ((None, Some(3)), all(1, 4), Some(true)),
            ((Some(5), None), all(1, 4), None),
            ((None, None), all(1, 4), None),
        ] {
            assert_eq!(overlap(one, other), expected, "{one:?} {other:?}");
            assert_eq!(overlap(other, one), expected, "{other:?} {one:?}");
        }
    }
}
