//! Plans and executes one question.

use super::output::Output;
use super::pg_functions::STAND_INS;
use super::plain::{plain_rows, plain_schema};
use super::tables::Tables;
use super::{
    catalog, comparisons, correlated, date_parts, decimals, halves, local_times, misread, numeric_parts, parameters,
    patterns, statement, subqueries, text_values,
};
use api::sql::protocol::{Ask, Failed};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{DataFrame, SQLOptions};
use futures_util::StreamExt;
use std::sync::Arc;

/// The largest limit of rows that is passed on to the engine: a sort then keeps only these.
const FEW_ROWS: u64 = 100_000;

/// Why a question failed.
pub enum Failure {
    Engine(DataFusionError),
    Told(Failed),
    /// The program that asked has closed its end.
    Gone(std::io::Error),
}

impl From<DataFusionError> for Failure {
    fn from(error: DataFusionError) -> Self {
        Self::Engine(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Gone(error)
    }
}

/// Answers a question, or describes its answer.
///
/// # Errors
/// When the question is refused or fails.
pub async fn answer(state: SessionState, tables: &Tables, ask: &Ask, output: &mut Output) -> Result<(), Failure> {
    let plan = state.statement_to_plan(statement::parse(&ask.text)?).await?;
    let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(&plan)?;
    let is_of_catalog = catalog::is_read(&plan)?;
    if !is_of_catalog {
        refuse_stand_ins(&plan)?;
        comparisons::refuse(&plan)?;
    }
    // Parts of times, which are numeric, are computed in double precision afterwards.
    let plan = halves::as_postgresql(numeric_parts::divided(plan)?)?;
    let plan = date_parts::as_postgresql(local_times::as_postgresql(plan)?)?;
    let plan = if is_of_catalog { plan } else { of_analyst(plan)? };
    if ask.describe {
        output.parameters(&parameters::describe(&plan)?)?;
        output.schema(&plain_schema(plan.schema().as_arrow()))?;
        return Ok(output.end(false)?);
    }
    // The value of a parameter may tell that a part is one of an interval.
    let plan = date_parts::as_postgresql(parameters::bind(plan, &ask.parameters)?)?;
    let plan = decimals::divided(plan)?;
    let plan = if is_of_catalog { plan } else { patterns::as_postgresql(plan)? };
    execute(state, plan, tables, ask.rows, output).await
}

/// The plan of an analyst's question with subqueries that the engine takes as PostgreSQL does. Others are refused.
fn of_analyst(plan: LogicalPlan) -> Result<LogicalPlan, DataFusionError> {
    let plan = subqueries::as_postgresql(text_values::with_letters(plan)?)?;
    correlated::refuse(&plan)?;
    misread::in_plan(&plan)?;
    Ok(plan)
}

/// Refuses a function that answers null in the place of its result, which questions to the catalog alone may call.
fn refuse_stand_ins(plan: &LogicalPlan) -> Result<(), DataFusionError> {
    let mut found = None;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|one| {
                if let Expr::ScalarFunction(function) = one {
                    found = found.or(STAND_INS.iter().copied().find(|name| *name == function.name()));
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    match found {
        Some(name) => Err(DataFusionError::Plan(format!(
            "{name} is there for questions of tools to pg_catalog alone: select the columns themselves"
        ))),
        None => Ok(()),
    }
}

async fn execute(
    state: SessionState,
    plan: LogicalPlan,
    tables: &Tables,
    most: u64,
    output: &mut Output,
) -> Result<(), Failure> {
    let is_query = !matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_));
    let mut frame = DataFrame::new(state, plan);
    if is_query && most < FEW_ROWS {
        frame = frame.limit(0, usize::try_from(most).ok().map(|most| most + 1))?;
    }
    let context = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    // Only now it is known which columns the plan reads. Those that the engine lacks are without rows in it.
    let needs = tables.needs();
    if !needs.is_empty() {
        return Err(Failure::Told(Failed::Needs(needs)));
    }
    let mut stream = execute_stream(plan, context)?;
    let schema = plain_schema(&stream.schema());
    let mut left = most;
    let mut truncated = false;
    // The schema follows when there are rows, or none will come: an error before is the answer.
    let mut began = false;
    while let Some(rows) = stream.next().await {
        let mut rows = plain_rows(&rows?, &schema).map_err(DataFusionError::from)?;
        if !began {
            output.schema(&schema)?;
            began = true;
        }
        if rows.num_rows() as u64 > left {
            truncated = true;
            rows = rows.slice(0, usize::try_from(left).unwrap_or(usize::MAX));
        }
        left -= rows.num_rows() as u64;
        if rows.num_rows() > 0 {
            output.batch(&rows)?;
        }
        if truncated {
            break;
        }
    }
    if !began {
        output.schema(&schema)?;
    }
    Ok(output.end(truncated)?)
}
