//! Division and averages of decimal numbers in floating-point numbers, as DuckDB computes them. DataFusion's own
//! truncate after four digits: an amount divided by the number of many rows would be zero.

use super::rewrite;
use arrow_schema::{DataType, FieldRef};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::Transformed;
use datafusion::common::types::{NativeType, logical_float64};
use datafusion::error::Result;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, BinaryExpr, Cast, Coercion, Expr, ExprSchemable, GroupsAccumulator,
    LogicalPlan, Operator, ReversedUDAF, Signature, TypeSignature, TypeSignatureClass, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use std::sync::Arc;

/// Plans the division of decimal numbers.
#[derive(Debug)]
pub struct DecimalDivision;

impl ExprPlanner for DecimalDivision {
    fn plan_binary_op(&self, division: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if division.op != BinaryOperator::Divide || !has_decimal(&division.left, &division.right, schema) {
            return Ok(PlannerResult::Original(division));
        }
        Ok(PlannerResult::Planned(float(division.left) / float(division.right)))
    }
}

/// The plan with such divisions also where only the value of a parameter says that a number is decimal.
///
/// # Errors
/// If the plan cannot be rebuilt.
pub fn divided(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite::expressions(plan, |expression, schema| {
        Ok(match expression {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right })
                if has_decimal(&left, &right, schema) =>
            {
                Transformed::yes(float(*left) / float(*right))
            }
            other => Transformed::no(other),
        })
    })
}

fn has_decimal(left: &Expr, right: &Expr, schema: &DFSchema) -> bool {
    [left, right].into_iter().any(|one| one.get_type(schema).is_ok_and(|of| of.is_decimal()))
}

fn float(one: Expr) -> Expr {
    Expr::Cast(Cast::new(Box::new(one), DataType::Float64))
}

/// The function, in the place of the engine's `avg` and `mean`.
pub fn float_average() -> Arc<AggregateUDF> {
    let floats = Coercion::new_implicit(
        TypeSignatureClass::Native(logical_float64()),
        vec![TypeSignatureClass::Numeric],
        NativeType::Float64,
    );
    let durations = Coercion::new_exact(TypeSignatureClass::Duration);
    let signature = Signature::one_of(
        vec![TypeSignature::Coercible(vec![durations]), TypeSignature::Coercible(vec![floats])],
        Volatility::Immutable,
    );
    Arc::new(AggregateUDF::new_from_impl(Average { own: avg_udaf(), signature }))
}

/// The engine's own function, which is given floating-point numbers.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Average {
    own: Arc<AggregateUDF>,
    signature: Signature,
}

impl AggregateUDFImpl for Average {
    fn name(&self) -> &str {
        self.own.name()
    }

    fn aliases(&self) -> &[String] {
        self.own.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.own.return_type(arguments)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.own.state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.own.accumulator(arguments)
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        self.own.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        self.own.create_groups_accumulator(arguments)
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.own.create_sliding_accumulator(arguments)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
