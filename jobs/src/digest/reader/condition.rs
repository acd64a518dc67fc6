//! Whether a reader wants a digest with this content.

use crate::digest::DigestDocument;
use schema::enums::{DigestCondition, Tier};

/// Whether a digest meets the condition of its reader. `min_overdue` is the number for the condition OVERDUE.
pub fn is_wanted(document: &DigestDocument, condition: DigestCondition, min_overdue: i32) -> bool {
    match condition {
        DigestCondition::Always => true,
        DigestCondition::Overdue => i64::from(document.overdue.overdue) > i64::from(min_overdue),
        DigestCondition::NewFlag => document.flags.standing.iter().any(|flag| {
            let is_up = matches!(flag.change.as_deref(), Some("flags-new" | "flags-raised"));
            is_up && flag.tier >= Tier::Review
        }),
        DigestCondition::AnythingNew => {
            document.flags.changes > 0
                || document.measures.count > 0
                || document.overdue.newly_escalated.iter().any(|count| *count > 0)
                || document.proposals.iter().any(|proposal| proposal.is_new)
        }
    }
}
