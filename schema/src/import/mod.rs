//! Reading other people's registers: a CSV file and a mapping that says what its columns mean.
//!
//! A file goes through four steps: it is read row by row ([`reader`]), rows of one thing are
//! brought together ([`stage`]), each thing is checked and written in transactions of some
//! thousand ([`run`]), by the rules of its kind ([`kinds`]).

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
mod row;
mod run;
mod seen;
mod stage;
mod tally;

pub use error::ImportError;
pub use field::{FieldSpec, FieldType};
pub use kinds::Kind;
pub use mapping::Mapping;
pub use notices::Notices;
pub use rejects::{Reject, RejectSink};
pub use run::{Import, Options, Progress, Report, Summary, run};
pub use tally::{ColumnTally, Created, Merged, Tallied};
