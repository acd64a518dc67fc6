//! Whether anybody still waits for what this thread reads. SQLite runs a statement to its end unless one of its
//! functions fails; ours looks here.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    static GONE: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// From now on statements of this thread may be broken off once `gone` is true; with None none are.
pub fn unless(gone: Option<Arc<AtomicBool>>) {
    GONE.set(gone);
}

pub(super) fn is_unwanted() -> bool {
    GONE.with_borrow(|gone| gone.as_ref().is_some_and(|gone| gone.load(Ordering::Relaxed)))
}
