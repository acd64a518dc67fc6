//! Arithmetic of whole numbers that fails where a result is out of range, and casts to whole numbers that round. The
//! engine's own wraps around, so that a sum of two large numbers would be a negative one, and its casts cut off.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef};
use datafusion::arrow::compute::kernels::numeric::{add, mul, neg, sub};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
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
    negate: Arc<ScalarUDF>,
    round: Arc<ScalarUDF>,
}

impl CheckedArithmetic {
    pub fn new() -> Self {
        let made = |operation, arguments| {
            let signature = Signature::any(arguments, Volatility::Immutable);
            Arc::new(ScalarUDF::new_from_impl(Checked { operation, signature }))
        };
        Self {
            add: made(Operation::Add, 2),
            subtract: made(Operation::Subtract, 2),
            multiply: made(Operation::Multiply, 2),
            negate: made(Operation::Negate, 1),
            round: made(Operation::Round, 1),
        }
    }

    /// The function for an expression that computes with whole numbers.
    fn function(&self, expression: &Expr, schema: &DFSchema) -> Result<Option<&Arc<ScalarUDF>>> {
        let is_whole = |one: &Expr| one.get_type(schema).map(|of| of.is_integer());
        Ok(match expression {
            Expr::Cast(cast) if cast.field.data_type().is_integer() => {
                let of = cast.expr.get_type(schema)?;
                (of.is_decimal() || matches!(of, DataType::Float32 | DataType::Float64)).then_some(&self.round)
            }
            Expr::Negative(of) if is_whole(of)? => Some(&self.negate),
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
        let checked = plan.transform_up_with_subqueries(|node| {
            let schema = merge_schema(&node.inputs());
            let names = NamePreserver::new(&node);
            node.map_expressions(|expression| {
                let name = names.save(&expression);
                let checked = expression.transform_up(|one| self.checked(one, &schema))?;
                Ok(if checked.transformed { checked.update_data(|one| name.restore(one)) } else { checked })
            })?
            .map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(checked.data)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Add,
    Subtract,
    Multiply,
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
            Operation::Negate => "checked_negate",
            Operation::Round => "rounded",
        }
    }

    /// The name that the operator gives to its column. A cast gives none.
    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let sign = match self.operation {
            Operation::Add => Operator::Plus,
            Operation::Multiply => Operator::Multiply,
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
            (Operation::Negate, [one]) => each(one, |array| Ok(neg(array.as_ref())?)),
            (Operation::Round, [one]) => each(one, |array| rounded(array, arguments.return_field.data_type())),
            _ => Err(DataFusionError::Internal(format!("{} of {} arguments", self.name(), arguments.args.len()))),
        };
        computed.map_err(|error| match error {
            DataFusionError::ArrowError(error, _) => {
                DataFusionError::Execution(format!("{error}: the number is too large, cast it AS NUMERIC"))
            }
            other => other,
        })
    }
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
