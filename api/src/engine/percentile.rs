//! `percentile_cont` and `median`, which interpolate exactly. DataFusion's own truncate: `percentile_cont` the weight
//! of the upper value after six digits, `median` the half between two amounts of money.

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, FieldRef, Schema};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::median::median_udaf;
use datafusion::functions_aggregate::percentile_cont::percentile_cont_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, Signature};
use std::sync::Arc;

/// The functions, in the place of the engine's `percentile_cont` (and `quantile_cont`) and `median`.
pub fn exact_percentiles() -> [Arc<AggregateUDF>; 2] {
    let made = |own, is_median| Arc::new(AggregateUDF::new_from_impl(Percentile { own, is_median }));
    [made(percentile_cont_udaf(), false), made(median_udaf(), true)]
}

/// A function with the engine's own, which has its name and signature.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Percentile {
    own: Arc<AggregateUDF>,
    is_median: bool,
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn aliases(&self) -> &[String] {
        self.own.aliases()
    }

    fn signature(&self) -> &Signature {
        self.own.signature()
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let values = Field::new_list_field(DataType::Float64, true);
        Ok(vec![Arc::new(Field::new_list(format!("{}[values]", arguments.name), values, true))])
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let descends = arguments.order_bys.first().is_some_and(|order| order.options.descending);
        let share = if self.is_median { 0.5 } else { share(&arguments, "percentile_cont")? };
        let share = if descends { 1.0 - share } else { share };
        Ok(Box::new(Values { values: Vec::new(), share, is_distinct: arguments.is_distinct }))
    }

    fn supports_within_group_clause(&self) -> bool {
        self.own.supports_within_group_clause()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.own.order_sensitivity()
    }
}

/// The share of values below the wanted one, which has to be a constant: the second argument of the function of a name.
///
/// # Errors
/// When it is none, or does not lie from 0 to 1.
pub fn share(arguments: &AccumulatorArgs, name: &str) -> Result<f64> {
    let refused = || DataFusionError::Plan(format!("{name} needs a constant from 0 to 1, such as 0.95"));
    let expression = arguments.exprs.get(1).ok_or_else(refused)?;
    let nothing = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match expression.evaluate(&nothing).map_err(|_| refused())? {
        ColumnarValue::Scalar(value) => match value.cast_to(&DataType::Float64)? {
            ScalarValue::Float64(Some(share)) if (0.0..=1.0).contains(&share) => Ok(share),
            _ => Err(refused()),
        },
        ColumnarValue::Array(_) => Err(refused()),
    }
}

/// The values seen.
#[derive(Debug)]
struct Values {
    values: Vec<f64>,
    share: f64,
    is_distinct: bool,
}

/// The values of the first argument that are not null.
fn floats(arguments: &[ArrayRef]) -> Result<Vec<f64>> {
    let Some(values) = arguments.first() else { return Ok(Vec::new()) };
    let values = cast(values, &DataType::Float64)?;
    Ok(values.as_primitive::<Float64Type>().iter().flatten().collect())
}

impl Accumulator for Values {
    fn update_batch(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        self.values.extend(floats(arguments)?);
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut values = self.values.clone();
        if self.is_distinct {
            values.sort_unstable_by(f64::total_cmp);
            values.dedup();
        }
        Ok(ScalarValue::Float64(interpolated(&mut values, self.share)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<f64>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: ArrayRef = Arc::new(Float64Array::from(std::mem::take(&mut self.values)));
        let list = ScalarValue::List(Arc::new(arrow_array::ListArray::new(
            Arc::new(Field::new_list_field(DataType::Float64, true)),
            arrow_buffer::OffsetBuffer::from_lengths([values.len()]),
            values,
            None,
        )));
        Ok(vec![list])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states.first() else { return Ok(()) };
        for list in lists.as_list::<i32>().iter().flatten() {
            self.values.extend(floats(&[list])?);
        }
        Ok(())
    }

    fn retract_batch(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        for gone in floats(arguments)? {
            if let Some(index) = self.values.iter().position(|value| value.total_cmp(&gone).is_eq()) {
                self.values.swap_remove(index);
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// The value below which a share of the values lies, between the two nearest ones; None without values.
fn interpolated(values: &mut [f64], share: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let position = share * last as f64;
    let lower = (position.floor() as usize).min(last);
    let (_, low, above) = values.select_nth_unstable_by(lower, f64::total_cmp);
    let low = *low;
    let high = above.iter().copied().min_by(f64::total_cmp);
    let weight = position - position.floor();
    Some(match high {
        Some(high) if weight > 0.0 => low + (high - low) * weight,
        _ => low,
    })
}

#[cfg(test)]
mod tests {
    use super::interpolated;

    #[test]
    fn a_percentile_lies_between_the_two_nearest_values() {
        assert_eq!(interpolated(&mut [], 0.5), None);
        assert_eq!(interpolated(&mut [3.0], 0.95), Some(3.0));
        assert_eq!(interpolated(&mut [4.0, 1.0, 3.0, 2.0], 0.5), Some(2.5));
        assert_eq!(interpolated(&mut [4.0, 1.0, 3.0, 2.0], 1.0), Some(4.0));
        let mut values: Vec<f64> = (0..1_500).map(|n| f64::from(n) * 1e9).collect();
        let found = interpolated(&mut values, 0.95).unwrap();
        assert!((found - 1_424.05e9).abs() < 1.0, "{found}");
    }
}
