//! Puts the fields of an answer in the order of the document: the executor leaves them in the
//! order in which they were ready, and the specification wants them as they were asked for.

use async_graphql::{Name, Value};
use async_graphql_parser::Positioned;
use async_graphql_parser::types::{FragmentDefinition, Selection, SelectionSet};
use std::collections::HashMap;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Orders the fields of a value, and of what lies below it.
pub fn in_document_order(value: &mut Value, selections: &[&SelectionSet], fragments: &Fragments) {
    match value {
        Value::List(list) => list.iter_mut().for_each(|value| in_document_order(value, selections, fragments)),
        Value::Object(object) => {
            let mut asked: Vec<(&Name, Vec<&SelectionSet>)> = Vec::new();
            for selection in selections {
                collect(selection, fragments, &mut asked);
            }
            for (at, (name, below)) in asked.iter().enumerate() {
                if let Some(value) = object.get_mut(*name) {
                    in_document_order(value, below, fragments);
                }
                if let Some(place) = object.get_index_of(*name) {
                    // Fields of types that the object is not are missing: the places shrink.
                    let wanted = asked[..at].iter().filter(|(name, _)| object.contains_key(*name)).count();
                    object.move_index(place, wanted);
                }
            }
        }
        _ => {}
    }
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
