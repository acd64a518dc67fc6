//! The signature of an operation, for allow-lists. It does not depend on white space, comments, or the order of
//! fields, arguments, variables and directives.

use async_graphql::parser::types::{
    Directive, ExecutableDocument, FragmentDefinition, OperationDefinition, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::parser::{Positioned, parse_query};
use async_graphql_value::{ConstValue, Name, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The SHA-256 signature, in hex, of one operation with the fragments of its document.
pub fn signature(document: &ExecutableDocument, operation: &OperationDefinition) -> String {
    let mut written = operation.ty.to_string();
    written.push_str(&sorted(operation.variable_definitions.iter().map(variable)));
    written.push_str(&directives(&operation.directives));
    written.push_str(&selections(&operation.selection_set.node));
    let fragments = document.fragments.iter().map(|(name, fragment)| definition(name, fragment));
    written.push_str(&sorted(fragments));
    data_encoding::HEXLOWER.encode(&Sha256::digest(written.as_bytes()))
}

fn sorted(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.collect();
    parts.sort_unstable();
    format!("({})", parts.join(" "))
}

fn variable(variable: &Positioned<VariableDefinition>) -> String {
    let variable = &variable.node;
    let default = variable.default_value.as_ref().map(|value| format!("={}", constant(&value.node)));
    format!("${}:{}{}", variable.name.node, variable.var_type.node, default.unwrap_or_default())
}

fn definition(name: &Name, fragment: &Positioned<FragmentDefinition>) -> String {
    let fragment = &fragment.node;
    let on = &fragment.type_condition.node.on.node;
    format!("fragment {name} on {on}{}{}", directives(&fragment.directives), selections(&fragment.selection_set.node))
}

fn directives(all: &[Positioned<Directive>]) -> String {
    sorted(all.iter().map(|one| format!("@{}{}", one.node.name.node, arguments(&one.node.arguments))))
}

fn arguments(all: &[(Positioned<Name>, Positioned<Value>)]) -> String {
    sorted(all.iter().map(|(name, value)| format!("{}:{}", name.node, written(&value.node))))
}

/// A value as text, the fields of objects sorted by name.
fn written(value: &Value) -> String {
    match value {
        Value::Object(fields) => sorted(fields.iter().map(|(name, value)| format!("{name}:{}", written(value)))),
        Value::List(list) => format!("[{}]", list.iter().map(written).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

fn constant(value: &ConstValue) -> String {
    written(&value.clone().into_value())
}

fn selections(set: &SelectionSet) -> String {
    sorted(set.items.iter().map(|selection| match &selection.node {
        Selection::Field(field) => {
            let field = &field.node;
            let mut text = String::new();
            if let Some(alias) = &field.alias {
                let _infallible = write!(text, "{}:", alias.node);
            }
            let _infallible = write!(text, "{}{}", field.name.node, arguments(&field.arguments));
            text + &directives(&field.directives) + &selections(&field.selection_set.node)
        }
        Selection::FragmentSpread(spread) => {
            format!("...{}{}", spread.node.fragment_name.node, directives(&spread.node.directives))
        }
        Selection::InlineFragment(inline) => {
            let inline = &inline.node;
            let on = inline.type_condition.as_ref().map(|on| format!("on {}", on.node.on.node));
            let within = selections(&inline.selection_set.node);
            format!("...{}{}{within}", on.unwrap_or_default(), directives(&inline.directives))
        }
    }))
}

/// The name and signature of each operation in a text.
///
/// # Errors
/// If the text is not a GraphQL document.
pub fn signatures(text: &str) -> Result<Vec<(Option<String>, String)>, async_graphql::parser::Error> {
    let document = parse_query(text)?;
    let found = document.operations.iter();
    Ok(found.map(|(name, one)| (name.map(ToString::to_string), signature(&document, &one.node))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        signatures(text).expect("a document").remove(0).1
    }

    #[test]
    fn white_space_comments_and_orders_do_not_matter() {
        let one = "query A($n: Int = 5, $u: String) { complaints(first: $n, filter: {unit: {within: $u}, state: {eq: NEW}}) { totalCount nodes { id ...F } } } fragment F on Complaint { state }";
        let other = "fragment F on Complaint{state}\n# a comment\nquery B ($u: String, $n: Int = 5) { complaints(filter: {state: {eq: NEW}, unit: {within: $u}}, first: $n) { nodes { ...F, id } totalCount } }";
        assert_eq!(of(one), of(other), "nor does the name");
    }

    #[test]
    fn whatever_changes_the_answer_matters() {
        let base = of("{ complaints(first: 5) { nodes { id } } }");
        for other in [
            "{ complaints(first: 6) { nodes { id } } }",
            "{ complaints(first: 5) { nodes { id text } } }",
            "{ complaints(first: 5) { edges { id } } }",
            "{ complaints(first: 5) { nodes { number: id } } }",
            "{ complaints(first: 5) { nodes { id @skip(if: true) } } }",
            "mutation { complaints(first: 5) { nodes { id } } }",
            "{ complaints(first: 5, last: 5) { nodes { id } } }",
            "{ complaints(first: \"5\") { nodes { id } } }",
        ] {
            assert_ne!(base, of(other), "{other}");
        }
    }
}
