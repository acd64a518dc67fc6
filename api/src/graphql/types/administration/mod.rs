//! Changes that an ADMIN makes in the reference data: units, categories, officers with their postings, holidays, and
//! whole reorganisations.

mod category;
mod holidays;
mod officer;
mod reorganisation;
mod unit;

pub use category::CategoryMutations;
pub use holidays::{HolidayMutations, HolidayQueries};
pub use officer::OfficerMutations;
pub use reorganisation::ReorganisationMutations;
pub use unit::UnitMutations;

use crate::graphql::context::{request, viewer};
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use async_graphql::{Context, Result};
use schema::StoreError;
use schema::db::{Committed, WriteTx};

/// Writes in one transaction, as the viewer.
async fn written<T: Send + 'static>(
    ctx: &Context<'_>,
    work: impl FnOnce(&mut WriteTx<'_>) -> std::result::Result<T, StoreError> + Send + 'static,
) -> Result<Committed<T>> {
    let viewer = viewer(ctx)?.clone();
    let app = request(ctx)?.app.clone();
    blocking(move || app.db.write(&viewer.actor(), work).map_err(from_store)).await
}
