//! Lists the protection of each table against unnoticed changes. A test compares the list with the tables of the
//! database.

use crate::enums::Chain;
use crate::states::StateTable;

/// The mechanism that reveals a change to a row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// Its rows are compared with the events of complaints or of reference data.
    Events,
    /// Each state of its rows is hashed into the chain of states.
    States,
    /// The table is a chain itself, covered by seals.
    Chain,
    /// Commitments in the events cover it.
    Commitments,
    /// No chain, for this reason.
    Not(&'static str),
}

const BY_COMPLAINT_EVENTS: &[&str] = &[
    "complaints",
    "complaint_officers",
    "complaint_matters",
    "complaint_clocks",
    "complaint_sources",
    "complaint_additions",
    "complaint_links",
    "unit_responses",
    "redactions",
];

const BY_REFERENCE_EVENTS: &[&str] = &[
    "units",
    "unit_parents",
    "officers",
    "postings",
    "enterprises",
    "issue_categories",
    "routing_rules",
    "holiday_years",
    "workload",
    "system_incidents",
    "guidance_documents",
    "guidance_opinions",
    "proposals",
    "proposal_categories",
    "proposal_units",
    "measures",
    "measure_complaints",
    "correction_proposals",
    "correction_proposal_officers",
    "merges",
];

const OTHERS: &[(&str, Cover)] = &[
    ("complaint_events", Cover::Chain),
    ("reference_events", Cover::Chain),
    ("audit_log", Cover::Chain),
    ("state_events", Cover::Chain),
    ("complaint_event_values", Cover::Commitments),
    ("reference_event_values", Cover::Commitments),
    ("classifier_weights", Cover::Not("their hash stands in classifier_models and is checked when they are loaded")),
    (
        "classifications",
        Cover::Not("they decide nothing: the job classify derives them from texts and classifier_models"),
    ),
    ("category_suggestions", Cover::Not("as classifications; the category that a person confirms is an event")),
    (
        "web_sessions",
        Cover::Not("each row holds a code over its holder by the key file, which every request of the session checks"),
    ),
    ("legal_clock", Cover::Not("with another hash the deadlines are computed anew by rules that other tables hold")),
    ("deferred_indexes", Cover::Not("it names indexes and foreign keys, which are no rows of the register")),
    ("seals", Cover::Not("each is signed and holds the hash of the one before; witnesses keep the newest")),
    ("register_position", Cover::Not("it is compared with the last event")),
    ("audit_position", Cover::Not("it is compared with the last entry of the audit log")),
    ("state_position", Cover::Not("it is compared with the last state")),
    ("__diesel_schema_migrations", Cover::Not("it is compared with the migrations of the program")),
];

/// Protection of a table; None for an unlisted table.
pub fn cover_of(table: &str) -> Option<Cover> {
    if BY_COMPLAINT_EVENTS.contains(&table) || BY_REFERENCE_EVENTS.contains(&table) {
        return Some(Cover::Events);
    }
    if StateTable::ALL.iter().any(|kept| kept.name() == table) {
        return Some(Cover::States);
    }
    OTHERS.iter().find(|(name, _)| *name == table).map(|(_, cover)| *cover)
}

/// The chain that covers a table; None if no single chain does.
pub fn chain_of(table: &str) -> Option<Chain> {
    if BY_COMPLAINT_EVENTS.contains(&table) {
        return Some(Chain::Complaints);
    }
    if BY_REFERENCE_EVENTS.contains(&table) {
        return Some(Chain::Reference);
    }
    match table {
        "complaint_events" | "complaint_event_values" | "register_position" => Some(Chain::Complaints),
        "reference_events" | "reference_event_values" => Some(Chain::Reference),
        "audit_log" | "audit_position" => Some(Chain::Audit),
        "state_events" | "state_position" => Some(Chain::State),
        "seals" | "__diesel_schema_migrations" => None,
        _ => Some(Chain::State),
    }
}

/// All listed tables.
pub fn covered_tables() -> Vec<&'static str> {
    let kept = StateTable::ALL.iter().map(|kept| kept.name());
    let by_events = BY_COMPLAINT_EVENTS.iter().chain(BY_REFERENCE_EVENTS).copied();
    by_events.chain(kept).chain(OTHERS.iter().map(|(name, _)| *name)).collect()
}
