//! Checks the operation of a document that is to run.

use super::checked::Checked;
use super::guard::{Guard, named};
use super::roles::Reader;
use super::walk::Walk;
use crate::config::Limits;
use async_graphql::parser::Positioned;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql_value::{ConstValue, Variables};
use schema::enums::Role;

impl Guard {
    /// Checks the operation that is to run: names against the access table, weight against the limits. Without
    /// a role only introspection, and what receipts are for, is allowed.
    pub fn check(
        &self,
        role: Option<Role>,
        limits: &Limits,
        document: &ExecutableDocument,
        operation: Option<&str>,
        variables: &Variables,
    ) -> Checked {
        // A missing operation does not run.
        let Some(chosen) = chosen(document, operation) else { return Default::default() };
        let root = match chosen.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let mut walk = Walk::new(self, Reader::from(role), limits, document, variables);
        for definition in &chosen.node.variable_definitions {
            let (name, of) = (&definition.node.name.node, &definition.node.var_type.node);
            let given = variables.get(name).is_some_and(|value| *value != ConstValue::Null);
            if !of.nullable && !given && definition.node.default_value.is_none() {
                walk.missing(&format!("the variable ${name} of the type {of} has no value: give one"), definition.pos);
            }
            if let Some(default) = &definition.node.default_value {
                let of = named(&definition.node.var_type.node);
                walk.default(&of, &definition.node.name.node, default);
            }
        }
        walk.root(root, chosen);
        walk.done(chosen.pos)
    }
}

/// The operation of a document that runs; None if the name is missing or wrong.
pub fn chosen<'d>(
    document: &'d ExecutableDocument,
    operation: Option<&str>,
) -> Option<&'d Positioned<OperationDefinition>> {
    match &document.operations {
        DocumentOperations::Single(single) => Some(single),
        DocumentOperations::Multiple(all) => match operation {
            Some(name) => all.get(name),
            None if all.len() == 1 => all.values().next(),
            None => None,
        },
    }
}
