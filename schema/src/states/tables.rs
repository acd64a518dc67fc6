//! The tables of the chain of states.

use std::fmt::Display;

macro_rules! kept {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A table whose rows have no events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum StateTable { $($(#[$doc])* $variant),+ }

        impl StateTable {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

kept! {
    RegisterInfo = "register_info",
    Principals = "principals",
    ApiTokens = "api_tokens",
    TrustedOperations = "trusted_operations",
    Jobs = "jobs",
    JobRuns = "job_runs",
    JobResults = "job_results",
    Escalations = "escalations",
    Receipts = "receipts",
    Attachments = "attachments",
    Flags = "flags",
    FlagAssessments = "flag_assessments",
    FlagReviews = "flag_reviews",
    Digests = "digests",
    DigestSubscriptions = "digest_subscriptions",
    Deliveries = "deliveries",
    ReaderDigests = "reader_digests",
    ClassifierModels = "classifier_models",
    SavedQueries = "saved_queries",
    SavedQueryVersions = "saved_query_versions",
    NotificationEndpoints = "notification_endpoints",
    Notifications = "notifications",
    Alerts = "alerts",
}

impl StateTable {
    /// Columns that change without a decision. Their values are not hashed.
    pub(super) const fn volatile(self) -> &'static [&'static str] {
        match self {
            Self::ApiTokens => &["last_used_at"],
            Self::Jobs => &["run_id", "node", "lease_until"],
            Self::DigestSubscriptions => &["considered_at"],
            _ => &[],
        }
    }
}

/// The text of a key of two columns, the first of which is an id.
pub fn pair(first: impl Display, second: impl Display) -> String {
    format!("{first} {second}")
}
