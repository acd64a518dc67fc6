//! Who may read, filter and order by what: one table, denied by default.
//!
//! A document is checked before it runs: every field that it selects, every argument and every
//! field of an input object that it or its variables name. What is not in the table is denied.

mod expansion;
mod guard;
mod introspection;
mod looks;
mod roles;
mod table;
mod trusted;
mod walk;

pub use expansion::{Expansion, ExpansionError};
pub use guard::{Checked, Guard, Refusal, Weight, chosen};
pub use looks::{ASKED, Condition, EXEMPT, Looks, Of, SHOWN};
pub use roles::EXPORTERS;
pub use table::{TABLE, allowed};
pub use trusted::{signature, signatures};
