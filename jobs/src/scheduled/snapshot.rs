//! The snapshot job: loads the columnar snapshot anew from the database, compares it with the one in memory, and
//! replaces that one.

use crate::JobError;
use crate::results::result;
use crate::runner::job::{Context, Job, Publish, day_of};
use crate::snapshot::SnapshotStore;
use crate::sums::costs_and_delays;
use schema::domain::calendar::local_date;
use schema::models::JobRun;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub const NAME: &str = "snapshot";

/// Attempts to bring both snapshots to one position while others write.
const TRIES: usize = 5;

/// The result that the job stores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotDocument {
    pub position: i64,
    pub complaints: u32,
    pub cost_vnd: i64,
    /// Whether the incrementally refreshed snapshot and the new one agree in every column of every complaint; None when
    /// there was none in memory at the same position.
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
        let own = SnapshotStore::load(context.db)?;
        let mut agreed = None;
        if let Some(store) = context.snapshots {
            // Only snapshots of the same position and day are comparable, and writes went on while the new one was read.
            for _ in 0..TRIES {
                store.refresh(context.db)?;
                own.refresh(context.db)?;
                let (in_memory, fresh) = (store.current(), own.current());
                let days = [&in_memory, &fresh].map(|snapshot| local_date(snapshot.as_of));
                if in_memory.position == fresh.position && days[0] == days[1] {
                    agreed = Some(in_memory.agrees_with(&fresh)?);
                    break;
                }
            }
            if agreed == Some(false) {
                let position = own.current().position;
                tracing::error!(position, "the snapshot in memory had drifted from the register");
            }
            // The server then writes its file anew, too: a file that drifted would bring the drift back.
            store.replace(&own.current());
        }
        let fresh = own.current();
        let complaints = u32::try_from(fresh.facts.height()).unwrap_or(u32::MAX);
        let (cost_vnd, _) = costs_and_delays(&fresh.facts)?;
        run.known_at = Some(fresh.position);
        run.summary = Some(json!({ "complaints": complaints, "agreed": agreed }).into());
        result(run, NAME, as_of, &SnapshotDocument { position: fresh.position, complaints, cost_vnd, agreed })
    }
}
