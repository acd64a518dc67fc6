//! Halves as PostgreSQL rounds them. `round` and a cast to a whole number take the even one of two whole numbers that
//! are equally near to a `double precision` or a `real`, and the one farther from zero for a `numeric`. The engine
//! computes with floating-point numbers for both, so that their type does not tell: averages of whole numbers and
//! numbers with a point are numeric in PostgreSQL. What a number was made of tells. Those that are numeric there are
//! rounded by their decimal digits ([`super::numeric_rounding`]). For the same reason `width_bucket` is exact or not
//! ([`super::width_bucket`]).

use super::checked_arithmetic::{half_even, is_float};
use super::numeric_rounding::Rounding;
use super::{rewrite, width_bucket};
use arrow_schema::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema};
use datafusion::error::Result;
use datafusion::functions::math::round;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Aggregate, BinaryExpr, Cast, Distinct, Expr, ExprSchemable, LogicalPlan, Operator};
use std::cell::Cell;

/// Functions of double precision alone.
const OF_DOUBLES: [&str; 25] = [
    "acos",
    "asin",
    "atan",
    "atan2",
    "cbrt",
    "corr",
    "cos",
    "cot",
    "covar_pop",
    "covar_samp",
    "degrees",
    "percentile_cont",
    "pi",
    "radians",
    "random",
    "regr_avgx",
    "regr_avgy",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "sin",
    "tan",
];
/// Functions that also make a double of a whole number, and a numeric of a numeric.
const OF_WHOLE_NUMBERS: [&str; 6] = ["exp", "ln", "log", "log10", "power", "sqrt"];
/// Most steps to find out of what one number was made. A subquery in a subquery may double them.
const MOST_STEPS: usize = 10_000;

/// The plan with such halves.
///
/// # Errors
/// If the plan cannot be rebuilt.
pub fn as_postgresql(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite::with_inputs(plan, |expression, schema, inputs| Ok(rounded(expression, schema, inputs)))
}

fn rounded(expression: Expr, schema: &DFSchema, inputs: &[&LogicalPlan]) -> Transformed<Expr> {
    // A parameter has no type yet.
    let has_point = |one: &Expr| one.get_type(schema).is_ok_and(|of| is_float(&of));
    let is_double_precision = |one: &Expr| one.get_type(schema).is_ok_and(|of| of == DataType::Float64);
    match expression {
        Expr::ScalarFunction(mut function) if function.name() == width_bucket::NAME => {
            let (mut is_numeric, mut is_double) = (false, false);
            for number in function.args.iter().take(3) {
                is_numeric |= is_part_of_time(number) || number.get_type(schema).is_ok_and(|of| of.is_decimal());
                if has_point(number) {
                    is_numeric = true;
                    is_double |= Origin::new().is_double(number, inputs);
                }
            }
            if is_double || !is_numeric {
                return Transformed::no(Expr::ScalarFunction(function));
            }
            function.func = width_bucket::exact();
            Transformed::yes(Expr::ScalarFunction(function))
        }
        Expr::ScalarFunction(mut function) if function.args.first().is_some_and(has_point) => {
            let Some(rounding) = Rounding::named(function.name()) else {
                return Transformed::no(Expr::ScalarFunction(function));
            };
            let number = &function.args[0];
            if !Origin::new().is_double(number, inputs) && is_double_precision(number) {
                return Transformed::yes(rounding.call(function.args));
            }
            if rounding == Rounding::Round && function.args.len() == 1 && Origin::new().is_double(number, inputs) {
                function.func = half_even();
                return Transformed::yes(Expr::ScalarFunction(function));
            }
            Transformed::no(Expr::ScalarFunction(function))
        }
        Expr::Cast(cast)
            if cast.field.data_type().is_integer()
                && (has_point(&cast.expr) || is_part_of_time(&cast.expr))
                && !Origin::new().is_double(&cast.expr, inputs) =>
        {
            let rounded = if is_double_precision(&cast.expr) {
                Rounding::Round.call(vec![*cast.expr])
            } else {
                Expr::ScalarFunction(ScalarFunction::new_udf(round(), vec![*cast.expr]))
            };
            Transformed::yes(Expr::Cast(Cast { expr: Box::new(rounded), field: cast.field }))
        }
        other => Transformed::no(other),
    }
}

/// Whether it is `EXTRACT(…)`, which is numeric: it gets its fraction later.
fn is_part_of_time(one: &Expr) -> bool {
    matches!(one, Expr::ScalarFunction(function) if function.name() == "date_part")
}

/// Finds out of what a number was made.
struct Origin {
    steps: Cell<usize>,
}

impl Origin {
    fn new() -> Self {
        Self { steps: Cell::new(0) }
    }

