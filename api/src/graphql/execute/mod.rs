//! How an operation runs: on a thread of its own, with the resolvers of lists in place, its panics as errors, and its
//! fields in the order of the document.

pub mod field_order;
mod inline_resolver;
pub mod operation_thread;
pub mod panics;

pub use inline_resolver::Inline;
pub use operation_thread::blocking;
