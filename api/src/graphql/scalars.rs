//! Custom scalars, and conversion of ids.

use super::context::RequestContext;
use super::error::refuse;
use crate::budget::Budget;
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputValueError, InputValueResult, OutputType, Positioned, Scalar, ScalarType, ServerResult,
    Value, to_value,
};
use chrono::{DateTime, SecondsFormat, Utc};
use schema::refusal::InputRefusal;
use schema::{Id, Timestamp};
use serde::Serialize;
use std::borrow::Cow;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(pub i64);

/// A whole amount of VND as a string, such as "1250000": JSON numbers lose the last digits of large amounts.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let parsed = match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        parsed.map(Self).ok_or_else(|| InputValueError::custom("a Decimal must be whole VND, such as \"1250000\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

/// A point in time as RFC 3339. Output is in Vietnam time, such as 2024-03-01T08:30:00+07:00.
#[Scalar(name = "DateTime")]
impl ScalarType for Moment {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.with_timezone(&Utc).into()))
            .map_err(|_| InputValueError::custom("a DateTime must be written as in 2024-03-01T08:30:00+07:00"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.text())
    }
}

impl Moment {
    /// The time as text, as clients read it.
    pub fn text(self) -> String {
        let local = self.0.utc().with_timezone(&schema::domain::calendar::LOCAL);
        local.to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

/// A JSON document. All of its values count towards the size of the answer.
pub struct Json<T>(pub T);

impl<T: Serialize + Send + Sync> OutputType for Json<T> {
    fn type_name() -> Cow<'static, str> {
        <async_graphql::Json<serde_json::Value> as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <async_graphql::Json<serde_json::Value> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _field: &Positioned<Field>) -> ServerResult<Value> {
        let budget = ctx.data_opt::<RequestContext>().map(|request| &request.budget);
        if budget.is_some_and(Budget::is_spent) {
            return Ok(Value::Null);
        }
        let document = to_value(&self.0).unwrap_or_default();
        if let Some(budget) = budget {
            budget.resolved_document(&document);
        }
        Ok(document)
    }
}

/// The GraphQL form of an id.
pub fn id(id: Id) -> async_graphql::ID {
    async_graphql::ID(id.to_string())
}

/// Parses an id of a client.
///
/// # Errors
/// BAD_USER_INPUT if it is not a UUID.
pub fn parse_id(id: &async_graphql::ID) -> async_graphql::Result<Id> {
    Uuid::parse_str(id.as_str()).map(Id).map_err(|_| refuse(InputRefusal::NotAnId { id: id.as_str().to_owned() }))
}
