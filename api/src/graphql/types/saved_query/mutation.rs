//! The mutations of saved questions.

use super::{SavedQuery, SavedQueryParameterType, SavedQueryRole};
use crate::access::Viewer;
use crate::graphql::context::{RequestContext, request, viewer};
use crate::graphql::error::{bad_input, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::types::sql::from_query;
use crate::sql::audit::text_with_values;
use crate::sql::{QueryError, SqlAsker};
use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use schema::domain::query_parameter::QueryParameter;
use schema::domain::query_text::numbered;
use schema::register::{NewSavedQuery, SeenQuery, delete_saved_query, save_query};
use serde_json::Value;
use std::sync::Arc;

/// A question to save.
#[derive(Debug, InputObject)]
pub struct SaveQueryInput {
    /// Letters, digits, `-`, `_` and `.`, at most 100. Upper and lower case mean the same question.
    pub name: String,
    /// The version that you read, and 0 for a new question; another version gives CONFLICT.
    pub expected_version: i32,
    /// At most 2,000 characters.
    pub description: Option<String>,
    /// One SELECT as in `sql`, with `$name` in place of the values of parameters.
    pub text: String,
    /// The parameters, each of which the text has to use.
    #[graphql(default)]
    pub parameters: Vec<SavedQueryParameterInput>,
    /// The roles that may run it besides you. Default: none.
    #[graphql(default)]
    pub roles: Vec<SavedQueryRole>,
}

/// A parameter of a question to save.
#[derive(Debug, InputObject)]
pub struct SavedQueryParameterInput {
    /// Parameter name, without the `$`: small letters, digits and `_`.
    pub name: String,
    #[graphql(name = "type")]
    pub of: SavedQueryParameterType,
    /// The value where a run gives none; it may be null. Without it each run has to give a value.
    pub default: MaybeUndefined<async_graphql::Json<Value>>,
}

/// A saved question to delete.
#[derive(Debug, InputObject)]
pub struct DeleteQueryInput {
    pub name: String,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
}

#[derive(SimpleObject)]
pub struct SavedQueryPayload {
    pub query: SavedQuery,
}

#[derive(Default)]
pub struct SavedQueryMutations;

#[Object]
impl SavedQueryMutations {
    /// Saves a question: a new one, or a new version of one that you own. A BOARD may also change those that the Board
    /// may run. What is the same as the newest version stays as it is. BAD_USER_INPUT if the SQL or a parameter is
    /// wrong, CONFLICT if the version is another one or the name belongs to another owner.
    async fn save_query(&self, ctx: &Context<'_>, input: SaveQueryInput) -> Result<SavedQueryPayload> {
        let (request, viewer) = (request(ctx)?.clone(), viewer(ctx)?.clone());
        let seen = SeenQuery { role: Some(viewer.role), version: Some(input.expected_version) };
        let new = NewSavedQuery {
            name: input.name.trim().to_owned(),
            description: input.description,
            text: input.text.trim().to_owned(),
            parameters: input.parameters.into_iter().map(Into::into).collect(),
            roles: input.roles.into_iter().map(SavedQueryRole::role).collect(),
        };
        // A text that does not fit the tables is refused now, and not when it is run.
        let (asking, checked, asker) = (request.clone(), new.clone(), viewer.clone());
        request.run_sql(move || check(&asking, &asker, &checked)).await?;
        let db = request.app.db.clone();
        let done =
            blocking(move || db.write(&viewer.actor(), |tx| save_query(tx, seen, &new)).map_err(from_store)).await?;
        Ok(SavedQueryPayload { query: SavedQuery(done.value) })
    }

    /// Deletes a saved question that you own; a BOARD may also delete those that the Board may run. NOT_FOUND if there
    /// is none that you may run, CONFLICT if it belongs to another owner or the version is another one.
    async fn delete_query(&self, ctx: &Context<'_>, input: DeleteQueryInput) -> Result<SavedQueryPayload> {
        let (viewer, db) = (viewer(ctx)?.clone(), request(ctx)?.app.db.clone());
        let seen = SeenQuery { role: Some(viewer.role), version: Some(input.expected_version) };
        let done = blocking(move || {
            db.write(&viewer.actor(), |tx| delete_saved_query(tx, seen, input.name.trim())).map_err(from_store)
        })
        .await?;
        Ok(SavedQueryPayload { query: SavedQuery(done.value) })
    }
}

impl From<SavedQueryParameterInput> for QueryParameter {
    fn from(one: SavedQueryParameterInput) -> Self {
        let default = match one.default {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(Value::Null),
            MaybeUndefined::Value(json) => Some(json.0),
        };
        Self { name: one.name, of: one.of.into(), default }
    }
}

/// Has the engine plan the question, if there is an engine.
fn check(request: &RequestContext, viewer: &Viewer, new: &NewSavedQuery) -> Result<()> {
    let numbered = numbered(&new.text, &new.parameters).map_err(bad_input)?;
    let asker = request.app.keys.as_deref().and_then(|keys| SqlAsker::of(viewer, keys));
    let Some(asker) = asker else { return Ok(()) };
    let service = Arc::clone(&request.app.sql);
    // Whether a text fits the tables tells of them, also if it is not saved.
    let index = request.note_sql(format!("-- described for saveQuery\n{}", text_with_values(&new.text, &[])));
    let (deadline, time) = (request.budget.deadline.into_std(), request.limits.deadline());
    let described = service.describe(&asker, &numbered.text, deadline, time);
    // A description reads no rows.
    request.note_sql_end(index, described.as_ref().map(|_| 0).map_err(ToString::to_string));
    match described {
        Ok(_) | Err(QueryError::NoEngine(_)) => Ok(()),
        Err(failed) => Err(from_query(failed)),
    }
}
