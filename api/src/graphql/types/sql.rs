//! The query `sql` and its answer.

use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::{Code, bad_input, error, from_job, from_store};
use crate::graphql::scalars::{Json, Moment};
use async_graphql::{Context, Object, Result, SimpleObject};
use jobs::snapshot::Snapshot;
use jobs::sql::Answer;
use jobs::sql::worker::{QueryError, QueryLimits, ask};
use jobs::sql::{SOURCES, Visibility, check, sources, tables};
use schema::enums::Role;
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::time::Instant;

/// The result of a SQL query over the snapshot.
#[derive(SimpleObject)]
pub struct SqlAnswer {
    columns: Vec<SqlColumn>,
    /// One object per row, keyed by column name. Dates are `YYYY-MM-DD`; NaN and infinity are null.
    rows: Vec<Json<Map<String, Value>>>,
    /// Whether more rows exist than `first` allows.
    truncated: bool,
    /// When the snapshot was taken.
    as_of: Moment,
    /// The position of the register that the snapshot holds.
    position: i64,
    /// The version of the key that the pseudonyms are made with.
    key_version: u32,
}

/// A column of a SQL result.
#[derive(SimpleObject)]
pub struct SqlColumn {
    name: String,
    /// The polars type: `str`, `i64`, `f64`, `bool`, `date`, …
    #[graphql(name = "type")]
    of: String,
}

impl SqlAnswer {
    pub fn new(snapshot: &Snapshot, answer: Answer, key_version: u32) -> Self {
        Self {
            rows: answer.objects().into_iter().map(Json).collect(),
            columns: answer.columns.into_iter().map(|one| SqlColumn { name: one.name, of: one.of }).collect(),
            truncated: answer.truncated,
            as_of: snapshot.as_of.into(),
            position: snapshot.position,
            key_version,
        }
    }
}

#[derive(Default)]
pub struct SqlQueries;

#[Object]
impl SqlQueries {
    /// The result of a SELECT over the tables `complaints`, `allegations`, `units` and `categories` of the
    /// snapshot, with pseudonyms for people and enterprises. For a BOARD also `sources`, with the numbers of
    /// other registers. A separate process runs it, within the limits `deadlineMs` and `sqlMemoryMb`.
    /// BAD_USER_INPUT if the SQL is wrong or needs too much memory, TIMEOUT after the deadline, FORBIDDEN if
    /// the server has no key file.
    async fn sql(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "One SELECT statement. docs/sql.md lists tables and columns.")] query: String,
        #[graphql(desc = "At most this many rows. Default and maximum: the limit `sqlRows`.")] first: Option<i32>,
    ) -> Result<SqlAnswer> {
        let (request, viewer, snapshot) = (request(ctx)?, viewer(ctx)?, snapshot(ctx)?);
        let question = check(&query).map_err(|e| bad_input(e.to_string()))?;
        let most = request.limits.sql_rows;
        let rows = match first.map(u32::try_from) {
            None => most,
            Some(Ok(rows)) if rows <= most => rows,
            _ => return Err(bad_input(format!("first must be from 0 to {most}"))),
        };
        let pseudonyms = request.pseudonyms()?.clone();
        let version = pseudonyms.version();
        let scope = viewer.scope(&snapshot.reference.tree);
        let shows_sources = viewer.role == Role::Board && question.names(SOURCES);
        let (limits, deadline) = (Arc::clone(&request.limits), request.budget.deadline);
        request.note_sql(query);
        let (of, db) = (Arc::clone(&snapshot), request.app.db.clone());
        let running = request.run_sql(move || {
            // Read after the permit is acquired: the numbers of a large register take memory.
            let sources = if shows_sources { Some(db.read(sources).map_err(from_store)?) } else { None };
            let visibility = Visibility { pseudonyms: &pseudonyms, sources: sources.as_deref() };
            let visible = scope.of_snapshot(of).map_err(from_job)?;
            let tables = tables(&visible, &visibility, &question).map_err(|e| {
                tracing::error!(error = %e, "cannot build the tables of a SQL query");
                error(Code::Internal, "the query failed; the server's log says why")
            })?;
            let time = deadline.saturating_duration_since(Instant::now());
            ask(
                &question,
                tables,
                QueryLimits { rows, memory_mb: limits.sql_memory_mb, answer_bytes: limits.answer_bytes, time },
            )
            .map_err(from_ask)
        });
        let answer = running.await?;
        Ok(SqlAnswer::new(&snapshot, answer, version))
    }
}

fn from_ask(failed: QueryError) -> async_graphql::Error {
    match failed {
        QueryError::Sql(_) | QueryError::Broken(_) => bad_input(failed.to_string()),
        QueryError::Timeout(_) => error(Code::Timeout, failed.to_string()),
        QueryError::Worker(message) => {
            tracing::error!(message, "the SQL worker failed");
            error(Code::Internal, "the query failed; the server's log says why")
        }
    }
}
