//! Puts the fields of an answer in document order, as the specification requires: the executor leaves them in
//! the order in which they were ready.

use async_graphql::parser::Positioned;
use async_graphql::parser::types::{FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Value};
use std::collections::HashMap;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The response keys of an object in document order, each with its subselection.
struct SelectedFields<'d>(Vec<(&'d Name, SelectedFields<'d>)>);

/// Orders the fields of a value and of everything below it.
pub fn in_document_order(value: &mut Value, selections: &[&SelectionSet], fragments: &Fragments) {
    // Built once for all rows of a list.
    selected_fields(selections, fragments).order(value);
}

impl SelectedFields<'_> {
    fn order(&self, value: &mut Value) {
        match value {
            Value::List(list) => list.iter_mut().for_each(|value| self.order(value)),
            Value::Object(object) => {
                // Fields of other types are missing from this object, so places do not advance for them.
                let mut index = 0;
                for (name, below) in &self.0 {
                    if object.get_index(index).is_none_or(|(found, _)| found != *name) {
                        let Some(elsewhere) = object.get_index_of(*name) else { continue };
                        object.move_index(elsewhere, index);
                    }
                    if let Some((_, value)) = object.get_index_mut(index) {
                        below.order(value);
                    }
                    index += 1;
                }
            }
            _ => {}
        }
    }
}

fn selected_fields<'d>(selections: &[&'d SelectionSet], fragments: &'d Fragments) -> SelectedFields<'d> {
    let mut fields: Vec<(&Name, Vec<&SelectionSet>)> = Vec::new();
    for selection in selections {
        collect(selection, fragments, &mut fields);
    }
    SelectedFields(fields.into_iter().map(|(name, below)| (name, selected_fields(&below, fragments))).collect())
}

/// Collects the selected fields by response key, in document order.
fn collect<'d>(
    selections: &'d SelectionSet,
    fragments: &'d Fragments,
    fields: &mut Vec<(&'d Name, Vec<&'d SelectionSet>)>,
) {
    for selection in &selections.items {
        match &selection.node {
            Selection::Field(field) => {
                let name = &field.node.response_key().node;
                let below = &field.node.selection_set.node;
                match fields.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, all)) => all.push(below),
                    None => fields.push((name, vec![below])),
                }
            }
            Selection::InlineFragment(fragment) => collect(&fragment.node.selection_set.node, fragments, fields),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect(&fragment.node.selection_set.node, fragments, fields);
                }
            }
        }
    }
}
