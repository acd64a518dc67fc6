//! The runs that this process executes.

use schema::Id;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

static UNDER_WAY: Mutex<BTreeSet<Id>> = Mutex::new(BTreeSet::new());

fn under_way() -> MutexGuard<'static, BTreeSet<Id>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process executes a run.
pub(super) fn is_under_way(run: Id) -> bool {
    under_way().contains(&run)
}

/// Marks a run as executed by this process, until dropped.
pub(super) struct ExecutionGuard(Id);

impl ExecutionGuard {
    pub fn begin(run: Id) -> Self {
        under_way().insert(run);
        Self(run)
    }
}

impl Drop for ExecutionGuard {
    fn drop(&mut self) {
        under_way().remove(&self.0);
    }
}
