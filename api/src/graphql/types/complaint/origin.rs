//! The registers from which a complaint was imported, and how it concerns the viewer's unit.

use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::loaders::{SourcesKey, loaders, one};
use async_graphql::{Context, Enum, Result, SimpleObject};
use schema::{Id, models};

/// The register from which a complaint was imported.
#[derive(SimpleObject)]
pub struct ComplaintSource {
    /// The name of the register, as in the mapping of the import.
    source: String,
    /// The number that this register gave the complaint, unchanged.
    reference: String,
}

/// How a complaint concerns a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ComplaintRelation {
    /// The complaint is about the unit or a unit below it.
    About,
    /// The unit or a unit below it has to answer.
    Responsible,
}

/// The registers from which a complaint was imported.
///
/// # Errors
/// If they cannot be read, or the answer gets too large.
pub async fn sources_of(ctx: &Context<'_>, complaint: Id) -> Result<Vec<ComplaintSource>> {
    let rows = one(loaders(ctx)?, SourcesKey(complaint)).await?.unwrap_or_default();
    request(ctx)?.charge_texts(rows.iter().map(|row| Some(&row.reference)))?;
    let named = |row: models::ComplaintSource| ComplaintSource { source: row.source, reference: row.reference };
    Ok(rows.into_iter().map(named).collect())
}

/// Names the relation of a complaint to the viewer's unit; None if the viewer heads no unit.
///
/// # Errors
/// If the request has no viewer.
pub fn relation_of(ctx: &Context<'_>, complaint: &models::Complaint) -> Result<Option<Vec<ComplaintRelation>>> {
    let scope = viewer(ctx)?.scope(&snapshot(ctx)?.reference.tree);
    let Some(found) = scope.relation(complaint) else { return Ok(None) };
    let both = [(ComplaintRelation::About, found.is_about), (ComplaintRelation::Responsible, found.answers)];
    Ok(Some(both.into_iter().filter(|(_, is)| *is).map(|(relation, _)| relation).collect()))
}
