//! The register's write operations: complaints, their routing and corrections, reference data, merges, guidance
//! documents, proposals, measures and tokens.
//! Each change records an event, or a state for tables without events.

pub mod access;
pub mod accounts;
pub mod administration;
mod aliases;
mod attachments;
pub mod audit;
mod case;
mod casework;
mod classification;
mod clock;
pub mod complaints;
mod corrections;
pub mod demonstration;
pub mod disclosure;
mod duplicates;
pub(crate) mod first_routing;
mod guidance;
mod measures;
mod merges;
mod postings;
mod proposals;
mod receipts;
pub mod reference;
mod responses;
mod routing;
mod saved_queries;
mod submission;
mod succession;
mod tree;
mod values;
pub mod web_sessions;

pub use aliases::Aliases;
pub use attachments::{ATTACHMENTS, check_attachments};
pub use casework::{Handling, handle};
pub use classification::{NewClassifier, store_classifier, store_suggestions};
pub(crate) use clock::{ClockInput, clock_of, clock_rules_with, clock_state, rounds_of_history};
pub use clock::{ClockStep, change_clock, clock_rules, round_clock, rules_hash, stops_of, use_rules};
pub(crate) use corrections::own_finding;
pub use corrections::{
    AllegationChange, AllegationKey, Correction, NewAllegation, NewMatter, Replacement, Set, correct, corrected_fields,
    decide_correction, propose_correction, withdraw_correction,
};
pub use duplicates::{DUPLICATE_OF, link_duplicate, unlink_duplicate};
pub(crate) use duplicates::{follow_state, lock_with_linked};
pub use guidance::{GuidanceStep, NewDocument, guide, request_opinion};
pub use measures::{
    Extension, MeasureStep, NewMeasure, change_measure, no_such_complaint, no_such_flag, record_measure, state_on,
};
pub use merges::{
    merge_enterprises, merge_officers, move_allegations, move_complaints, split_enterprise, split_officer,
};
pub(crate) use postings::{overlap, replace_postings};
pub use proposals::{Conclusion, NewProposal, conclude, propose};
pub use receipts::{
    ComplaintStatus, RECEIPT_ACTOR, ReceiptStep, act_by_receipt, issue_receipt, renew_receipt, status_by_receipt,
};
pub(crate) use responses::responded;
pub use responses::{NewResponse, respond, respond_to};
pub use routing::{Matter, NewRule, Route, RoutedBy, Routing, end_rule, put_rule, rules};
pub use saved_queries::{
    NewSavedQuery, SeenQuery, delete_saved_query, no_such_query, save_query, saved_query_named, saved_query_version,
    standing_queries,
};
pub use submission::{Submission, Submitted, sender_of, source_of, submit, submitted};
pub use succession::{hand_over_after, waiting_after};
pub use tree::load_tree;
pub(crate) use tree::{replace_parents, rewrite_ancestors};
