//! Finds of what the values of a column are made.

use datafusion::common::Column;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};

/// The source of the values of a column.
pub enum Source<'p> {
    /// An expression over the columns of a plan, or over none.
    Expression(&'p Expr, Option<&'p LogicalPlan>),
    /// A table.
    Table,
    /// A plan that is not looked into.
    Unknown,
}

/// The sources of the values of a column of plans; a union has several.
pub fn of_column<'p>(column: &Column, inputs: &[&'p LogicalPlan]) -> Vec<Source<'p>> {
    let found = inputs.iter().find_map(|input| Some((*input, input.schema().maybe_index_of_column(column)?)));
    found.map_or_else(|| vec![Source::Unknown], |(input, index)| of_output(input, index))
}

/// The sources of the values of a column of a plan, by index.
pub fn of_output(plan: &LogicalPlan, index: usize) -> Vec<Source<'_>> {
    let mut sources = Vec::new();
    find(plan, index, &mut sources);
    sources
}

fn find<'p>(plan: &'p LogicalPlan, index: usize, sources: &mut Vec<Source<'p>>) {
    let of_expression = |one: Option<&'p Expr>, input: &'p LogicalPlan| match one {
        Some(one) => Source::Expression(one, Some(input)),
        None => Source::Unknown,
    };
    match plan {
        LogicalPlan::Values(of) => sources.extend(of.values.iter().map(|row| match row.get(index) {
            Some(one) => Source::Expression(one, None),
            None => Source::Unknown,
        })),
        LogicalPlan::Projection(of) => sources.push(of_expression(of.expr.get(index), &of.input)),
        LogicalPlan::Aggregate(of) => {
            // The columns of grouping sets are others.
            let has_sets = of.group_expr.iter().any(|one| matches!(one, Expr::GroupingSet(_)));
            let one = of.group_expr.iter().chain(&of.aggr_expr).nth(index).filter(|_| !has_sets);
            sources.push(of_expression(one, &of.input));
        }
        LogicalPlan::Window(of) => match index.checked_sub(of.input.schema().fields().len()) {
            None => find(&of.input, index, sources),
            Some(index) => sources.push(of_expression(of.window_expr.get(index), &of.input)),
        },
        LogicalPlan::Join(of) => match index.checked_sub(of.left.schema().fields().len()) {
            None => find(&of.left, index, sources),
            Some(index) => find(&of.right, index, sources),
        },
        LogicalPlan::Union(of) => of.inputs.iter().for_each(|input| find(input, index, sources)),
        LogicalPlan::SubqueryAlias(of) => find(&of.input, index, sources),
        LogicalPlan::Filter(of) => find(&of.input, index, sources),
        LogicalPlan::Sort(of) => find(&of.input, index, sources),
        LogicalPlan::Limit(of) => find(&of.input, index, sources),
        LogicalPlan::Distinct(Distinct::All(input)) => find(input, index, sources),
        LogicalPlan::TableScan(_) | LogicalPlan::EmptyRelation(_) => sources.push(Source::Table),
        _ => sources.push(Source::Unknown),
    }
}
