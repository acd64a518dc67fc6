//! Finds what the audit log records of a document, whatever its outcome: its conditions, and the fields that show a
//! subject.
//!
//! A condition is a look as much as an answer: a count under `officers: {officer: {code: …}}` tells about that
//! officer. The access table says of every field and enum value whether it identifies a subject, and the lists here say
//! it of every argument; a test walks the schema.

use super::permissions::audited;
use super::table::Audited;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

type Names = &'static [&'static str];

/// Arguments, of `Type.field`, that select by an identity.
pub const IDENTIFYING_ARGUMENTS: &[(&str, Names)] = &[
    ("Query.complaint", &["id"]),
    ("Query.node", &["id"]),
    ("Query.flag", &["id"]),
    ("Query.flagWithoutEnterprise", &["id", "taxCode"]),
    ("Query.runReproduction", &["id"]),
    ("Query.officer", &["id", "code"]),
];

/// Arguments that need no entry, with the reason. A row with `*` covers arguments that hold numbers, times, enum values
/// or objects; an argument that holds a text, an id or JSON must be named in a row.
pub const OTHER_ARGUMENTS: &[(&str, Names, &str)] = &[
    ("Query.sql", &["*", "query", "parameters"], "the SQL query itself is logged, with its parameters"),
    (
        "Query.runSavedQuery",
        &["*", "name", "parameters"],
        "the SQL query itself is logged, with its name and parameters",
    ),
    ("Query.savedQuery", &["*", "name"], "a question, not its answer"),
    (
        "Query.*",
        &["*", "after", "before", "category", "code", "id", "idempotencyKey", "receipt", "timezone", "unit"],
        "units and categories, places in a list, keys of the sender; the log must have no receipt code",
    ),
    ("*.totalCountUpTo", &["*"], "up to how many rows a list is counted"),
    ("Unit.*", &["*", "after", "before"], "places in a list"),
    ("Officer.*", &["*", "after", "before"], "places in a list"),
    ("Enterprise.*", &["*", "after", "before"], "places in a list"),
    ("IssueCategory.*", &["*", "after", "before"], "places in a list"),
    ("Complaint.*", &["*", "after", "before"], "places in a list"),
    ("HolidayYear.*", &["*", "after", "before"], "places in a list"),
    ("Measure.*", &["*"], "days"),
    ("DigestSubscription.*", &["id"], "a digest of the reader who asks"),
    ("Proposal.*", &["*"], "days"),
    (
        "Mutation.*",
        &["*", "comment", "name", "reason", "receipt", "text"],
        "users of the register, texts of complainants; no receipt code may be logged; inputs have fields of their own",
    ),
    ("Subscription.*", &["*"], "filters have fields of their own"),
];

/// Whether an input field, an argument or an enum value selects by an identity or a text.
pub(super) fn identifies(of: &str, field: &str) -> bool {
    audited(of, field) == Some(Audited::AsCondition)
        || IDENTIFYING_ARGUMENTS.iter().any(|(name, fields)| *name == of && fields.contains(&field))
}

/// A field of a document that shows a subject.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    name: Arc<str>,
    /// Whether it shows a complaint.
    is_complaint: bool,
}

impl Shown {
    /// Name by which the log lists a field that shows a subject; None for a field that shows none.
    pub fn of(type_name: &str, field: &str) -> Option<Self> {
        let is_complaint = match audited(type_name, field)? {
            Audited::ByRows => true,
            Audited::ByResolver => false,
            _ => return None,
        };
        Some(Self { name: format!("{type_name}.{field}").into(), is_complaint })
    }
}

/// A condition as the client gave it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// The path: fields, an argument, fields of input objects.
    pub path: String,
    pub value: Value,
}

/// The conditions of a document, and its fields that show a subject.
#[derive(Debug, Clone, Default)]
pub struct AuditedAccess {
    pub conditions: Vec<Condition>,
    pub fields: Vec<Arc<str>>,
    /// Whether it shows the id or the content of complaints.
    pub complaints: bool,
}

/// Bytes of conditions that an audit log entry holds, as many as the largest document may have by default. A
/// document can repeat a text often: with more than this it is refused, and the entry keeps the beginning of
/// each text beyond it.
pub(super) const MOST_BYTES: usize = 256 * 1024;

impl AuditedAccess {
    pub fn is_empty(&self) -> bool {
        self.conditions.is_empty() && self.fields.is_empty()
    }

    pub(super) fn add_condition(&mut self, path: String, value: Value) {
        self.conditions.push(Condition { path, value });
    }

    pub(super) fn add_field(&mut self, shown: &Shown) {
        self.complaints |= shown.is_complaint;
        if !self.fields.iter().any(|name| Arc::ptr_eq(name, &shown.name)) {
            self.fields.push(Arc::clone(&shown.name));
        }
    }
}
