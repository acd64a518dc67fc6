//! Imports CSV files of other registers, by a mapping that says what their columns mean.
//!
//! [`reader`] reads a file row by row, [`stage`] groups the rows of one entity (a complaint, a unit), and [`run`]
//! checks some thousand entities at a time, by the rules of their kind ([`kinds`]). [`writer`] writes them in another
//! thread, in one transaction each time.

mod bools;
mod clock;
mod dates;
mod encoding;
mod error;
mod field;
pub mod inspect;
pub mod kinds;
pub(crate) mod looks;
mod mapping;
mod notices;
mod numbers;
mod quotes;
mod reader;
mod rejects;
mod report;
mod row;
mod run;
mod seen;
mod stage;
mod tally;
mod writer;

pub use error::ImportError;
pub use field::{FieldSpec, FieldType};
pub use kinds::Kind;
pub use mapping::Mapping;
pub use notices::Notices;
pub use rejects::{Reject, RejectSink};
pub use report::{Import, Options, Progress, Report, Summary};
pub use run::run;
pub use tally::{ColumnTally, Created, Merged, Tallied};
