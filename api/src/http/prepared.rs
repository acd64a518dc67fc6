//! A parsed operation that passed all checks.

use super::answer_cache::AnswerKey;
use super::persisted::{Parsed, Validity};
use crate::access::{AuditedAccess, Viewer, Weight, chosen};
use crate::config::Limits;
use crate::graphql::is_part_of_a_statistic;
use async_graphql::Variables;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};
use schema::enums::Locale;
use std::sync::Arc;

/// An operation that may run.
pub struct Prepared {
    pub text: String,
    pub operation: Option<String>,
    pub variables: Variables,
    pub weight: Weight,
    /// The people it asks for and shows, for the audit log.
    pub audited_access: AuditedAccess,
    pub(super) valid_by: Validity,
    /// The key under which its answer is to be kept.
    pub(super) keep_as: Option<AnswerKey>,
    pub(super) parsed: Arc<Parsed>,
    pub(super) limits: Arc<Limits>,
    pub locale: Locale,
    /// The position that its reads must see, by the request's header; `i64::MIN` without one.
    pub(super) at_least: i64,
}

impl Prepared {
    pub fn document(&self) -> &ExecutableDocument {
        &self.parsed.document
    }

    pub fn chosen(&self) -> Option<&OperationDefinition> {
        chosen(self.document(), self.operation.as_deref()).map(|one| &one.node)
    }

    /// True if the document has no operation of this name: then nothing runs.
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

    /// Whether the snapshot alone can answer the operation.
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

    /// Whether a selection below a statistic contains only groups, measures and columns of the grouped rows. A unit's
    /// flag, for example, changes without the register.
    fn is_statistic(&self, set: &SelectionSet, depth: usize) -> bool {
        // The guard refuses deeper selections.
        depth < 16
            && set.items.iter().all(|selection| match &selection.node {
                Selection::Field(field) => {
                    let below = &field.node.selection_set.node;
                    below.items.is_empty()
                        || is_part_of_a_statistic(field.node.name.node.as_str()) && self.is_statistic(below, depth + 1)
                }
                Selection::InlineFragment(inline) => self.is_statistic(&inline.node.selection_set.node, depth + 1),
                Selection::FragmentSpread(spread) => {
                    let named = self.document().fragments.get(&spread.node.fragment_name.node);
                    named.is_some_and(|named| self.is_statistic(&named.node.selection_set.node, depth + 1))
                }
            })
    }

    /// The name for metrics, the log and the audit log. A client without a token chooses none: it could fill them, or
    /// write a receipt code into them.
    pub fn name_for(&self, viewer: Option<&Viewer>) -> &str {
        if viewer.is_some() { self.name() } else { "without token" }
    }

    /// The operation name for metrics: a name in the document, because a client may send any `operationName`.
    pub fn name(&self) -> &str {
        let document = self.document();
        let mut names = document.operations.iter().filter_map(|(name, _)| Some(name?.as_str()));
        match self.operation.as_deref() {
            Some(chosen) => names.find(|name| *name == chosen).unwrap_or("unknown"),
            None => names.next().unwrap_or("anonymous"),
        }
    }
}
