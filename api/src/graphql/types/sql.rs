//! The query `sql` and its answer.

use crate::graphql::context::{RequestContext, request, viewer};
use crate::graphql::error::{Code, bad_input, error};
use crate::graphql::scalars::{Json, Moment};
use crate::graphql::snapshot_position::reach_position;
use crate::sql::audit::text_with_values;
use crate::sql::cells::{distinct_names, json_rows, type_name};
use crate::sql::{Parameter, QueryError, QueryLimits, SqlAsker, SqlQuestion, SqlService};
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The data that the question is asked over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SqlSource {
    /// The register as it is now.
    Register,
    /// The lake of the server (docs/lake.md), as it was at its last sync. In SQL for the role that it is made for: its
    /// pseudonyms are those of exports.
    Lake,
}

impl From<SqlSource> for crate::sql::SqlSource {
    fn from(source: SqlSource) -> Self {
        match source {
            SqlSource::Register => Self::Register,
            SqlSource::Lake => Self::Lake,
        }
    }
}

/// The result of a SQL query over the snapshot.
#[derive(SimpleObject)]
pub struct SqlAnswer {
    columns: Vec<SqlColumn>,
    /// One object per row, keyed by column name; of columns with one name the second has `_2` after it, and so on. Dates
    /// are `YYYY-MM-DD`, times RFC 3339; `NaN`, `Infinity` and `-Infinity` are texts. A `numeric` or `bigint` is a
    /// number up to 15 digits, and a text beyond.
    rows: Vec<Json<Map<String, Value>>>,
    /// Whether more rows exist than `first` allows.
    truncated: bool,
    /// The time of the snapshot.
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
    /// The SQL type: `text`, `bigint`, `double precision`, `numeric`, `boolean`, `date`, `timestamp with time zone`,
    /// `text[]`, …
    #[graphql(name = "type")]
    of: String,
}

#[derive(Default)]
pub struct SqlQueries;

#[Object]
impl SqlQueries {
    /// The result of a SELECT over the tables that docs/sql.md describes, with pseudonyms for people and enterprises.
    /// For a BOARD also `sources`, with the numbers of other registers. A separate process runs it, within the limits
    /// `deadlineMs` and `sqlMemoryMb`. BAD_USER_INPUT if the SQL is wrong or needs too much memory, TIMEOUT after the
    /// deadline, FORBIDDEN if the server has no key file, UNAVAILABLE if the snapshot does not reach the position of
    /// the header `phananh-position` within two seconds.
    async fn sql(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "One SELECT statement. docs/sql.md lists tables and columns.")] query: String,
        #[graphql(desc = "At most this many rows. Default and maximum: the limit `sqlRows`.")] first: Option<i32>,
        #[graphql(
            desc = "The values of `$1`, `$2`, …: null, true, false, numbers and texts. A text takes the type of \
                          its place, such as a date."
        )]
        parameters: Option<Vec<Option<async_graphql::Json<Value>>>>,
        #[graphql(default_with = "SqlSource::Register", desc = "The data that the question is asked over.")]
        source: SqlSource,
    ) -> Result<SqlAnswer> {
        let values =
            parameters.unwrap_or_default().into_iter().map(|one| one.map_or(Value::Null, |json| json.0)).collect();
        ask(ctx, Asked { title: String::new(), text: query, values, first, source }).await
    }
}

/// A question of a client.
pub(super) struct Asked {
    /// The prefix of the text in the audit log.
    pub title: String,
    pub text: String,
    /// The values of `$1`, `$2`, …
    pub values: Vec<Value>,
    /// At most this many rows.
    pub first: Option<i32>,
    pub source: SqlSource,
}

