//! Scalars of our own.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, SecondsFormat, Utc};
use schema::{Id, Timestamp};
use uuid::Uuid;

/// An amount of money in whole VND, as a string: JSON numbers lose the last digits of large ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(pub i64);

#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let parsed = match &value {
            Value::String(text) => text.parse().ok(),
            Value::Number(number) => number.as_i64(),
            _ => None,
        };
        parsed.map(Self).ok_or_else(|| InputValueError::custom("a Decimal is whole VND, such as \"1250000\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A moment, as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

#[Scalar(name = "DateTime")]
impl ScalarType for Moment {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.with_timezone(&Utc).into()))
            .map_err(|_| InputValueError::custom("a DateTime is written as 2024-03-01T08:30:00+07:00"))
    }

    fn to_value(&self) -> Value {
        let local = self.0.utc().with_timezone(&schema::domain::calendar::LOCAL);
        Value::String(local.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

/// The id of an object as GraphQL writes it.
pub fn id(id: Id) -> async_graphql::ID {
    async_graphql::ID(id.to_string())
}

/// An id that a client sent.
pub fn parse_id(id: &async_graphql::ID) -> async_graphql::Result<Id> {
    Uuid::parse_str(id.as_str()).map(Id).map_err(|_| super::error::bad_input(format!("{:?} is no id", id.as_str())))
}
