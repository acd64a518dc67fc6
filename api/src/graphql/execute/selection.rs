//! Selections whose JSON may be cached, and their canonical text.

use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Variables};
use std::collections::HashMap;
use std::fmt::Write;

/// The fragments and variables that selections refer to.
#[derive(Debug, Clone, Copy)]
pub struct Referenced<'d> {
    pub fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// The variables, with the defaults of those that the request leaves out.
    pub variables: &'d Variables,
}

/// The fields of a type that depend on nothing but the version of the row, the names in the snapshot and the rights of
/// the viewer. A field that is in no list is not cached.
#[derive(Debug)]
pub struct Cacheable {
    pub name: &'static str,
    pub leaves: &'static [&'static str],
    pub objects: &'static [(&'static str, &'static Cacheable)],
}

/// Deepest selection of an object that is cached, fragments counted.
const DEEPEST: usize = 12;

/// Deepest document, fragments counted, whose objects are cached.
const DEEPEST_DOCUMENT: usize = 24;

/// Appends the canonical text of a selection: response keys, names, and arguments with the values of variables. None if
/// the selection is not cacheable.
pub fn text_of_selection(
    referenced: Referenced<'_>,
    selections: &SelectionSet,
    of: &'static Cacheable,
    text: &mut String,
) -> Option<()> {
    text.push_str(of.name);
    text.push('{');
    append(referenced, selections, of, text, 0)?;
    text.push('}');
    Some(())
}

fn append(
    referenced: Referenced<'_>,
    selections: &SelectionSet,
    of: &'static Cacheable,
    text: &mut String,
    depth: usize,
) -> Option<()> {
    if depth > DEEPEST {
        return None;
    }
    for selection in &selections.items {
        match &selection.node {
            Selection::Field(field) => {
                let field = &field.node;
                if !field.directives.is_empty() {
                    return None;
                }
                let name = field.name.node.as_str();
                write!(text, "{}:{name}", field.response_key().node).ok()?;
                for (argument, value) in &field.arguments {
                    let value = value
                        .node
                        .clone()
                        .into_const_with(|variable| referenced.variables.get(&variable).cloned().ok_or(()));
                    write!(text, "({}:{})", argument.node, value.ok()?).ok()?;
                }
                if let Some((_, below)) = of.objects.iter().find(|(object, _)| *object == name) {
                    text.push('{');
                    append(referenced, &field.selection_set.node, below, text, depth + 1)?;
                    text.push('}');
                } else if name != "__typename" && !of.leaves.contains(&name) {
                    return None;
                }
                text.push(' ');
            }
            Selection::InlineFragment(fragment) => {
                let fragment = &fragment.node;
                let fits = fragment.type_condition.as_ref().is_none_or(|on| on.node.on.node == of.name);
                if !fits || !fragment.directives.is_empty() {
                    return None;
                }
                append(referenced, &fragment.selection_set.node, of, text, depth + 1)?;
            }
            Selection::FragmentSpread(spread) => {
                let fragment = &referenced.fragments.get(&spread.node.fragment_name.node)?.node;
                if fragment.type_condition.node.on.node != of.name
                    || !spread.node.directives.is_empty()
                    || !fragment.directives.is_empty()
                {
                    return None;
                }
                append(referenced, &fragment.selection_set.node, of, text, depth + 1)?;
            }
        }
    }
    Some(())
}

/// Whether every selection of a document, with its fragments in place, has each response key once and no directive.
/// Then no two values are merged, and the executor leaves no field out.
pub fn selects_each_field_once(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| {
        operation.node.directives.is_empty() && each_once(document, &operation.node.selection_set, 0)
    })
}

fn each_once(document: &ExecutableDocument, selections: &Positioned<SelectionSet>, depth: usize) -> bool {
    let mut keys = Vec::new();
    depth <= DEEPEST_DOCUMENT && collect_once(document, selections, depth, &mut keys)
}

fn collect_once<'d>(
    document: &'d ExecutableDocument,
    selections: &'d Positioned<SelectionSet>,
    depth: usize,
    keys: &mut Vec<&'d str>,
) -> bool {
    depth <= DEEPEST_DOCUMENT
        && selections.node.items.iter().all(|selection| match &selection.node {
            Selection::Field(field) => {
                let key = field.node.response_key().node.as_str();
                let is_new = !keys.contains(&key);
                keys.push(key);
                is_new && field.node.directives.is_empty() && each_once(document, &field.node.selection_set, depth + 1)
            }
            Selection::InlineFragment(inline) => {
                inline.node.directives.is_empty() && collect_once(document, &inline.node.selection_set, depth + 1, keys)
            }
            Selection::FragmentSpread(spread) => {
                spread.node.directives.is_empty()
                    && document.fragments.get(&spread.node.fragment_name.node).is_some_and(|fragment| {
                        fragment.node.directives.is_empty()
                            && collect_once(document, &fragment.node.selection_set, depth + 1, keys)
                    })
            }
        })
}

/// Whether every operation of a document is a query that selects only fields of this root type. The document must not
/// expand without end.
pub fn selects_only(document: &ExecutableDocument, root: &Cacheable) -> bool {
    document.operations.iter().all(|(_, operation)| {
        operation.node.ty == OperationType::Query && consists_of(document, &operation.node.selection_set.node, root, 0)
    })
}

/// Whether a query of a document selects a field at the root, outside fragments.
pub fn selects_at_root(document: &ExecutableDocument, name: &str) -> bool {
    let is_it = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => field.node.name.node.as_str() == name,
        _ => false,
    };
    let selects = |operation: &OperationDefinition| operation.selection_set.node.items.iter().any(is_it);
    document.operations.iter().any(|(_, one)| one.node.ty == OperationType::Query && selects(&one.node))
}

/// Directives do not matter: they leave out fields of the selection, and add none.
fn consists_of(document: &ExecutableDocument, selections: &SelectionSet, of: &Cacheable, depth: usize) -> bool {
    depth <= DEEPEST_DOCUMENT
        && selections.items.iter().all(|selection| match &selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                match of.objects.iter().find(|(object, _)| *object == name) {
                    Some((_, below)) => consists_of(document, &field.node.selection_set.node, below, depth + 1),
                    None => name == "__typename" || of.leaves.contains(&name),
                }
            }
            Selection::InlineFragment(inline) => {
                inline.node.type_condition.as_ref().is_none_or(|on| on.node.on.node == of.name)
                    && consists_of(document, &inline.node.selection_set.node, of, depth + 1)
            }
            Selection::FragmentSpread(spread) => {
                document.fragments.get(&spread.node.fragment_name.node).is_some_and(|fragment| {
                    fragment.node.type_condition.node.on.node == of.name
                        && consists_of(document, &fragment.node.selection_set.node, of, depth + 1)
                })
            }
        })
}
