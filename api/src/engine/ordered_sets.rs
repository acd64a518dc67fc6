//! `percentile_disc` and `mode`, the aggregates of PostgreSQL that answer the value of one row of an ordered set. They
//! take every type that sorts, and leave nulls out. They sort by themselves, so that several orders stand in a SELECT.

use super::percentile::share;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, Float64Array, ListArray, new_empty_array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, FieldRef};
use datafusion::arrow::compute::{SortOptions, concat, filter, is_not_null, partition, sort_to_indices, take};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use std::sync::Arc;

/// The functions, each with how to write it.
pub const WRITTEN: [(&str, &str); 2] = [
    ("mode", "mode() WITHIN GROUP (ORDER BY column)"),
    ("percentile_disc", "percentile_disc(0.5) WITHIN GROUP (ORDER BY column)"),
];

/// The functions.
pub fn ordered_sets() -> [Arc<AggregateUDF>; 2] {
    [false, true].map(|has_share| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(OrderedSet { has_share, signature }))
    })
}

/// `percentile_disc`, which has a share, or `mode`. The first argument is the value that is sorted.
#[derive(Debug, PartialEq, Eq, Hash)]
struct OrderedSet {
    has_share: bool,
    signature: Signature,
}

impl OrderedSet {
    fn written(&self) -> (&'static str, &'static str) {
        WRITTEN[usize::from(self.has_share)]
    }
}

impl AggregateUDFImpl for OrderedSet {
    fn name(&self) -> &str {
        self.written().0
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        // A parameter has no type yet.
        let is_share = |of: &DataType| of.is_numeric() || of.is_string() || of.is_null();
        match given {
            [of] if !self.has_share => Ok(vec![sortable(of)?]),
            [of, share] if self.has_share && is_share(share) => Ok(vec![sortable(of)?, DataType::Float64]),
            _ => Err(DataFusionError::Plan(format!("write {}", self.written().1))),
        }
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [of, ..] => sortable(of),
            [] => Err(DataFusionError::Plan(format!("write {}", self.written().1))),
        }
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let values = Field::new_list_field(arguments.return_field.data_type().clone(), true);
        Ok(vec![Arc::new(Field::new_list(format!("{}[values]", arguments.name), values, true))])
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if arguments.is_distinct {
            let message = format!("{} takes no DISTINCT, as in PostgreSQL", self.name());
            return Err(DataFusionError::Plan(message));
        }
        let share = if self.has_share { Some(share(&arguments, self.name())?) } else { None };
        let descending = arguments.order_bys.first().is_some_and(|order| order.options.descending);
        let of = arguments.return_field.data_type().clone();
        Ok(Box::new(Values { parts: Vec::new(), bytes: 0, share, descending, of }))
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// The type in which values are sorted.
fn sortable(of: &DataType) -> Result<DataType> {
    match of {
        DataType::Dictionary(_, value) => sortable(value),
        DataType::Null => Ok(DataType::Utf8),
        DataType::Boolean => Ok(DataType::Boolean),
        // Intervals are refused for all aggregates that sort (`super::intervals`).
        of if of.is_numeric() || of.is_string() || of.is_temporal() => Ok(of.clone()),
        other => Err(DataFusionError::Plan(format!("values of the type {other} have no order: take a part of them"))),
    }
}

/// The values seen that are not null.
#[derive(Debug)]
struct Values {
    parts: Vec<ArrayRef>,
    bytes: usize,
    /// None picks the most frequent value.
    share: Option<f64>,
    descending: bool,
    of: DataType,
}

impl Values {
    fn add(&mut self, values: &ArrayRef) -> Result<()> {
        let values = if values.null_count() > 0 { filter(values, &is_not_null(values)?)? } else { Arc::clone(values) };
        if !values.is_empty() {
            // A part is a slice of a batch, and the parts of all groups share it.
            self.bytes += values.to_data().get_slice_memory_size()?;
            self.parts.push(values);
        }
        Ok(())
    }

