//! The query `jobRuns`.

use super::{JobRun, JobRunConnection, JobRunFilter, JobRunOrder};
use crate::graphql::connection::list;
use crate::graphql::context::{snapshot, viewer};
use crate::graphql::filter::Filter;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub struct JobRunQueries;

#[Object]
impl JobRunQueries {
    /// Runs of jobs, the latest first by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn job_runs(
        &self,
        ctx: &Context<'_>,
        filter: Option<JobRunFilter>,
        order_by: Option<Vec<JobRunOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<JobRunConnection> {
        let page = PageArgs { first, after, last, before };
        viewer(ctx)?;
        let reference = snapshot(ctx)?.reference.clone();
        list::<JobRun>(ctx, page, JobRunOrder::list(order_by), move || filter.condition(&reference)).await
    }
}
