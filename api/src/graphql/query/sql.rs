//! SQL, for analysts.

use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::{Code, bad_input, error, from_store};
use crate::graphql::types::SqlAnswer;
use async_graphql::{Context, Object, Result};
use jobs::sql::worker::{Allowance, AskError, ask};
use jobs::sql::{SOURCES, Shown, check, sources, tables};
use schema::enums::Role;
use std::sync::Arc;
use tokio::time::Instant;

#[derive(Default)]
pub struct SqlQuery;

#[Object]
impl SqlQuery {
    /// The answer to a SELECT over the tables `complaints`, `allegations`, `units` and `categories`, which hold what
    /// the snapshot holds, with pseudonyms for people and enterprises; for a BOARD also `sources`, which has the numbers of other
    /// registers. It runs in a process of its own, within the limits `deadlineMs` and `sqlMemoryMb`.
    async fn sql(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "One SELECT. docs/sql.md lists tables and columns.")] query: String,
        #[graphql(desc = "At most so many rows; the limit `sqlRows` unless told.")] first: Option<i32>,
    ) -> Result<SqlAnswer> {
        let (request, viewer, snapshot) = (request(ctx)?, viewer(ctx)?, snapshot(ctx)?);
        let question = check(&query).map_err(|e| bad_input(e.to_string()))?;
        let most = request.limits.sql_rows;
        let rows = match first.map(u32::try_from) {
            None => most,
            Some(Ok(rows)) if rows <= most => rows,
            _ => return Err(bad_input(format!("first is from 0 to {most}"))),
        };
        let pseudonyms = request.pseudonyms()?.clone();
        let version = pseudonyms.version();
        let except_officer = viewer.officer_id;
        let shows_sources = viewer.role == Role::Board && question.names(SOURCES);
        let (limits, deadline) = (Arc::clone(&request.limits), request.budget.deadline);
        request.asked_sql(query);
        let (of, db) = (Arc::clone(&snapshot), request.app.db.clone());
        let asking = request.ask(move || {
            // Once the question has its place: the numbers of a large register take memory.
            let sources = if shows_sources { Some(db.read(sources).map_err(from_store)?) } else { None };
            let shown = Shown { pseudonyms: &pseudonyms, except_officer, sources: sources.as_deref() };
            let tables = tables(&of, &shown, &question).map_err(|e| {
                tracing::error!(error = %e, "the tables of a question could not be made");
                error(Code::Internal, "the question broke off; the server's log says why")
            })?;
            let time = deadline.saturating_duration_since(Instant::now());
            ask(
                &question,
                tables,
                Allowance { rows, memory_mb: limits.sql_memory_mb, answer_bytes: limits.answer_bytes, time },
            )
            .map_err(from_ask)
        });
        let answer = asking.await?;
        Ok(SqlAnswer::new(&snapshot, answer, version))
    }
}

fn from_ask(failed: AskError) -> async_graphql::Error {
    match failed {
        AskError::Sql(_) | AskError::Broken(_) => bad_input(failed.to_string()),
        AskError::Timeout(_) => error(Code::Timeout, failed.to_string()),
        AskError::Worker(message) => {
            tracing::error!(message, "the SQL worker");
            error(Code::Internal, "the question broke off; the server's log says why")
        }
    }
}
