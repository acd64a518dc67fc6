//! Arithmetic of whole numbers that fails where a result is out of range, divisions by zero that fail, and casts to
//! whole numbers that round. DataFusion's own arithmetic wraps around, so that the sum of two large numbers is
//! negative, it divides floating-point numbers by zero, and its casts truncate.

use super::rewrite;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Datum};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef};
use datafusion::arrow::compute::kernels::numeric::{add, div, mul, neg, rem, sub};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;
use std::sync::Arc;

/// Puts checked functions in the place of operators. It has to follow the coercion of types, after which both sides
/// have one type.
#[derive(Debug)]
pub struct CheckedArithmetic {
    add: Arc<ScalarUDF>,
    subtract: Arc<ScalarUDF>,
    multiply: Arc<ScalarUDF>,
    divide: Arc<ScalarUDF>,
    remainder: Arc<ScalarUDF>,
    negate: Arc<ScalarUDF>,
    round: Arc<ScalarUDF>,
}

impl CheckedArithmetic {
    pub fn new() -> Self {
        Self {
            add: made(Operation::Add, 2),
            subtract: made(Operation::Subtract, 2),
            multiply: made(Operation::Multiply, 2),
            divide: made(Operation::Divide, 2),
            remainder: made(Operation::Remainder, 2),
            negate: made(Operation::Negate, 1),
            round: made(Operation::Round, 1),
        }
    }

    /// The function for an expression that computes with whole numbers, or divides floating-point numbers.
    fn function(&self, expression: &Expr, schema: &DFSchema) -> Result<Option<&Arc<ScalarUDF>>> {
        let is_whole = |one: &Expr| one.get_type(schema).map(|of| of.is_integer());
        let has_floats = |one: &Expr| one.get_type(schema).map(|of| is_float(&of));
        Ok(match expression {
            Expr::Cast(cast) if cast.field.data_type().is_integer() => {
                let of = cast.expr.get_type(schema)?;
                (of.is_decimal() || is_float(&of)).then_some(&self.round)
            }
            Expr::Negative(of) if is_whole(of)? => Some(&self.negate),
            Expr::BinaryExpr(binary) if matches!(binary.op, Operator::Divide | Operator::Modulo) => {
                let function = if binary.op == Operator::Divide { &self.divide } else { &self.remainder };
                (has_floats(&binary.left)? && has_floats(&binary.right)?).then_some(function)
            }
            Expr::BinaryExpr(binary) => {
                let function = match binary.op {
                    Operator::Plus => &self.add,
                    Operator::Minus => &self.subtract,
                    Operator::Multiply => &self.multiply,
                    _ => return Ok(None),
                };
                (is_whole(&binary.left)? && is_whole(&binary.right)?).then_some(function)
            }
            _ => None,
        })
    }

    fn checked(&self, expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let Some(function) = self.function(&expression, schema)? else { return Ok(Transformed::no(expression)) };
        let function = Arc::clone(function);
        let arguments = match expression {
            Expr::Cast(cast) => {
                let rounded = Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![*cast.expr]));
                return Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(rounded), field: cast.field })));
            }
            Expr::BinaryExpr(binary) => vec![*binary.left, *binary.right],
            Expr::Negative(of) => vec![*of],
            other => return Ok(Transformed::no(other)),
        };
        Ok(Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))))
    }
}

