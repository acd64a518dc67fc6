//! The register's write operations: complaints, their routing, reference data, guidance documents, proposals, measures
//! and tokens.
//! Each change records an event, or a state for tables without events.

pub mod access;
pub mod administration;
pub mod audit;
mod casework;
mod classification;
pub mod complaints;
pub mod demonstration;
pub mod disclosure;
pub(crate) mod first_routing;
mod guidance;
mod measures;
mod postings;
mod proposals;
pub mod reference;
mod responses;
mod routing;
mod submission;
mod tree;

pub use casework::{Handling, handle};
pub use classification::{NewClassifier, store_classifier, store_suggestions};
pub use guidance::{GuidanceStep, NewDocument, guide, request_opinion};
pub use measures::{
    Extension, MeasureStep, NewMeasure, change_measure, no_such_complaint, no_such_flag, record_measure, state_on,
};
pub(crate) use postings::replace_postings;
pub use proposals::{NewProposal, Outcome, conclude, propose};
pub(crate) use responses::responded;
pub use responses::{NewResponse, respond, respond_to};
pub use routing::{Matter, NewRule, Route, RoutedBy, Routing, end_rule, put_rule, rules};
pub use submission::{Submission, Submitted, source_of, submit, submitted};
pub use tree::load_tree;
pub(crate) use tree::{replace_parents, rewrite_ancestors};
