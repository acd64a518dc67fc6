//! Who asks for an export, and the operations of GraphQL that check its filter and count its groups: with a request, or
//! for a command of this program.

use super::super::Service;
use super::super::operation::{budget, run};
use super::super::prepare::{Ready, prepare};
use super::super::protocol::{Body, Media, OperationResult, refusal, respond};
use super::request::Wrong;
use crate::access::Viewer;
use crate::graphql::ComplaintFilter;
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::{InputType, Value};
use schema::enums::Locale;
use serde_json::Map;

/// Checks the filter like that of a list: against the schema, and against the access table of the role.
const PROBE: &str =
    "query Export($filter: ComplaintFilter) { complaints(filter: $filter, first: 0) { pageInfo { hasNextPage } } }";

/// Who asks for an export.
pub struct Asker<'a> {
    pub service: &'a Service,
    pub viewer: &'a Viewer,
    pub locale: Locale,
    /// The position of the register that answers must see; `i64::MIN` for any.
    pub at_least: i64,
    /// Whether a command of this program asks: then no allow-list decides.
    pub is_of_this_program: bool,
}

/// Why there is no export.
#[derive(Debug)]
pub enum Refused {
    /// An operation of GraphQL was refused or failed.
    Operation(OperationResult),
    Export(Wrong),
}

impl From<OperationResult> for Refused {
    fn from(outcome: OperationResult) -> Self {
        Self::Operation(outcome)
    }
}

impl Refused {
    /// The answer to a request.
    pub fn response(self, http: &HttpRequest) -> HttpResponse {
        match self {
            // This is not GraphQL over HTTP: the status reflects the outcome, whatever the client accepts.
            Self::Operation(outcome) => respond(Media::GraphqlResponse, outcome),
            Self::Export((status, code, message)) => refusal(http, status, code, message),
        }
    }

    /// What is wrong, for a command.
    pub fn message(&self) -> String {
        match self {
            Self::Operation(outcome) => {
                let messages: Vec<&str> = outcome.errors.iter().map(|error| error.message.as_str()).collect();
                messages.join("; ")
            }
            Self::Export((_, _, message)) => message.clone(),
        }
    }
}

impl Asker<'_> {
    /// Parses a filter and checks it by running a list query with it.
    ///
    /// # Errors
    /// If it is no `ComplaintFilter`, the viewer may not use one of its conditions, or the list fails.
    pub async fn filter(&self, given: serde_json::Value) -> Result<Option<ComplaintFilter>, Refused> {
        let variables = Map::from_iter([("filter".to_owned(), given.clone())]);
        self.executed(PROBE.to_owned(), variables).await?;
        let value = Value::from_json(given).unwrap_or_default();
        Option::<ComplaintFilter>::parse(Some(value)).map_err(|_| {
            let message = "filter is not a ComplaintFilter".to_owned();
            Refused::Export((StatusCode::BAD_REQUEST, Code::BadUserInput, message))
        })
    }

    /// Runs a query as the viewer.
    ///
    /// # Errors
    /// The outcome of a query that was refused, or that has errors.
    pub async fn executed(
        &self,
        query: String,
        variables: Map<String, serde_json::Value>,
    ) -> Result<OperationResult, Refused> {
        let (service, viewer) = (self.service, Some(self.viewer));
        let body = Body {
            query: Some(query),
            variables: Some(variables),
            is_of_this_program: self.is_of_this_program,
            ..Body::default()
        };
        let budget = budget(service, viewer);
        let ready = prepare(service, viewer, body, self.locale, &budget).await;
        let mut outcome = match ready.map_err(|refused| self.naming_fields(refused))? {
            Ready::Checked(mut prepared) => {
                prepared.at_least = self.at_least;
                run(service, viewer, *prepared, &budget).await
            }
            Ready::Answered(outcome) => outcome,
        };
        if !outcome.errors.is_empty() {
            outcome.refused.get_or_insert(StatusCode::BAD_REQUEST);
            return Err(self.naming_fields(outcome).into());
        }
        Ok(outcome)
    }

    /// The same refusal. Where a filter has a field that does not exist, it names those that do and are for the viewer:
    /// who writes a URL or a command has no schema at hand.
    fn naming_fields(&self, outcome: OperationResult) -> OperationResult {
        let (Some(status), is_graphql, mut errors) = (outcome.refused, outcome.is_graphql, outcome.errors.clone())
        else {
            return outcome;
        };
        let mut are_named = false;
        for error in &mut errors {
            let Some(of) = type_without_field(&error.message) else { continue };
            let fields = self.service.guard.input_fields(self.viewer.role, of);
            if !fields.is_empty() {
                error.message = format!("{}: take one of {}", error.message, fields.join(", "));
                are_named = true;
            }
        }
        if !are_named {
            return outcome;
        }
        let mut named = OperationResult::refused_for(status, errors);
        named.is_graphql = is_graphql;
        named
    }
}

/// The input type of which an error says that it lacks a field.
fn type_without_field(message: &str) -> Option<&str> {
    let (_, field) = message.split_once("unknown field \"")?;
    field.split_once("\" of type \"")?.1.split('"').next()
}
