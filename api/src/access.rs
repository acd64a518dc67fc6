//! Field-level access control: one table says which role may read, filter and order by which field, and what the
//! audit log records of it; the default is deny.
//!
//! The guard checks a document before it runs: every selected field, every argument, and every input field that the
//! document or its variables name.

mod audited_access;
mod check;
mod checked;
mod expansion;
mod guard;
mod introspection;
mod permissions;
mod readers;
mod roles;
mod row_scope;
mod table;
mod trusted;
mod viewer;
mod walk;

pub use audited_access::{AuditedAccess, Condition, IDENTIFYING_ARGUMENTS, OTHER_ARGUMENTS};
pub use check::chosen;
pub use checked::{Checked, Refusal, Weight};
pub use expansion::{Expansion, ExpansionError};
pub use guard::Guard;
pub use permissions::{allowed, audited, rows, takes_receipt};
pub use readers::Readers;
pub use roles::{EXPORTERS, Reader};
pub use row_scope::{OfUnit, Rows, Scope, is_one_of, within, within_columns, within_places};
pub use table::Audited;
pub use trusted::{signature, signatures};
pub use viewer::{Viewer, viewer, viewer_of};
