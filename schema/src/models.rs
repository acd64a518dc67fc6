//! Structs for diesel to read and write, one for each table.

use chrono::NaiveDate;

/// `valid_from` of a period without a known start.
pub const UNKNOWN_START: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};

macro_rules! model {
    ($(#[$meta:meta])* $table:ident $name:ident { $($(#[$fmeta:meta])* $field:ident : $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
        #[diesel(table_name = tables::$table, treat_none_as_default_value = false, treat_none_as_null = true)]
        pub struct $name { $($(#[$fmeta])* pub $field: $type),+ }

        impl $name {
            /// The table, and its columns with their types.
            #[cfg(test)]
            #[allow(dead_code, reason = "the test looks at tables with events")]
            pub(crate) const COLUMNS: (&str, &[(&str, &str)]) =
                (stringify!($table), &[$((stringify!($field), stringify!($type))),+]);
        }
    };
}

mod access;
mod audit;
mod classification;
mod complaints;
mod corrections;
mod digests;
mod flags;
mod intake;
mod interventions;
mod jobs;
mod notifications;
mod reference;
mod saved_queries;

pub use access::{ApiToken, Principal, TrustedOperation, WebSession};
pub use audit::{AuditEntry, Seal, StateEvent};
pub use classification::{CategorySuggestion, Classification, ClassifierModel, ClassifierWeights};
pub use complaints::{
    Complaint, ComplaintClock, ComplaintMatter, ComplaintOfficer, ComplaintSource, ComplaintStub, Escalation,
    ExportedComplaint, NamedOfficer, Redaction, UnitResponse,
};
pub use corrections::{CorrectionProposal, CorrectionProposalOfficer, Merge};
pub use digests::{Delivery, Digest, DigestDelivery, DigestSubscription, ReaderDigest};
pub use flags::{Flag, FlagAssessment, FlagReview};
pub use intake::{Attachment, ComplaintAddition, ComplaintLink, Receipt};
pub use interventions::{
    GuidanceDocument, GuidanceOpinion, Measure, MeasureComplaint, Proposal, ProposalCategory, ProposalUnit,
};
pub use jobs::{Job, JobResult, JobRun};
pub use notifications::{Alert, Notification, NotificationEndpoint};
pub use reference::{
    Enterprise, HolidayYear, IssueCategory, Officer, Posting, RegisterInfo, RoutingRule, SystemIncident, Unit,
    UnitParent, Workload,
};
pub use saved_queries::{SavedQuery, SavedQueryVersion};
