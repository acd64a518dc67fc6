//! The actors of the steps of a history.

use crate::graphql::context::viewer;
use crate::graphql::enums::Role;
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{Loaders, UnitKey, loaders, one, reference_row};
use crate::graphql::types::Unit;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, Error, Object, Result};
use schema::models::Principal;
use schema::queries;
use schema::register::RECEIPT_ACTOR;
use std::collections::HashMap;
use std::sync::Arc;

/// The kind of actor that wrote to the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum HistoryActorKind {
    /// The holder of a token.
    Token,
    /// The import of a file.
    Import,
    /// A job of the server.
    Job,
    /// A command at the command line.
    Command,
    /// The complainant, by the receipt of the complaint.
    Complainant,
    /// The program itself, such as the generator of demonstration data.
    Program,
}

/// The principal with a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PrincipalKey(String);

impl Loader<PrincipalKey> for Loaders {
    type Value = Arc<Principal>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PrincipalKey]) -> Result<HashMap<PrincipalKey, Arc<Principal>>, Arc<Error>> {
        let names: Vec<String> = keys.iter().map(|key| key.0.clone()).collect();
        let found = self.0.read(move |conn| queries::principals_by_name(conn, &names)).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|(name, row)| (PrincipalKey(name), Arc::new(row))).collect())
    }
}

pub struct HistoryActor(pub String);

/// The actor of a step.
#[Object]
impl HistoryActor {
    async fn kind(&self) -> HistoryActorKind {
        self.parts().0
    }

    /// The name of the token, or the source of the import, as in its mapping. Null for others, and where you may
    /// not read it: the head of a unit reads the names of heads and of imports only.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let (kind, name) = self.parts();
        let is_shown = match kind {
            HistoryActorKind::Import => true,
            HistoryActorKind::Token => {
                let is_head = viewer(ctx)?.role == schema::enums::Role::UnitHead;
                let by_head = |principal: &Arc<Principal>| principal.role == schema::enums::Role::UnitHead;
                !is_head || self.principal(ctx).await?.as_ref().is_some_and(by_head)
            }
            _ => false,
        };
        Ok(is_shown.then(|| name.to_owned()))
    }

    /// The role of the token, which keeps it for life. Null for others, and for tokens of another issuer (JWT),
    /// of whose roles the register keeps only the last.
    async fn role(&self, ctx: &Context<'_>) -> Result<Option<Role>> {
        Ok(self.principal(ctx).await?.map(|principal| principal.role.into()))
    }

    /// The unit of the head; null for other roles.
    async fn unit(&self, ctx: &Context<'_>) -> Result<Option<Inline<Unit>>> {
        let unit = self.principal(ctx).await?.and_then(|principal| principal.unit_id);
        let Some(unit) = unit else { return Ok(None) };
        Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit).map(Inline))
    }
}

impl HistoryActor {
    /// The kind and the name of the actor of an event.
    fn parts(&self) -> (HistoryActorKind, &str) {
        match self.0.split_once(':') {
            Some(("token", name)) => (HistoryActorKind::Token, name),
            Some(("import", source)) => (HistoryActorKind::Import, source),
            _ => match self.0.as_str() {
                "job" | "scheduler" => (HistoryActorKind::Job, ""),
                "cli" => (HistoryActorKind::Command, ""),
                RECEIPT_ACTOR => (HistoryActorKind::Complainant, ""),
                _ => (HistoryActorKind::Program, ""),
            },
        }
    }

    async fn principal(&self, ctx: &Context<'_>) -> Result<Option<Arc<Principal>>> {
        match self.parts() {
            (HistoryActorKind::Token, name) => one(loaders(ctx)?, PrincipalKey(name.to_owned())).await,
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_actor_of_an_event_is_taken_apart() {
        for (actor, kind, name) in [
            ("token:02CV", HistoryActorKind::Token, "02CV"),
            ("token:jwt:an@example.vn", HistoryActorKind::Token, "jwt:an@example.vn"),
            ("import:duong-day-nong", HistoryActorKind::Import, "duong-day-nong"),
            ("job", HistoryActorKind::Job, ""),
            ("cli", HistoryActorKind::Command, ""),
            ("receipt", HistoryActorKind::Complainant, ""),
            ("generate", HistoryActorKind::Program, ""),
        ] {
            assert_eq!(HistoryActor(actor.to_owned()).parts(), (kind, name));
        }
    }
}
