//! Saved questions in SQL: the type, its list, filter, order, runs and mutations.

mod mutation;
mod query;

pub use mutation::SavedQueryMutations;
pub use query::SavedQueryQueries;

use crate::graphql::connection::connection;
use crate::graphql::context::viewer;
use crate::graphql::error::from_store;
use crate::graphql::filter::{DateTimeOps, StringOps, filter};
use crate::graphql::scalars::{Json, Moment};
use crate::graphql::types::order::order;
use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use schema::domain::query_parameter::{ParameterType, QueryParameter};
use schema::enums::Role;
use schema::models;
use schema::queries::SavedQuerySort;
use schema::tables::saved_queries;
use serde_json::Value;

connection!(SavedQuery by SavedQuerySort, SavedQueryConnection, SavedQueryEdge);

pub struct SavedQuery(pub models::SavedQuery);

impl From<models::SavedQuery> for SavedQuery {
    fn from(row: models::SavedQuery) -> Self {
        Self(row)
    }
}

/// A saved question in SQL.
#[Object]
impl SavedQuery {
    /// The name. Upper and lower case mean the same question.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The number of this version, from 1.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Its description; null if its owner gave none.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// One SELECT, with `$name` in place of the values of parameters.
    async fn text(&self) -> &str {
        &self.0.text
    }

    async fn parameters(&self) -> Result<Vec<SavedQueryParameter>> {
        let parameters = self.0.query_parameters().map_err(from_store)?;
        Ok(parameters.into_iter().map(Into::into).collect())
    }

    /// The roles that may run it besides its owner. Each sees its own pseudonyms.
    async fn roles(&self) -> Vec<SavedQueryRole> {
        self.0.roles().into_iter().filter_map(SavedQueryRole::of).collect()
    }

    /// Whether you saved it first: you may change and delete it then.
    async fn mine(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.0.owner == viewer(ctx)?.actor())
    }

    /// The actor that saved it first, such as `token:NAME`.
    async fn owner(&self) -> &str {
        &self.0.owner
    }

    /// The time at which this version was saved.
    async fn changed_at(&self) -> Moment {
        self.0.changed_at.into()
    }
}

/// A parameter of a saved question.
#[derive(SimpleObject)]
pub struct SavedQueryParameter {
    /// Parameter name, without the `$`.
    name: String,
    #[graphql(name = "type")]
    of: SavedQueryParameterType,
    /// Whether each run has to give a value because the parameter has no default.
    required: bool,
    /// The value where a run gives none.
    default: Option<Json<Value>>,
}

impl From<QueryParameter> for SavedQueryParameter {
    fn from(one: QueryParameter) -> Self {
        let required = one.default.is_none();
        let default = one.default.filter(|value| !value.is_null()).map(Json);
        Self { name: one.name, of: one.of.into(), required, default }
    }
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ParameterType")]
pub enum SavedQueryParameterType {
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number.
    Number,
    /// A decimal number with up to nine decimal places, as a number or a text.
    Decimal,
    Boolean,
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339.
    Timestamp,
}

/// A role that may run a saved question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SavedQueryRole {
    Board,
    DataTeam,
}

impl SavedQueryRole {
    fn of(role: Role) -> Option<Self> {
        match role {
            Role::Board => Some(Self::Board),
            Role::DataTeam => Some(Self::DataTeam),
            _ => None,
        }
    }

    const fn role(self) -> Role {
        match self {
            Self::Board => Role::Board,
            Self::DataTeam => Role::DataTeam,
        }
    }
}

filter! {
    /// Conditions on saved questions, joined by AND.
    SavedQueryFilter over saved_queries {
        name: StringOps => text(saved_queries::name),
        changed_at: DateTimeOps => time(saved_queries::changed_at),
    }
}

order!(SavedQueryOrderField, SavedQueryOrder, SavedQuerySort { Name, ChangedAt } default Name Asc);