    /// Whether PostgreSQL would compute the number in double precision. `inputs` have the columns.
    fn is_double(&self, number: &Expr, inputs: &[&LogicalPlan]) -> bool {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MOST_STEPS {
            return false;
        }
        let is = |one: &Expr| self.is_double(one, inputs);
        match number {
            Expr::Alias(alias) => is(&alias.expr),
            Expr::Negative(of) => is(of),
            Expr::Cast(cast) => is_float(cast.field.data_type()),
            Expr::TryCast(cast) => is_float(cast.field.data_type()),
            Expr::BinaryExpr(division) if is_of_decimals(division, inputs) => {
                [&division.left, &division.right].into_iter().any(|side| match side.as_ref() {
                    Expr::Cast(cast) => is(&cast.expr),
                    other => is(other),
                })
            }
            Expr::BinaryExpr(both) if computes(both.op) => is(&both.left) || is(&both.right),
            Expr::Case(case) => {
                let mut results = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
                results.any(|one| is(one))
            }
            Expr::ScalarFunction(function) => self.of_function(function.name(), &function.args, inputs),
            Expr::AggregateFunction(function) => self.of_function(function.func.name(), &function.params.args, inputs),
            Expr::WindowFunction(function) => self.of_function(function.fun.name(), &function.params.args, inputs),
            Expr::Column(column) => self.is_column_double(column, inputs),
            _ => false,
        }
    }

    fn of_function(&self, name: &str, arguments: &[Expr], inputs: &[&LogicalPlan]) -> bool {
        if OF_DOUBLES.contains(&name) {
            return true;
        }
        let is_any = arguments.iter().any(|one| self.is_double(one, inputs));
        let is_whole = |one: &Expr| one.get_type(&merge_schema(inputs)).is_ok_and(|of| of.is_integer());
        is_any || (OF_WHOLE_NUMBERS.contains(&name) && !arguments.is_empty() && arguments.iter().all(is_whole))
    }

    fn is_column_double(&self, column: &Column, inputs: &[&LogicalPlan]) -> bool {
        let found = inputs.iter().find_map(|input| Some((*input, input.schema().maybe_index_of_column(column)?)));
        found.is_some_and(|(input, index)| self.is_output_double(input, index))
    }

    /// Whether a column of a plan has doubles.
    fn is_output_double(&self, plan: &LogicalPlan, index: usize) -> bool {
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > MOST_STEPS {
            return false;
        }
        match plan {
            LogicalPlan::TableScan(_) => is_float(plan.schema().field(index).data_type()),
            LogicalPlan::Projection(of) => {
                of.expr.get(index).is_some_and(|one| self.is_double(one, &[of.input.as_ref()]))
            }
            LogicalPlan::Aggregate(of) => {
                aggregate_column(of, index).is_some_and(|one| self.is_double(one, &[of.input.as_ref()]))
            }
            LogicalPlan::Window(of) => match index.checked_sub(of.input.schema().fields().len()) {
                None => self.is_output_double(&of.input, index),
                Some(index) => of.window_expr.get(index).is_some_and(|one| self.is_double(one, &[of.input.as_ref()])),
            },
            LogicalPlan::Join(of) => match index.checked_sub(of.left.schema().fields().len()) {
                None => self.is_output_double(&of.left, index),
                Some(index) => self.is_output_double(&of.right, index),
            },
            LogicalPlan::Union(of) => of.inputs.iter().any(|input| self.is_output_double(input, index)),
            LogicalPlan::SubqueryAlias(of) => self.is_output_double(&of.input, index),
            LogicalPlan::Filter(of) => self.is_output_double(&of.input, index),
            LogicalPlan::Sort(of) => self.is_output_double(&of.input, index),
            LogicalPlan::Limit(of) => self.is_output_double(&of.input, index),
            LogicalPlan::Distinct(Distinct::All(input)) => self.is_output_double(input, index),
            _ => false,
        }
    }
}

/// The expression of a column of an aggregation. None with grouping sets, whose columns are others.
fn aggregate_column(of: &Aggregate, index: usize) -> Option<&Expr> {
    if of.group_expr.iter().any(|one| matches!(one, Expr::GroupingSet(_))) {
        return None;
    }
    of.group_expr.iter().chain(&of.aggr_expr).nth(index)
}

/// Whether it is a division of decimals, whose sides [`super::decimals`] casts.
fn is_of_decimals(division: &BinaryExpr, inputs: &[&LogicalPlan]) -> bool {
    let is_decimal = |one: &Expr| {
        let Expr::Cast(cast) = one else { return false };
        *cast.field.data_type() == DataType::Float64
            && cast.expr.get_type(&merge_schema(inputs)).is_ok_and(|of| of.is_decimal())
    };
    let both_are_cast = [&division.left, &division.right].into_iter().all(|one| matches!(one.as_ref(), Expr::Cast(_)));
    division.op == Operator::Divide && both_are_cast && (is_decimal(&division.left) || is_decimal(&division.right))
}

const fn computes(op: Operator) -> bool {
    matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo)
}
