//! A run of recurrence that was derived again.

use crate::graphql::context::request;
use crate::graphql::scalars::id;
use async_graphql::{Context, ID, Object, Result};
use chrono::NaiveDate;
use jobs::reproduction::Reproduction;
use schema::domain::ids::reference_id;
use schema::events::Entity;

pub struct RunReproduction(pub Reproduction);

/// A run of recurrence that was derived again from the register, compared with what it stored.
#[Object]
impl RunReproduction {
    async fn run_id(&self) -> ID {
        id(self.0.run)
    }

    /// The as-of day of the run.
    async fn as_of(&self) -> NaiveDate {
        self.0.as_of
    }

    /// The position of the register at which the run was derived again: that of the run.
    async fn known_at(&self) -> i64 {
        self.0.known_at
    }

    /// Whether inputs, outputs and hash are those of the run.
    async fn reproduced(&self) -> bool {
        self.0.reproduced
    }

    /// The hash that the run stored.
    async fn recorded_hash(&self) -> &str {
        &self.0.recorded_hash
    }

    /// The hash of what was derived now.
    async fn derived_hash(&self) -> &str {
        &self.0.derived_hash
    }

    /// The first difference; null if everything is the same.
    async fn first_difference(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        if let Some(code) = &self.0.officer {
            request(ctx)?.note_shown(|seen| &mut seen.files, reference_id(Entity::Officer, code));
        }
        Ok(self.0.first_difference.as_deref())
    }
}
