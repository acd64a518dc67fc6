//! The queries `savedQueries`, `savedQuery` and `runSavedQuery`.

use super::{SavedQuery, SavedQueryConnection, SavedQueryFilter, SavedQueryOrder};
use crate::access::Viewer;
use crate::graphql::connection::list;
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::error::{bad_input, from_store};
use crate::graphql::filter::Filter;
use crate::graphql::page::PageArgs;
use crate::graphql::types::sql::{Asked, SqlAnswer, SqlSource, ask};
use crate::sql::SavedRun;
use async_graphql::{Context, Object, Result, SimpleObject};
use schema::register::{no_such_query, saved_query_named, saved_query_version};
use schema::{Conn, StoreError, models};
use serde_json::{Map, Value};

/// The answer to a run of a saved question.
#[derive(SimpleObject)]
pub struct SavedQueryAnswer {
    /// The name of the question.
    name: String,
    /// The version that was run.
    version: i32,
    answer: SqlAnswer,
}

#[derive(Default)]
pub struct SavedQueryQueries;

#[Object]
impl SavedQueryQueries {
    /// Your saved questions and those for your role, by name by default.
    #[allow(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn saved_queries(
        &self,
        ctx: &Context<'_>,
        filter: Option<SavedQueryFilter>,
        order_by: Option<Vec<SavedQueryOrder>>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<SavedQueryConnection> {
        let page = PageArgs { first, after, last, before };
        let viewer = viewer(ctx)?.clone();
        let reference = snapshot(ctx)?.reference.clone();
        list::<SavedQuery>(ctx, page, SavedQueryOrder::list(order_by), move || {
            Ok(Some(viewer.saved_queries(filter.condition(&reference)?)))
        })
        .await
    }

    /// A saved question; null if none exists that you may run.
    async fn saved_query(
        &self,
        ctx: &Context<'_>,
        name: String,
        #[graphql(desc = "An earlier version. Default: the newest.")] version: Option<i32>,
    ) -> Result<Option<SavedQuery>> {
        let viewer = viewer(ctx)?.clone();
        let found = request(ctx)?.read(move |conn| found(conn, &viewer, &name, version)).await?;
        Ok(found.map(SavedQuery))
    }

    /// The answer to a saved question, with your own pseudonyms and limits, as `sql` gives it. NOT_FOUND if there is
    /// none that you may run, BAD_USER_INPUT if a value is missing or not of its type.
    async fn run_saved_query(
        &self,
        ctx: &Context<'_>,
        name: String,
        #[graphql(desc = "An earlier version. Default: the newest.")] version: Option<i32>,
        #[graphql(desc = "An object with the values of parameters by their names.")] parameters: Option<
            async_graphql::Json<Value>,
        >,
        #[graphql(desc = "At most this many rows. Default and maximum: the limit `sqlRows`.")] first: Option<i32>,
        #[graphql(default_with = "SqlSource::Register", desc = "The data that the question is asked over.")]
        source: SqlSource,
    ) -> Result<SavedQueryAnswer> {
        let viewer = viewer(ctx)?.clone();
        let given = match parameters.map(|json| json.0) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(given)) => given,
            Some(_) => return Err(bad_input("parameters: write an object, such as {\"from\": \"2024-01-01\"}")),
        };
        let asked = name.clone();
        let found = request(ctx)?.read(move |conn| found(conn, &viewer, &asked, version)).await?;
        let saved = found.ok_or_else(|| from_store(no_such_query(&name)))?;
        let parameters = saved.query_parameters().map_err(from_store)?;
        let run = SavedRun::new(&saved.text, &parameters, &given).map_err(bad_input)?;
        let title = format!("-- saved question {}, version {}\n", saved.name, saved.version);
        let answer = ask(ctx, Asked { title, text: run.text, values: run.values, first, source }).await?;
        Ok(SavedQueryAnswer { name: saved.name, version: saved.version, answer })
    }
}

/// A question that the viewer may run, as a version of it says. Its newest version decides who may run it.
fn found(
    conn: &mut Conn,
    viewer: &Viewer,
    name: &str,
    version: Option<i32>,
) -> std::result::Result<Option<models::SavedQuery>, StoreError> {
    let newest = saved_query_named(conn, name)?.filter(|query| query.is_for(&viewer.actor(), viewer.role));
    let Some(newest) = newest else { return Ok(None) };
    match version {
        Some(version) if version != newest.version => {
            let found = saved_query_version(conn, &newest, version)?;
            let found = found.filter(|of| of.is_for(&newest, &viewer.actor(), viewer.role));
            Ok(found.map(|of| of.of(newest)))
        }
        _ => Ok(Some(newest)),
    }
}
