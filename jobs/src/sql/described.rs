//! The tables and columns that a query may name.

/// The table that only the Board may read.
pub const SOURCES: &str = "sources";

/// The tables and their columns.
pub const TABLES: [(&str, &[&str]); 5] = [
    (
        "complaints",
        &[
            "complaint",
            "received_on",
            "month",
            "year",
            "department",
            "branch",
            "team",
            "unit",
            "responsible_unit",
            "category",
            "category_group",
            "kind",
            "legal_form",
            "channel",
            "state",
            "enterprise",
            "cost_vnd",
            "delay_hours",
            "blames_system",
            "confidential",
            "due_on",
            "answered_on",
            "ended_on",
            "overdue",
        ],
    ),
    ("allegations", &["complaint", "officer", "finding", "attribution"]),
    (
        "units",
        &[
            "code",
            "name_vi",
            "name_en",
            "kind",
            "peer_group",
            "parent",
            "department",
            "branch",
            "valid_from",
            "valid_to",
            "successor",
        ],
    ),
    ("categories", &["code", "name_vi", "name_en", "kind", "serious", "deadline_days", "parent"]),
    (SOURCES, &["complaint", "source", "reference"]),
];
