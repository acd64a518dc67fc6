//! Puts the fields of an answer in the order of the document: the executor leaves them in the
//! order in which they were ready, and the specification wants them as they were asked for.

use async_graphql::{Name, Value};
use async_graphql_parser::Positioned;
use async_graphql_parser::types::{FragmentDefinition, Selection, SelectionSet};
use std::collections::HashMap;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The fields of an object by the names that they have in the answer, in order, with those of what lies below.
struct Asked<'d>(Vec<(&'d Name, Asked<'d>)>);

/// Orders the fields of a value, and of what lies below it.
pub fn in_document_order(value: &mut Value, selections: &[&SelectionSet], fragments: &Fragments) {
    // Made once for all rows of a list.
    asked(selections, fragments).order(value);
}

impl Asked<'_> {
    fn order(&self, value: &mut Value) {
        match value {
            Value::List(list) => list.iter_mut().for_each(|value| self.order(value)),
            Value::Object(object) => {
                // Fields of types that the object is not are missing: the places shrink.
                let mut place = 0;
                for (name, below) in &self.0 {
                    if object.get_index(place).is_none_or(|(found, _)| found != *name) {
                        let Some(elsewhere) = object.get_index_of(*name) else { continue };
                        object.move_index(elsewhere, place);
                    }
                    if let Some((_, value)) = object.get_index_mut(place) {
                        below.order(value);
                    }
                    place += 1;
                }
            }
            _ => {}
        }
    }
}

fn asked<'d>(selections: &[&'d SelectionSet], fragments: &'d Fragments) -> Asked<'d> {
    let mut fields: Vec<(&Name, Vec<&SelectionSet>)> = Vec::new();
    for selection in selections {
        collect(selection, fragments, &mut fields);
    }
    Asked(fields.into_iter().map(|(name, below)| (name, asked(&below, fragments))).collect())
}

/// The fields that a selection asks for, by the name they have in the answer, in order.
fn collect<'d>(
    selections: &'d SelectionSet,
    fragments: &'d Fragments,
    asked: &mut Vec<(&'d Name, Vec<&'d SelectionSet>)>,
) {
    for selection in &selections.items {
        match &selection.node {
            Selection::Field(field) => {
                let name = &field.node.response_key().node;
                let below = &field.node.selection_set.node;
                match asked.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, all)) => all.push(below),
                    None => asked.push((name, vec![below])),
                }
            }
            Selection::InlineFragment(fragment) => collect(&fragment.node.selection_set.node, fragments, asked),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect(&fragment.node.selection_set.node, fragments, asked);
                }
            }
        }
    }
}
