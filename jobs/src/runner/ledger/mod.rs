//! The ledger of runs, by which each scheduled run happens once across all nodes.
//!
//! A run is a row of `job_runs`, unique by job and scheduled time. The job's row in `jobs` holds the lease: the
//! owning node, its run and the end of the lease. Only the owner runs the job, so runs of one job never overlap.
//! Only the owner ends a run, and it stores the results in the same transaction.

mod by_hand;
mod claim;
mod execute;
mod history;
mod pause;
mod rows;
#[cfg(test)]
mod tests;
mod under_way;
mod waiting;

pub use by_hand::{claim_now, plan_of, run_now};
pub use claim::claim;
pub use execute::{execute, give_up, still_owned};
pub use history::{count_runs, forget, history, last_successes, states};
pub use pause::{Pause, change_pause, set_paused};
pub use rows::{Claim, find};
pub use waiting::Waiting;

use std::sync::LazyLock;

/// The program version that runs record.
pub const CODE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The name of this process: host, process id and a random number, so that it is unique even after a restart.
static NODE: LazyLock<String> = LazyLock::new(|| {
    let host = hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{host}:{}:{:08x}", std::process::id(), rand::random::<u32>())
});

/// The name of this process as the owner of runs.
pub fn node() -> &'static str {
    &NODE
}