    fn all(&self) -> Result<Option<ArrayRef>> {
        let parts: Vec<&dyn Array> = self.parts.iter().map(AsRef::as_ref).collect();
        Ok(if parts.is_empty() { None } else { Some(concat(&parts)?) })
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, arguments: &[ArrayRef]) -> Result<()> {
        arguments.first().map_or(Ok(()), |values| self.add(values))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Some(values) = self.all()? else { return ScalarValue::try_from(&self.of) };
        // There are no nulls. With this option the sort ends at its limit.
        let order = Some(SortOptions { descending: self.descending, nulls_first: true });
        let values = with_one_zero(values);
        match self.share {
            Some(share) => {
                let index = percentile_index(share, values.len());
                let indices = sort_to_indices(&values, order, Some(index + 1))?;
                let row = usize::try_from(indices.value(index)).unwrap_or(usize::MAX);
                ScalarValue::try_from_array(&values, row)
            }
            None => {
                let values = take(&values, &sort_to_indices(&values, order, None)?, None)?;
                ScalarValue::try_from_array(&values, most_frequent(&values)?)
            }
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes + self.parts.capacity() * size_of::<ArrayRef>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = match self.all()? {
            Some(values) => values,
            None => new_empty_array(&self.of),
        };
        self.parts.clear();
        self.bytes = 0;
        let field = Arc::new(Field::new_list_field(self.of.clone(), true));
        let list = ListArray::try_new(field, OffsetBuffer::from_lengths([values.len()]), values, None)?;
        Ok(vec![ScalarValue::List(Arc::new(list))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states.first() else { return Ok(()) };
        lists.as_list::<i32>().iter().flatten().try_for_each(|values| self.add(&values))
    }
}

/// The index of a percentile among sorted values, of which there is one at least. PostgreSQL rounds the product in
/// double precision up.
fn percentile_index(share: f64, number: usize) -> usize {
    ((share * number as f64).ceil() as usize).clamp(1, number) - 1
}

/// The index of the first of the values that occur most often. Equal values lie together.
fn most_frequent(values: &ArrayRef) -> Result<usize> {
    let mut most = 0..0;
    for run in partition(std::slice::from_ref(values))?.ranges() {
        if run.len() > most.len() {
            most = run;
        }
    }
    Ok(most.start)
}

/// The values with one zero and one NaN, as PostgreSQL compares them. Arrow tells `-0` from `0`.
fn with_one_zero(values: ArrayRef) -> ArrayRef {
    let Some(numbers) = values.as_primitive_opt::<Float64Type>() else { return values };
    let same = |number: f64| if number.is_nan() { f64::NAN } else { number + 0.0 };
    let numbers: Float64Array = numbers.unary(same);
    Arc::new(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_cast::cast;
    use datafusion::prelude::SessionContext;

    async fn evaluate(value: &str, rows: &str) -> Result<Option<String>> {
        let context = SessionContext::new();
        ordered_sets().iter().for_each(|function| context.register_udaf(function.as_ref().clone()));
        let found = context.sql(&format!("SELECT {value} AS v FROM (VALUES {rows}) AS t (a)")).await?.collect().await?;
        let texts = cast(found[0].column(0), &DataType::Utf8)?;
        Ok(texts.as_string::<i32>().iter().next().flatten().map(str::to_owned))
    }

    #[tokio::test]
    async fn the_value_of_one_row_is_picked() {
        let numbers = "(4), (1), (NULL), (3), (2)";
        let texts = "('b'), ('a'), ('b'), (NULL), ('a'), ('c')";
        for (value, rows, expected) in [
            ("percentile_disc(0.5) WITHIN GROUP (ORDER BY a)", numbers, Some("2")),
            ("percentile_disc(0.5) WITHIN GROUP (ORDER BY a DESC)", numbers, Some("3")),
            ("percentile_disc(0.51) WITHIN GROUP (ORDER BY a)", numbers, Some("3")),
            ("percentile_disc(0) WITHIN GROUP (ORDER BY a)", numbers, Some("1")),
            ("percentile_disc(1) WITHIN GROUP (ORDER BY a)", numbers, Some("4")),
            ("percentile_disc(0.5) WITHIN GROUP (ORDER BY a) FILTER (WHERE a > 2)", numbers, Some("3")),
            ("percentile_disc(0.5) WITHIN GROUP (ORDER BY a) FILTER (WHERE a > 9)", numbers, None),
            ("percentile_disc(0.9) WITHIN GROUP (ORDER BY a)", texts, Some("c")),
            ("mode() WITHIN GROUP (ORDER BY a)", texts, Some("a")),
            ("mode() WITHIN GROUP (ORDER BY a DESC)", texts, Some("b")),
            ("mode() WITHIN GROUP (ORDER BY a)", numbers, Some("1")),
            ("mode() WITHIN GROUP (ORDER BY -a)", "(0.0), (CAST('-0' AS DOUBLE)), (2.0)", Some("0.0")),
            ("percentile_disc(0.5) WITHIN GROUP (ORDER BY CAST(a AS DATE))", "('2025-02-01'), ('2025-01-01')", {
                Some("2025-01-01")
            }),
            ("mode() WITHIN GROUP (ORDER BY CAST(a AS INT))", "(NULL), (NULL)", None),
        ] {
            assert_eq!(evaluate(value, rows).await.unwrap().as_deref(), expected, "{value} of {rows}");
        }
    }

    #[tokio::test]
    async fn what_has_no_share_or_order_is_refused() {
        for (value, message) in [
            ("percentile_disc(1.5) WITHIN GROUP (ORDER BY a)", "from 0 to 1"),
            ("percentile_disc(make_array(0.5)) WITHIN GROUP (ORDER BY a)", "write percentile_disc(0.5)"),
            ("mode(0.5) WITHIN GROUP (ORDER BY a)", "write mode()"),
            ("mode() WITHIN GROUP (ORDER BY make_array(a))", "no order"),
        ] {
            let refused = evaluate(value, "(1), (2)").await.unwrap_err().to_string();
            assert!(refused.contains(message), "{value}: {refused}");
        }
    }

    #[test]
    fn places_are_those_of_double_precision() {
        assert_eq!([0.0, 0.25, 0.26, 1.0].map(|share| percentile_index(share, 4)), [0, 0, 1, 3]);
        // 0.07 * 100 is a little more than 7.
        assert_eq!(percentile_index(0.07, 100), 7);
    }
}
