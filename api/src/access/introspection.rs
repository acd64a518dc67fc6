//! Counts the values that an introspection returns, over the schema itself, before the executor runs it.
//!
//! The types of a schema refer to each other, so a short document can ask for more values than fit into memory
//! (`possibleTypes { interfaces { possibleTypes … } }`). The count follows a selection from one set of types
//! and fields to the next. It keeps how often each of them occurs, not the occurrences, and stops at a limit.

use async_graphql::parser::Positioned;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, FragmentDefinition, InputValueDefinition, Selection, SelectionSet, ServiceDocument,
    Type, TypeKind, TypeSystemDefinition,
};
use async_graphql_value::Name;
use std::collections::HashMap;

/// The types that the specification adds to every schema, as far as they refer to each other.
const INTROSPECTION: &str = "
type __Schema { description: String types: [__Type!]! queryType: __Type! mutationType: __Type subscriptionType: __Type
  directives: [__Directive!]! }
type __Type { kind: __TypeKind! name: String description: String fields(includeDeprecated: Boolean): [__Field!]
  interfaces: [__Type!] possibleTypes: [__Type!] enumValues(includeDeprecated: Boolean): [__EnumValue!]
  inputFields(includeDeprecated: Boolean): [__InputValue!] ofType: __Type specifiedByURL: String isOneOf: Boolean }
type __Field { name: String! description: String args(includeDeprecated: Boolean): [__InputValue!]! type: __Type!
  isDeprecated: Boolean! deprecationReason: String }
type __InputValue { name: String! description: String type: __Type! defaultValue: String isDeprecated: Boolean!
  deprecationReason: String }
type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
type __Directive { name: String! description: String locations: [__DirectiveLocation!]!
  args(includeDeprecated: Boolean): [__InputValue!]! isRepeatable: Boolean! }
enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD }
directive @skip(if: Boolean!) on FIELD
directive @include(if: Boolean!) on FIELD
directive @deprecated(reason: String) on FIELD_DEFINITION
directive @specifiedBy(url: String!) on SCALAR
directive @oneOf on INPUT_OBJECT
";

/// A place that introspection can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Node {
    Schema,
    /// A type, and the number of lists and non-nulls around it.
    Type(usize, u8),
    /// A field of a type.
    Field(usize, usize),
    /// An argument or input field, by its type.
    Input(usize, u8),
    EnumValue,
    Directive(usize),
}

/// A type, and what introspection lists of it.
#[derive(Debug, Default)]
struct TypeShape {
    fields: Vec<FieldShape>,
    interfaces: Vec<usize>,
    possible: Vec<usize>,
    inputs: Vec<(usize, u8)>,
    enum_values: u64,
}

#[derive(Debug)]
struct FieldShape {
    of: (usize, u8),
    arguments: Vec<(usize, u8)>,
}

/// The shape of a schema: which type refers to which, and how often.
#[derive(Debug, Default)]
pub struct SchemaShape {
    names: HashMap<String, usize>,
    types: Vec<TypeShape>,
    directives: Vec<Vec<(usize, u8)>>,
}

/// The fragments of a document.
pub type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

impl SchemaShape {
    /// Builds the shape from the definitions of a schema.
    ///
    /// # Errors
    /// If the built-in introspection types do not parse.
    pub fn new(document: &ServiceDocument) -> Result<Self, async_graphql::parser::Error> {
        let own = async_graphql::parser::parse_schema(INTROSPECTION)?;
        let mut shape = Self::default();
        for definition in document.definitions.iter().chain(&own.definitions) {
            shape.add(definition);
        }
        Ok(shape)
    }

    fn add(&mut self, definition: &TypeSystemDefinition) {
        match definition {
            TypeSystemDefinition::Schema(_) => {}
            TypeSystemDefinition::Directive(directive) => {
                let arguments = self.inputs(&directive.node.arguments);
                self.directives.push(arguments);
            }
            TypeSystemDefinition::Type(definition) => {
                let own = self.place(&definition.node.name.node);
                match &definition.node.kind {
                    TypeKind::Scalar => {}
                    TypeKind::Object(object) => self.composite(own, &object.fields, &object.implements),
                    TypeKind::Interface(interface) => self.composite(own, &interface.fields, &interface.implements),
                    TypeKind::Union(union) => {
                        let members = union.members.iter().map(|name| self.place(&name.node)).collect();
                        self.types[own].possible = members;
                    }
                    TypeKind::Enum(words) => self.types[own].enum_values = words.values.len() as u64,
                    TypeKind::InputObject(object) => self.types[own].inputs = self.inputs(&object.fields),
                }
            }
        }
    }

