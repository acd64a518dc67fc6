//! Checks a document against the table before it runs.

use super::table::allowed;
use async_graphql_parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationType, Selection,
    SelectionSet, ServiceDocument, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::{ConstValue, Name, Value, Variables};
use schema::enums::Role;
use std::collections::HashMap;

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A role may not name this.
    Denied { what: String, at: Pos },
    /// An operator without a value would be no condition at all, and show everything.
    NullOperator { what: String, at: Pos },
    /// More values in arguments and variables than [`MOST_VALUES`], or deeper than [`DEEPEST_VALUE`].
    TooManyValues { at: Pos },
}

/// The most values that the arguments of a request may hold, variables included. Conditions become
/// expressions, and those have a depth that a database and a stack can take.
pub const MOST_VALUES: usize = 2_000;

/// The types of the schema, for walking documents.
pub struct Guard {
    outputs: HashMap<String, HashMap<String, Output>>,
    inputs: HashMap<String, HashMap<String, String>>,
}

struct Output {
    of: String,
    arguments: HashMap<String, String>,
}

/// The deepest that the values of an argument may be nested: reading them recurses, on a stack of two
/// megabytes.
pub const DEEPEST_VALUE: usize = 12;

/// Fragments within fragments: no sane document has more.
const DEEPEST: usize = 64;

impl Guard {
    /// Learns the types from the schema's own description.
    ///
    /// # Errors
    /// Where the description does not parse.
    pub fn new(sdl: &str) -> Result<Self, async_graphql_parser::Error> {
        let document: ServiceDocument = async_graphql_parser::parse_schema(sdl)?;
        let mut guard = Self { outputs: HashMap::new(), inputs: HashMap::new() };
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            match definition.node.kind {
                TypeKind::Object(object) => {
                    let fields = object.fields.into_iter().map(|field| {
                        let arguments = field.node.arguments.into_iter();
                        let arguments = arguments
                            .map(|argument| (argument.node.name.node.to_string(), named(&argument.node.ty.node)))
                            .collect();
                        (field.node.name.node.to_string(), Output { of: named(&field.node.ty.node), arguments })
                    });
                    guard.outputs.insert(name, fields.collect());
                }
                TypeKind::InputObject(object) => {
                    let fields = object
                        .fields
                        .into_iter()
                        .map(|field| (field.node.name.node.to_string(), named(&field.node.ty.node)));
                    guard.inputs.insert(name, fields.collect());
                }
                _ => {}
            }
        }
        Ok(guard)
    }

    /// Every (type, field) of the schema, outputs and inputs.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let outputs = self.outputs.iter().flat_map(|(of, fields)| fields.keys().map(move |field| (&**of, &**field)));
        let inputs = self.inputs.iter().flat_map(|(of, fields)| fields.keys().map(move |field| (&**of, &**field)));
        outputs.chain(inputs)
    }

    /// What of the operation a role may not name, in the order of the document.
    pub fn check(
        &self,
        role: Role,
        document: &ExecutableDocument,
        operation: Option<&str>,
        variables: &Variables,
    ) -> Vec<Refusal> {
        let chosen = match &document.operations {
            DocumentOperations::Single(single) => Some(single),
            DocumentOperations::Multiple(all) => match operation {
                Some(name) => all.get(name),
                None if all.len() == 1 => all.values().next(),
                None => None,
            },
        };
        // An operation that is not there does not run.
        let Some(chosen) = chosen else { return Vec::new() };
        let root = match chosen.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let mut walk = Walk {
            guard: self,
            role,
            fragments: &document.fragments,
            variables,
            defaults: HashMap::new(),
            values: 0,
            depth: 0,
            too_deep: false,
            refusals: Vec::new(),
        };
        for definition in &chosen.node.variable_definitions {
            if let Some(default) = &definition.node.default_value {
                let of = named(&definition.node.var_type.node);
                let value = default.node.clone().into_value();
                walk.value(&of, &value, default.pos);
                walk.defaults.insert(&definition.node.name.node, value);
            }
        }
        walk.selections(root, &chosen.node.selection_set.node, 0);
        if walk.values > MOST_VALUES || walk.too_deep {
            walk.refusals.push(Refusal::TooManyValues { at: chosen.pos });
        }
        walk.refusals
    }
}

fn named(of: &Type) -> String {
    let mut base = &of.base;
    loop {
        match base {
            BaseType::Named(name) => return name.to_string(),
            BaseType::List(inner) => base = &inner.base,
        }
    }
}

struct Walk<'d> {
    guard: &'d Guard,
    role: Role,
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'d Variables,
    defaults: HashMap<&'d Name, Value>,
    values: usize,
    depth: usize,
    too_deep: bool,
    refusals: Vec<Refusal>,
}

impl<'d> Walk<'d> {
    fn selections(&mut self, of: &str, selections: &SelectionSet, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => self.field(of, field, depth),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref().map(|on| on.node.on.node.to_string());
                    let of = condition.as_deref().unwrap_or(of);
                    self.selections(of, &fragment.node.selection_set.node, depth + 1);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        let of = fragment.node.type_condition.node.on.node.to_string();
                        self.selections(&of, &fragment.node.selection_set.node, depth + 1);
                    }
                }
            }
        }
    }

    fn field(&mut self, of: &str, field: &Positioned<Field>, depth: usize) {
        let name = field.node.name.node.as_str();
        // Introspection tells of the schema, not of the register.
        if name.starts_with("__") {
            return;
        }
        // A field that does not exist is the validation's to refuse.
        let Some(output) = self.guard.outputs.get(of).and_then(|fields| fields.get(name)) else { return };
        self.name(of, name, field.pos);
        for (argument, value) in &field.node.arguments {
            if let Some(of) = output.arguments.get(argument.node.as_str()) {
                self.value(of, &value.node, value.pos);
            }
        }
        self.selections(&output.of, &field.node.selection_set.node, depth + 1);
    }

    fn value(&mut self, of: &str, value: &Value, at: Pos) {
        self.values += 1;
        self.depth += 1;
        if self.depth > DEEPEST_VALUE {
            self.too_deep = true;
        } else if self.values <= MOST_VALUES {
            self.parts(of, value, at);
        }
        self.depth -= 1;
    }

    fn parts(&mut self, of: &str, value: &Value, at: Pos) {
        match value {
            Value::Object(object) => {
                let Some(fields) = self.guard.inputs.get(of) else { return };
                for (name, value) in object {
                    if let Some(next) = fields.get(name.as_str()) {
                        // Whatever stands there, also null: it has been named.
                        self.name(of, name.as_str(), at);
                        let value = self.resolved(value);
                        if of.ends_with("Ops") && value == Value::Null {
                            self.refusals.push(Refusal::NullOperator { what: format!("{of}.{name}"), at });
                        }
                        self.value(next, &value, at);
                    }
                }
            }
            Value::List(list) => list.iter().for_each(|value| self.value(of, value, at)),
            Value::Variable(_) => {
                let value = self.resolved(value);
                self.value(of, &value, at);
            }
            _ => {}
        }
    }

    /// What a variable stands for: its value, its default, or null.
    fn resolved(&self, value: &Value) -> Value {
        let Value::Variable(name) = value else { return value.clone() };
        match self.variables.get(name) {
            Some(value) => ConstValue::into_value(value.clone()),
            None => self.defaults.get(name).cloned().unwrap_or(Value::Null),
        }
    }

    fn name(&mut self, of: &str, field: &str, at: Pos) {
        if !allowed(self.role, of, field) {
            self.refusals.push(Refusal::Denied { what: format!("{of}.{field}"), at });
        }
    }
}
