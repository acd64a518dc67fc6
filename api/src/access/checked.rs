//! The result of the check of a document.

use super::audited_access::AuditedAccess;
use async_graphql::parser::Pos;

/// A reason to refuse a document, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The role may not use this name.
    Denied { what: String, at: Pos },
    /// The document passes null for a condition; it would select every row, so it is refused.
    NullCondition { what: String, at: Pos },
    /// The document exceeds a limit; the message says which.
    Limit { message: String, at: Pos },
    /// The arguments exceed a limit: the client can ask for less with the same document.
    Arguments { message: String, at: Pos },
}

/// The weight of an operation, as far as it is known before the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    pub depth: usize,
    pub fields: usize,
    /// Rows at most.
    pub cost: u64,
}

/// The result of a check.
#[derive(Debug, Default)]
pub struct Checked {
    pub weight: Weight,
    /// The reasons to refuse, in document order.
    pub refusals: Vec<Refusal>,
    /// The identities asked for and shown, for the audit log.
    pub audited_access: AuditedAccess,
}

/// Deepest nesting of an argument value: parsing recurses on a stack of two megabytes.
pub const DEEPEST_VALUE: usize = 12;
