//! The mutation that applies a whole reorganisation, or explains it.

use crate::graphql::context::{request, viewer};
use crate::graphql::error::from_store;
use crate::graphql::execute::blocking;
use crate::graphql::scalars::Json;
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use schema::register::administration::{Reorganisation, ReorganisationReport, reorganise};

/// A reorganisation of units.
#[derive(Debug, InputObject)]
pub struct ReorganiseInput {
    /// The text of the file, as `phananh reorganise` reads it.
    pub file: String,
    /// Whether to report only, and to change nothing.
    #[graphql(default = true)]
    pub dry_run: bool,
}

#[derive(SimpleObject)]
pub struct ReorganisePayload {
    /// Whether the reorganisation was applied.
    pub applied: bool,
    /// Its changes, made or planned: the document that `phananh reorganise --format json` prints.
    pub report: Json<ReorganisationReport>,
    /// The position of the register after the change, for `minPosition`; null if nothing changed.
    pub position: Option<i64>,
}

#[derive(Default)]
pub struct ReorganisationMutations;

#[Object]
impl ReorganisationMutations {
    /// Applies a reorganisation, everything or nothing, or reports what it would do. BAD_USER_INPUT lists the
    /// lines that are wrong, CONFLICT if a reorganisation of this name was applied.
    async fn reorganise(&self, ctx: &Context<'_>, input: ReorganiseInput) -> Result<ReorganisePayload> {
        let plan = Reorganisation::parse(&input.file).map_err(from_store)?;
        let request = request(ctx)?;
        let (viewer, app, dry_run) = (viewer(ctx)?.clone(), request.app.clone(), input.dry_run);
        let done = blocking(move || {
            app.db.write_unless(dry_run, &viewer.actor(), |tx| reorganise(tx, &plan)).map_err(from_store)
        })
        .await?;
        done.value.postings.iter().for_each(|moved| request.note_shown(|seen| &mut seen.files, moved.officer_id));
        let position = done.position.filter(|_| !dry_run);
        Ok(ReorganisePayload { applied: !dry_run, report: Json(done.value), position })
    }
}
