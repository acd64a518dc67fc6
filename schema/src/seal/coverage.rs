//! By what each table is covered: a test compares the list with the tables that are there.

use crate::states::Kept;

/// What tells that a row of a table is what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Its rows are what the events of complaints or of reference data say.
    Events,
    /// Each state of its rows is in the chain of states.
    States,
    /// It is a chain: seals cover it.
    Chain,
    /// Commitments in the events cover it.
    Commitments,
    /// Nothing, for this reason.
    Not(&'static str),
}

const BY_EVENTS: &[&str] = &[
    "complaints",
    "complaint_officers",
    "complaint_matters",
    "complaint_sources",
    "unit_responses",
    "redactions",
    "units",
    "unit_parents",
    "officers",
    "postings",
    "enterprises",
    "issue_categories",
    "workload",
    "system_incidents",
    "guidance_documents",
    "guidance_opinions",
    "proposals",
    "proposal_categories",
    "proposal_units",
    "measures",
];

const OTHERS: &[(&str, Cover)] = &[
    ("complaint_events", Cover::Chain),
    ("reference_events", Cover::Chain),
    ("audit_log", Cover::Chain),
    ("state_events", Cover::Chain),
    ("complaint_event_values", Cover::Commitments),
    ("reference_event_values", Cover::Commitments),
    ("seals", Cover::Not("each is signed and holds the hash of the one before; witnesses keep the newest")),
    ("register_position", Cover::Not("it is compared with the last event")),
    ("audit_position", Cover::Not("it is compared with the last entry of the audit log")),
    ("state_position", Cover::Not("it is compared with the last state")),
    ("__diesel_schema_migrations", Cover::Not("it says which migrations ran, and nothing of the register")),
];

/// How a table is covered; None for one that is in no list.
pub fn cover_of(table: &str) -> Option<Cover> {
    if BY_EVENTS.contains(&table) {
        return Some(Cover::Events);
    }
    if Kept::ALL.iter().any(|kept| kept.name() == table) {
        return Some(Cover::States);
    }
    OTHERS.iter().find(|(name, _)| *name == table).map(|(_, cover)| *cover)
}

/// All tables of the lists.
pub fn covered_tables() -> Vec<&'static str> {
    let kept = Kept::ALL.iter().map(|kept| kept.name());
    BY_EVENTS.iter().copied().chain(kept).chain(OTHERS.iter().map(|(name, _)| *name)).collect()
}
