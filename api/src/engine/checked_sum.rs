//! `sum`, which fails where the result is out of range. DataFusion's own `sum` wraps around.
//!
//! It adds in a wider type, and narrows the result.

use arrow_array::{ArrayRef, BooleanArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};
use std::sync::Arc;

/// The function, in the place of the engine's `sum`.
pub fn checked_sum() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(CheckedSum(sum_udaf())))
}

/// The function with the engine's own.
#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedSum(Arc<AggregateUDF>);

/// The type in which to add for a type of results; None where the type itself has room, or rounds.
fn wider(of: &DataType) -> Option<DataType> {
    match of {
        DataType::Int64 | DataType::UInt64 => Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0)),
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => {
            Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, *scale))
        }
        DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale) => {
            Some(DataType::Decimal256(DECIMAL256_MAX_PRECISION, *scale))
        }
        _ => None,
    }
}

/// A field of a wider type.
fn widened(field: &FieldRef) -> Option<FieldRef> {
    wider(field.data_type()).map(|of| Arc::new(field.as_ref().clone().with_data_type(of)))
}

fn cast(values: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(values, to, &options)
        .map_err(|error| DataFusionError::Execution(format!("{error}: the sum is too large")))
}

impl CheckedSum {
    /// The engine's accumulator over a wider type, and the type of results.
    fn inner<A>(
        &self,
        arguments: AccumulatorArgs,
        of: impl Fn(&AggregateUDF, AccumulatorArgs) -> Result<Box<A>>,
    ) -> Result<(Box<A>, Option<Narrow>)>
    where
        A: ?Sized,
    {
        let Some(field) = widened(&arguments.return_field) else { return Ok((of(self.0.as_ref(), arguments)?, None)) };
        let narrow = Narrow { wide: field.data_type().clone(), result: arguments.return_field.data_type().clone() };
        let inner = of(self.0.as_ref(), AccumulatorArgs { return_field: field, ..arguments })?;
        Ok((inner, Some(narrow)))
    }
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.0.return_type(arguments)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        match widened(&arguments.return_field) {
            Some(field) => self.0.state_fields(StateFieldsArgs { return_field: field, ..arguments }),
            None => self.0.state_fields(arguments),
        }
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let (inner, narrow) = self.inner(arguments, AggregateUDF::accumulator)?;
        let sum: Box<dyn Accumulator> = match narrow {
            Some(narrow) => Box::new(Sum { inner, narrow }),
            None => inner,
        };
        Ok(sum)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        self.0.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let (inner, narrow) = self.inner(arguments, AggregateUDF::create_groups_accumulator)?;
        let sum: Box<dyn GroupsAccumulator> = match narrow {
            Some(narrow) => Box::new(GroupSums { inner, narrow }),
            None => inner,
        };
        Ok(sum)
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if arguments.is_distinct {
            let message = "SUM(DISTINCT …) OVER a frame that slides is not supported: sum over a subquery";
            return Err(DataFusionError::NotImplemented(message.into()));
        }
        let (inner, narrow) = self.inner(arguments, AggregateUDF::create_sliding_accumulator)?;
        let sum: Box<dyn Accumulator> = match narrow {
            Some(narrow) => Box::new(Sum { inner, narrow }),
            None => inner,
        };
        Ok(sum)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The wider type, and the type of results.
#[derive(Debug)]
struct Narrow {
    wide: DataType,
    result: DataType,
}

impl Narrow {
    fn widen(&self, values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        values.iter().map(|values| cast(values, &self.wide)).collect()
    }
}

/// One sum.
#[derive(Debug)]
struct Sum {
    inner: Box<dyn Accumulator>,
    narrow: Narrow,
}

impl Accumulator for Sum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(&self.narrow.widen(values)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = cast(&self.inner.evaluate()?.to_array()?, &self.narrow.result)?;
        ScalarValue::try_from_array(sum.as_ref(), 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&self.narrow.widen(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

/// The sums of groups.
struct GroupSums {
    inner: Box<dyn GroupsAccumulator>,
    narrow: Narrow,
}

impl GroupsAccumulator for GroupSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        number: usize,
    ) -> Result<()> {
        self.inner.update_batch(&self.narrow.widen(values)?, groups, filter, number)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        cast(&self.inner.evaluate(emit_to)?, &self.narrow.result)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], number: usize) -> Result<()> {
        self.inner.merge_batch(states, groups, number)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(&self.narrow.widen(values)?, filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
