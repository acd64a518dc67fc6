//! The ledger: what makes a run happen once.
//!
//! A run is one row of `job_runs`, unique by job and scheduled time. The row of its job in `jobs`
//! says who runs it and until when: whoever sets it there owns the job until the lease ends, so
//! that runs of one job never overlap, on however many nodes. What a run found and that it ended
//! are written in one transaction, and only by its owner.

mod claim;
mod execute;
mod history;
#[cfg(test)]
mod tests;
mod waiting;

pub use claim::{Busy, Claim, claim, run_now};
pub use execute::{execute, give_up, still_owned};
pub use history::{count_runs, find, forget, history, set_paused, states};
pub use waiting::Waiting;

use std::sync::LazyLock;

/// The version of the code that a run was made by.
pub const CODE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Who this process is: no other has the same name, also after a restart.
static NODE: LazyLock<String> = LazyLock::new(|| {
    let host = hostname::get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{host}:{}:{:08x}", std::process::id(), rand::random::<u32>())
});

/// The name of this process in the ledger.
pub fn node() -> &'static str {
    &NODE
}
