//! Generates demonstration data (a "world"): an invented customs service with officers, enterprises and complaints, and
//! its ground truth, such as the true rates of officers.
//!
//! The generator and the statistics share only the domain rules, and the statistics cannot read the ground truth.

mod bursts;
mod cases;
mod chance;
mod enterprises;
mod incidents;
mod parameters;
mod parts;
mod people;
mod phrases;
mod plan;
mod technical_complaints;
mod timeline;
mod truth;
mod units;
mod write;

pub use parameters::{Bursts, Parameters, UNTIL};
pub use technical_complaints::{Outline, RecordedFailure, TechnicalComplaint, outline};
pub use truth::{Kind, Planted, SubjectWord, TrueBurst, TrueOfficer, Truth};
pub use write::{Progress, generate, ground_truth};