    fn composite(&mut self, own: usize, fields: &[Positioned<FieldDefinition>], implements: &[Positioned<Name>]) {
        for field in fields {
            let field =
                FieldShape { of: self.reference(&field.node.ty.node), arguments: self.inputs(&field.node.arguments) };
            self.types[own].fields.push(field);
        }
        for interface in implements {
            let interface = self.place(&interface.node);
            self.types[own].interfaces.push(interface);
            self.types[interface].possible.push(own);
        }
    }

    fn inputs(&mut self, values: &[Positioned<InputValueDefinition>]) -> Vec<(usize, u8)> {
        values.iter().map(|value| self.reference(&value.node.ty.node)).collect()
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.names.get(name) {
            return *place;
        }
        self.types.push(TypeShape::default());
        self.names.insert(name.to_owned(), self.types.len() - 1);
        self.types.len() - 1
    }

    fn reference(&mut self, of: &Type) -> (usize, u8) {
        let (mut of, mut wrappers) = (of, 0);
        loop {
            wrappers += u8::from(!of.nullable);
            match &of.base {
                BaseType::Named(name) => return (self.place(name), wrappers),
                BaseType::List(inner) => (of, wrappers) = (inner, wrappers + 1),
            }
        }
    }

    /// The most values that a selection on `__schema` or `__type` returns; the count stops soon after `limit`.
    ///
    /// `type_name` is the argument of `__type`; None means any type.
    pub fn values(
        &self,
        field: &str,
        type_name: Option<&str>,
        set: &SelectionSet,
        fragments: &Fragments,
        limit: u64,
    ) -> u64 {
        let start = match (field, type_name) {
            ("__schema", _) => HashMap::from([(Node::Schema, 1)]),
            ("__type", Some(name)) => {
                self.names.get(name).map(|place| (Node::Type(*place, 0), 1)).into_iter().collect()
            }
            // The type is known only at run time: no single type lists more than all together.
            ("__type", None) => (0..self.types.len()).map(|place| (Node::Type(place, 0), 1)).collect(),
            _ => return 1,
        };
        let mut values = 1;
        self.selected(&start, set, fragments, limit, &mut values);
        values
    }