impl AnalyzerRule for CheckedArithmetic {
    fn name(&self) -> &'static str {
        "checked_arithmetic"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite::expressions(plan, |expression, schema| self.checked(expression, schema))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Negate,
    Round,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    operation: Operation,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &'static str {
        match self.operation {
            Operation::Add => "checked_add",
            Operation::Subtract => "checked_subtract",
            Operation::Multiply => "checked_multiply",
            Operation::Divide => "checked_divide",
            Operation::Remainder => "checked_remainder",
            Operation::Negate => "checked_negate",
            Operation::Round => "rounded",
        }
    }

    /// The name that the operator gives to its column. A cast gives none.
    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let sign = match self.operation {
            Operation::Add => Operator::Plus,
            Operation::Multiply => Operator::Multiply,
            Operation::Divide => Operator::Divide,
            Operation::Remainder => Operator::Modulo,
            Operation::Subtract | Operation::Negate | Operation::Round => Operator::Minus,
        };
        match arguments {
            [one] if self.operation == Operation::Round => Ok(one.schema_name().to_string()),
            [one] => Ok(format!("({sign} {})", one.schema_name())),
            [left, right] => Ok(format!("{} {sign} {}", left.schema_name(), right.schema_name())),
            _ => Err(DataFusionError::Internal(format!("{} of {} arguments", self.name(), arguments.len()))),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let first = arguments.first();
        let first = first.ok_or_else(|| DataFusionError::Internal(format!("{} of nothing", self.name())))?;
        Ok(match (self.operation, first) {
            (Operation::Round, DataType::Decimal256(..)) => DataType::Decimal256(DECIMAL256_MAX_PRECISION, 0),
            (Operation::Round, of) if of.is_decimal() => DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0),
            (_, of) => of.clone(),
        })
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let computed = match (self.operation, arguments.args.as_slice()) {
            (Operation::Add, [left, right]) => apply(left, right, add),
            (Operation::Subtract, [left, right]) => apply(left, right, sub),
            (Operation::Multiply, [left, right]) => apply(left, right, mul),
            (Operation::Divide, [left, right]) => apply(left, right, |left, right| nonzero(left, right, div)),
            (Operation::Remainder, [left, right]) => apply(left, right, |left, right| nonzero(left, right, rem)),
            (Operation::Negate, [one]) => each(one, |array| Ok(neg(array.as_ref())?)),
            (Operation::Round, [one]) => each(one, |array| rounded(array, arguments.return_field.data_type())),
            _ => Err(DataFusionError::Internal(format!("{} of {} arguments", self.name(), arguments.args.len()))),
        };
        computed.map_err(|error| match error {
            DataFusionError::ArrowError(error, _) if !matches!(*error, ArrowError::DivideByZero) => {
                DataFusionError::Execution(format!("{error}: the number is too large, cast it AS NUMERIC"))
            }
            other => other,
        })
    }
}

/// The function that rounds a floating-point number to the nearest whole one, to the even one of two.
pub fn half_even() -> Arc<ScalarUDF> {
    made(Operation::Round, 1)
}

fn made(operation: Operation, arguments: usize) -> Arc<ScalarUDF> {
    let signature = Signature::any(arguments, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Checked { operation, signature }))
}

pub fn is_float(of: &DataType) -> bool {
    matches!(of, DataType::Float32 | DataType::Float64)
}

/// A division of floating-point numbers, none of them by zero.
fn nonzero(
    left: &dyn Datum,
    right: &dyn Datum,
    divide: impl Fn(&dyn Datum, &dyn Datum) -> std::result::Result<ArrayRef, ArrowError>,
) -> std::result::Result<ArrayRef, ArrowError> {
    let computed = divide(left, right)?;
    let is_by_zero = match computed.data_type() {
        DataType::Float32 => is_by_zero::<Float32Type>(left, right, &computed),
        _ => is_by_zero::<Float64Type>(left, right, &computed),
    };
    if is_by_zero { Err(ArrowError::DivideByZero) } else { Ok(computed) }
}

/// Whether a number was divided by zero. As in PostgreSQL, NaN may be.
fn is_by_zero<T>(left: &dyn Datum, right: &dyn Datum, computed: &ArrayRef) -> bool
where
    T: ArrowPrimitiveType<Native: Into<f64>>,
{
    let value = |(array, is_one): (&dyn Array, bool), row: usize| -> f64 {
        array.as_primitive::<T>().value(if is_one { 0 } else { row }).into()
    };
    let computed = computed.as_primitive::<T>();
    (0..computed.len()).any(|row| {
        let number: f64 = computed.value(row).into();
        !number.is_finite()
            && computed.is_valid(row)
            && value(right.get(), row) == 0.0
            && !value(left.get(), row).is_nan()
    })
}

fn each(of: &ColumnarValue, compute: impl Fn(&ArrayRef) -> Result<ArrayRef>) -> Result<ColumnarValue> {
    Ok(match of {
        ColumnarValue::Array(array) => ColumnarValue::Array(compute(array)?),
        ColumnarValue::Scalar(scalar) => {
            let array = compute(&scalar.to_array()?)?;
            ColumnarValue::Scalar(ScalarValue::try_from_array(array.as_ref(), 0)?)
        }
    })
}

/// The nearest whole numbers, as PostgreSQL and DuckDB round: of floating-point numbers the even one of two that are
/// equally near, of decimals the one farther from zero.
fn rounded(of: &ArrayRef, decimal: &DataType) -> Result<ArrayRef> {
    let rounded: ArrayRef = match of.data_type() {
        DataType::Float32 => Arc::new(of.as_primitive::<Float32Type>().unary::<_, Float32Type>(f32::round_ties_even)),
        DataType::Float64 => Arc::new(of.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round_ties_even)),
        _ => cast_with_options(of, decimal, &CastOptions { safe: false, ..CastOptions::default() })?,
    };
    Ok(rounded)
}
