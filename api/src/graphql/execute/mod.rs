//! Runs an operation: on a thread of its own, with the resolvers of lists in place, the JSON of unchanged objects from
//! a cache, its panics as errors, and its fields in the order of the document.

mod boxed;
pub mod field_order;
mod inline_resolver;
mod list_node;
pub mod object_cache;
pub mod operation_thread;
pub mod panics;
pub mod selection;

pub use boxed::Boxed;
pub use inline_resolver::Inline;
pub use list_node::{CachedSelections, ListNode, dependencies, selection_hash};
pub use operation_thread::blocking;