    fn selected(
        &self,
        from: &HashMap<Node, u64>,
        set: &SelectionSet,
        fragments: &Fragments,
        limit: u64,
        values: &mut u64,
    ) {
        for selection in &set.items {
            if *values > limit || from.is_empty() {
                return;
            }
            match &selection.node {
                Selection::InlineFragment(inline) => {
                    self.selected(from, &inline.node.selection_set.node, fragments, limit, values);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                        self.selected(from, &fragment.node.selection_set.node, fragments, limit, values);
                    }
                }
                Selection::Field(field) => {
                    let mut next: HashMap<Node, u64> = HashMap::new();
                    for (node, times) in from {
                        // Each node has a value for the field, even if null.
                        *values = values.saturating_add(*times);
                        self.step(*node, &field.node.name.node, &mut |to, each| {
                            let reached = times.saturating_mul(each);
                            *values = values.saturating_add(reached);
                            let count = next.entry(to).or_default();
                            *count = count.saturating_add(reached);
                        });
                        if *values > limit {
                            return;
                        }
                    }
                    self.selected(&next, &field.node.selection_set.node, fragments, limit, values);
                }
            }
        }
    }

    /// The nodes that a field of a node leads to, and how often.
    fn step(&self, node: Node, field: &str, to: &mut dyn FnMut(Node, u64)) {
        let inputs = |all: &[(usize, u8)], to: &mut dyn FnMut(Node, u64)| {
            all.iter().for_each(|(of, wrappers)| to(Node::Input(*of, *wrappers), 1));
        };
        match (node, field) {
            (Node::Schema, "types") => (0..self.types.len()).for_each(|place| to(Node::Type(place, 0), 1)),
            (Node::Schema, "directives") => (0..self.directives.len()).for_each(|place| to(Node::Directive(place), 1)),
            (Node::Schema, "queryType" | "mutationType" | "subscriptionType") => {
                let name = match field {
                    "queryType" => "Query",
                    "mutationType" => "Mutation",
                    _ => "Subscription",
                };
                self.names.get(name).into_iter().for_each(|place| to(Node::Type(*place, 0), 1));
            }
            (Node::Type(of, wrappers), "ofType") if wrappers > 0 => to(Node::Type(of, wrappers - 1), 1),
            (Node::Type(of, 0), "fields") => {
                (0..self.types[of].fields.len()).for_each(|nth| to(Node::Field(of, nth), 1))
            }
            (Node::Type(of, 0), "interfaces") => {
                self.types[of].interfaces.iter().for_each(|place| to(Node::Type(*place, 0), 1));
            }
            (Node::Type(of, 0), "possibleTypes") => {
                self.types[of].possible.iter().for_each(|place| to(Node::Type(*place, 0), 1));
            }
            (Node::Type(of, 0), "inputFields") => inputs(&self.types[of].inputs, to),
            (Node::Type(of, 0), "enumValues") => to(Node::EnumValue, self.types[of].enum_values),
            (Node::Field(of, nth), "type") => {
                let (of, wrappers) = self.types[of].fields[nth].of;
                to(Node::Type(of, wrappers), 1);
            }
            (Node::Field(of, nth), "args") => inputs(&self.types[of].fields[nth].arguments, to),
            (Node::Input(of, wrappers), "type") => to(Node::Type(of, wrappers), 1),
            (Node::Directive(place), "args") => inputs(&self.directives[place], to),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::{schema, sdl};
    use async_graphql::parser::{parse_query, parse_schema};

    const NO_LIMIT: u64 = u64::MAX;

    fn counted(sdl: &str, text: &str, limit: u64) -> u64 {
        let shape = SchemaShape::new(&parse_schema(sdl).expect("a schema")).expect("the introspection types");
        let document = parse_query(text).expect("a document");
        let (_, operation) = document.operations.iter().next().expect("an operation");
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else { panic!("a field") };
        let of = field.node.arguments.first().map(|(_, value)| value.node.to_string().trim_matches('"').to_owned());
        let name = &field.node.name.node;
        shape.values(name, of.as_deref(), &field.node.selection_set.node, &document.fragments, limit)
    }

    fn values_of(answer: &serde_json::Value) -> u64 {
        match answer {
            serde_json::Value::Object(fields) => 1 + fields.values().map(values_of).sum::<u64>(),
            serde_json::Value::Array(all) => all.iter().map(values_of).sum(),
            _ => 1,
        }
    }

    const DOCUMENTS: [&str; 5] = [
        "{ __schema { types { name fields { name type { name ofType { name ofType { name } } } } } } }",
        "{ __schema { queryType { fields { args { type { ofType { inputFields { name } } } } } } } }",
        "{ __type(name: \"Node\") { possibleTypes { interfaces { possibleTypes { interfaces { name } } } } } }",
        "{ __type(name: \"Complaint\") { fields { type { fields { type { ofType { fields { name } } } } } } } }",
        "{ __schema { types { ...T } directives { args { name } } } } fragment T on __Type { enumValues { name } }",
    ];

    #[test]
    fn the_count_is_what_the_executor_returns_or_a_little_more() {
        let schema = schema(false);
        let sdl = sdl(&schema);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        for text in DOCUMENTS {
            let response = runtime.block_on(schema.execute(text));
            assert!(response.errors.is_empty(), "{:?}", response.errors);
            let returned = values_of(&response.data.into_json().expect("JSON"));
            let counted = counted(&sdl, text, NO_LIMIT);
            assert!(counted >= returned, "{text}: {counted} counted, {returned} returned");
            assert!(counted <= returned * 2 + 500, "{text}: {counted} counted, {returned} returned");
        }
    }

    #[test]
    fn a_count_stops_soon_after_its_limit() {
        let sdl = sdl(&schema(false));
        let nested = "possibleTypes { interfaces { ".repeat(12) + "name" + &" } }".repeat(12);
        let text = format!("{{ __type(name: \"Node\") {{ {nested} }} }}");
        assert!(counted(&sdl, &text, NO_LIMIT) > 1_000_000_000_000);
        assert!(counted(&sdl, &text, 1_000) < 100_000);
    }
}
