//! The functions that questions may use: those that compute. Functions of the engine that read a file, the network or
//! a setting are left out, and so are those that a later version adds to another category.

use super::checked_arithmetic::CheckedArithmetic;
use super::checked_sum::checked_sum;
use super::decimals::{DecimalDivision, float_average};
use super::expressions::PostgresExpressions;
use super::guarded_division::GuardedDivision;
use super::intervals::Intervals;
use super::like_escape::LikeEscape;
use super::long_periods::with_long_periods;
use super::make_timestamp::make_timestamp;
use super::ordered_sets::ordered_sets;
use super::overlaps::overlaps;
use super::percentile::exact_percentiles;
use super::quotient::quotient;
use super::templates::with_templates;
use super::text_values::TextValues;
use super::today::today;
use super::width_bucket::width_bucket;
use datafusion::catalog::TableFunction;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::SessionStateDefaults;
use datafusion::functions::{core, datetime, math, regex, string, unicode};
use datafusion::functions_aggregate::all_default_aggregate_functions;
use datafusion::functions_nested::all_default_nested_functions;
use datafusion::functions_window::all_default_window_functions;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use std::sync::Arc;

/// Table functions that make rows of numbers, one after the other.
const TABLE_FUNCTIONS: [&str; 2] = ["generate_series", "range"];
/// Functions about the files that a question reads, which are left out.
const OF_FILES: [&str; 2] = ["input_file_name", "file_row_index"];

/// A state with these functions, and with no file format, no table factory and no other table function.
pub fn with_functions(builder: SessionStateBuilder) -> SessionStateBuilder {
    builder
        .with_expr_planners(planners())
        .with_scalar_functions(scalar_functions())
        .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
        .with_aggregate_functions(aggregate_functions())
        .with_window_functions(all_default_window_functions())
        .with_table_function_list(table_functions())
        .with_analyzer_rule(Arc::new(GuardedDivision))
        .with_analyzer_rule(Arc::new(CheckedArithmetic::new()))
        .with_analyzer_rule(Arc::new(LikeEscape::new()))
        .with_analyzer_rule(Arc::new(Intervals))
        .with_analyzer_rule(Arc::new(TextValues::new()))
}

/// The first planner that plans an expression wins.
fn planners() -> Vec<Arc<dyn ExprPlanner>> {
    let mut all: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(DecimalDivision), Arc::new(PostgresExpressions::new())];
    all.extend(SessionStateDefaults::default_expr_planners());
    all
}

/// The last function of a name wins.
fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    let mut all = all_default_aggregate_functions();
    all.extend([checked_sum(), float_average()]);
    all.extend(exact_percentiles());
    all.extend(ordered_sets());
    all
}

fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let categories =
        [core::functions(), datetime::functions(), math::functions(), regex::functions(), string::functions()];
    let mut all: Vec<Arc<ScalarUDF>> = categories.into_iter().flatten().collect();
    all.extend(unicode::functions());
    all.extend(all_default_nested_functions());
    all.retain(|one| !OF_FILES.contains(&one.name()));
    // The last function of a name wins.
    all.extend([today(), quotient(), make_timestamp(), overlaps(), width_bucket(), with_long_periods()]);
    all.extend(with_templates());
    all
}

fn table_functions() -> Vec<Arc<TableFunction>> {
    let all = SessionStateDefaults::default_table_functions();
    all.into_iter().filter(|one| TABLE_FUNCTIONS.contains(&one.name())).collect()
}
