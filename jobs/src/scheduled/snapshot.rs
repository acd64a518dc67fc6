//! The snapshot job: loads the columnar snapshot anew from the database, compares it with the one in memory, and
//! replaces that one.

use crate::JobError;
use crate::results::result;
use crate::runner::job::{Context, Job, Publish, day_of};
use crate::snapshot::SnapshotStore;
use crate::sums::costs_and_delays;
use schema::models::JobRun;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub const NAME: &str = "snapshot";

/// The result that the job stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotDocument {
    pub position: i64,
    pub complaints: u32,
    pub cost_vnd: i64,
    /// Whether the incrementally refreshed snapshot and the new one agree in the number of complaints and their
    /// total cost; None when there was none in memory at the same position.
    pub agreed: Option<bool>,
}

pub struct Snapshot;

impl Job for Snapshot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "reloads the columnar snapshot and compares it with the one in memory"
    }

    fn schedule(&self) -> &'static str {
        "45 1 * * *"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let fresh = SnapshotStore::load(context.db)?.current();
        let count = |of: &crate::snapshot::Snapshot| -> Result<(u32, i64), JobError> {
            let complaints = u32::try_from(of.facts.height()).unwrap_or(u32::MAX);
            Ok((complaints, costs_and_delays(&of.facts)?.0))
        };
        let (complaints, cost_vnd) = count(&fresh)?;
        let mut agreed = None;
        if let Some(store) = context.snapshots {
            let in_memory = store.current();
            // Only snapshots of the same position are comparable.
            if in_memory.position == fresh.position {
                agreed = Some(count(&in_memory)? == (complaints, cost_vnd));
            }
            if agreed == Some(false) {
                tracing::error!(position = in_memory.position, "the snapshot in memory had drifted from the register");
            }
            store.replace(&fresh);
        }
        run.known_at = Some(fresh.position);
        run.summary = Some(json!({ "complaints": complaints, "agreed": agreed }).into());
        result(run, NAME, as_of, &SnapshotDocument { position: fresh.position, complaints, cost_vnd, agreed })
    }
}