/// Answers a question of the viewer, with its pseudonyms and limits.
///
/// # Errors
/// If the viewer may not ask SQL, an argument is invalid, this node does not reach the position of the request in time,
/// or the question fails.
pub(super) async fn ask(ctx: &Context<'_>, asked: Asked) -> Result<SqlAnswer> {
    let (request, viewer) = (request(ctx)?, viewer(ctx)?);
    let most = request.limits.sql_rows;
    let rows = match asked.first.map(u32::try_from) {
        None => most,
        Some(Ok(rows)) if rows <= most => rows,
        _ => return Err(bad_input(format!("first must be from 0 to {most}"))),
    };
    let parameters = asked.values.iter().map(Parameter::of_json).collect::<Result<Vec<_>, _>>().map_err(bad_input)?;
    request.pseudonyms()?;
    let asker = request.app.keys.as_ref().and_then(|keys| SqlAsker::of(viewer, keys));
    let asker = asker.ok_or_else(|| error(Code::Forbidden, format!("a {} may not ask SQL", viewer.role)))?;
    reach_position(&request.app, request.at_least).await.map_err(|message| error(Code::Unavailable, message))?;
    let limits = QueryLimits {
        rows: u64::from(rows),
        memory_mb: request.limits.sql_memory_mb,
        answer_bytes: u64::from(request.limits.answer_bytes),
        deadline: request.budget.deadline.into_std(),
        time: request.limits.deadline(),
    };
    let place = request.note_sql(format!("{}{}", asked.title, text_with_values(&asked.text, &asked.values)));
    let question = SqlQuestion { text: asked.text, parameters, limits };
    answer(request, place, asker, asked.source.into(), question).await
}

/// Asks, and notes the end for the audit log.
async fn answer(
    request: &RequestContext,
    place: usize,
    asker: SqlAsker,
    source: crate::sql::SqlSource,
    question: SqlQuestion,
) -> Result<SqlAnswer> {
    let (service, noting) = (Arc::clone(&request.app.sql), request.clone());
    let running = request.run_sql(move || {
        let answer = collect(&service, &asker, source, question);
        let rows = answer.as_ref().map(|answer| answer.rows.len() as u64);
        noting.note_sql_end(place, rows.map_err(ToString::to_string));
        answer.map_err(from_query)
    });
    running.await
}

/// Reads the whole answer.
fn collect(
    service: &SqlService,
    asker: &SqlAsker,
    source: crate::sql::SqlSource,
    question: SqlQuestion,
) -> std::result::Result<SqlAnswer, QueryError> {
    let mut result = service.ask_over(source, asker, question)?;
    let fields = result.schema().fields().clone();
    // A row is an object: of two columns with one name it would hold the last one only.
    let names = distinct_names(fields.iter().map(|field| field.name().as_str()));
    let mut rows = Vec::new();
    while let Some(batch) = result.next_batch()? {
        for cells in json_rows(&batch)? {
            rows.push(Json(names.iter().cloned().zip(cells).collect::<Map<String, Value>>()));
        }
    }
    let types = fields.iter().map(|field| type_name(field.data_type()));
    let columns = names.iter().cloned().zip(types).map(|(name, of)| SqlColumn { name, of });
    Ok(SqlAnswer {
        columns: columns.collect(),
        rows,
        truncated: result.truncated(),
        as_of: result.as_of().into(),
        position: result.position(),
        key_version: result.key_version(),
    })
}

/// The error of a query as a client sees it.
pub fn from_query(failed: QueryError) -> async_graphql::Error {
    match failed {
        QueryError::Sql(_) | QueryError::Broken(_) => bad_input(failed.to_string()),
        QueryError::Timeout(_) | QueryError::Cancelled => error(Code::Timeout, failed.to_string()),
        QueryError::NoEngine(message) => error(Code::Unavailable, message),
        QueryError::Cluster(message) => {
            tracing::error!(message, "the lake was not asked");
            error(Code::Unavailable, message)
        }
        QueryError::Engine(message) => {
            tracing::error!(message, "the SQL engine failed");
            error(Code::Internal, "the query failed; the server's log says why")
        }
    }
}
