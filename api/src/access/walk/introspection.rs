//! Counts and prices what an introspection selects.

use super::Walk;
use async_graphql::parser::Positioned;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql_value::Value;

/// Introspection values charged as one row: a row of a page of complaints has about as many values.
const VALUES_OF_A_ROW: u64 = 25;

impl<'d> Walk<'d> {
    /// Adds the fields and the cost of an introspection to the weight.
    pub(super) fn introspection(&mut self, field: &'d Positioned<Field>, depth: usize) {
        let set = &field.node.selection_set.node;
        self.count(set, depth, 1);
        let name = field.node.arguments.iter().find(|(name, _)| name.node == "name");
        let name = name.map(|(_, value)| {
            self.value("String", &value.node, value.pos, None);
            self.resolved(&value.node)
        });
        let name = match &name {
            Some(Value::String(name)) => Some(name.as_str()),
            _ => None,
        };
        // The count stops once the cost is above the limit of the role: it is refused anyway.
        let limit = (u64::from(self.limits.cost) + 1).saturating_mul(VALUES_OF_A_ROW);
        let values = self.guard.shape.values(&field.node.name.node, name, set, self.fragments, limit);
        self.weight.cost = self.weight.cost.saturating_add(values / VALUES_OF_A_ROW);
    }

    /// Counts the fields below an introspection field.
    fn count(&mut self, set: &'d SelectionSet, depth: usize, level: usize) {
        for selection in &set.items {
            if self.is_too_much(depth) {
                return;
            }
            self.weight.fields += 1;
            let below = match &selection.node {
                Selection::Field(field) => {
                    self.introspection_depth = self.introspection_depth.max(level);
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.directives(&field.node.directives);
                    (&field.node.selection_set.node, level + 1)
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.node.directives);
                    (&inline.node.selection_set.node, level)
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives);
                    match self.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) => (&fragment.node.selection_set.node, level),
                        None => continue,
                    }
                }
            };
            self.count(below.0, depth, below.1);
        }
    }
}
