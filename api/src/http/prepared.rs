//! An operation that was checked and may run.

use super::persisted::{Parsed, Validity};
use crate::access::{Looks, Weight, chosen};
use crate::limits::Limits;
use async_graphql::Variables;
use async_graphql_parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};
use schema::enums::Locale;
use std::sync::Arc;

/// The objects of a statistic.
const OF_A_STATISTIC: [&str; 11] = [
    "rows",
    "totals",
    "totalsBefore",
    "previous",
    "department",
    "branch",
    "team",
    "unit",
    "category",
    "officer",
    "enterprise",
];

/// An operation that may run.
pub struct Prepared {
    pub text: String,
    pub operation: Option<String>,
    pub variables: Variables,
    pub weight: Weight,
    /// Whom it looks at.
    pub looks: Looks,
    pub(super) valid_by: Validity,
    pub(super) parsed: Arc<Parsed>,
    pub(super) limits: Arc<Limits>,
    pub locale: Locale,
}

impl Prepared {
    pub fn document(&self) -> &ExecutableDocument {
        &self.parsed.document
    }

    pub fn chosen(&self) -> Option<&OperationDefinition> {
        chosen(self.document(), self.operation.as_deref()).map(|one| &one.node)
    }

    /// Without a choice nothing runs.
    pub fn is_query(&self) -> bool {
        self.chosen().is_none_or(|operation| operation.ty == OperationType::Query)
    }

    pub fn is_subscription(&self) -> bool {
        self.chosen().is_some_and(|operation| operation.ty == OperationType::Subscription)
    }

    /// The limits of the viewer's role.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether everything that it asks for comes from the snapshot.
    pub fn is_of_the_snapshot(&self) -> bool {
        self.chosen().is_some_and(|operation| {
            operation.selection_set.node.items.iter().all(|selection| {
                let Selection::Field(field) = &selection.node else { return false };
                match field.node.name.node.as_str() {
                    "complaintStatistics" => self.is_statistic(&field.node.selection_set.node, 0),
                    name => name == "__typename",
                }
            })
        })
    }

    /// Whether below a statistic nothing is asked for but groups, measures and what stands in the row of what they are of:
    /// a unit's flag, say, changes without the register.
    fn is_statistic(&self, set: &SelectionSet, depth: usize) -> bool {
        // What is deeper is refused elsewhere.
        depth < 16
            && set.items.iter().all(|selection| match &selection.node {
                Selection::Field(field) => {
                    let below = &field.node.selection_set.node;
                    below.items.is_empty()
                        || OF_A_STATISTIC.contains(&field.node.name.node.as_str())
                            && self.is_statistic(below, depth + 1)
                }
                Selection::InlineFragment(inline) => self.is_statistic(&inline.node.selection_set.node, depth + 1),
                Selection::FragmentSpread(spread) => {
                    let named = self.document().fragments.get(&spread.node.fragment_name.node);
                    named.is_some_and(|named| self.is_statistic(&named.node.selection_set.node, depth + 1))
                }
            })
    }

    /// The name under which it is counted: one of the document, and nothing else that a client says.
    pub fn name(&self) -> &str {
        let document = self.document();
        let mut names = document.operations.iter().filter_map(|(name, _)| Some(name?.as_str()));
        match self.operation.as_deref() {
            Some(chosen) => names.find(|name| *name == chosen).unwrap_or("unknown"),
            None => names.next().unwrap_or("anonymous"),
        }
    }
}
