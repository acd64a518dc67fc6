//! Checks a document against the table, and against the limits, before it runs.

use super::introspection::SchemaShape;
use super::looks::{Looks, Shown, asks};
use super::walk::Walk;
use crate::limits::Limits;
use async_graphql_parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, InterfaceType, ObjectType, OperationDefinition, OperationType,
    ServiceDocument, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::{ConstValue, Variables};
use schema::enums::Role;
use std::collections::{HashMap, HashSet};

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A role may not name this.
    Denied { what: String, at: Pos },
    /// A condition without a value would be no condition at all, and show everything.
    NullCondition { what: String, at: Pos },
    /// It goes beyond a limit; the message says which.
    Limit { message: String, at: Pos },
    /// Its arguments do: the client can ask for less with the same document.
    Arguments { message: String, at: Pos },
}

/// What a document asks for, as far as it can be told before it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    pub depth: usize,
    pub fields: usize,
    /// Rows, at most.
    pub cost: u64,
}

/// The types of the schema, for walking documents.
pub struct Guard {
    pub(super) outputs: HashMap<String, HashMap<String, Output>>,
    pub(super) inputs: HashMap<String, HashMap<String, Input>>,
    /// Types that others implement.
    pub(super) interfaces: HashSet<String>,
    /// The words of enums: to order or group by one is to name it.
    pub(super) enums: HashMap<String, Vec<String>>,
    /// What introspection returns of the schema.
    pub(super) shape: SchemaShape,
    /// Enums of which some word names somebody.
    pub(super) naming: HashSet<String>,
}

pub(super) struct Output {
    pub of: String,
    pub arguments: HashMap<String, Input>,
    /// What it shows of somebody.
    pub shown: Option<Shown>,
}

/// A field of an input object, or an argument.
pub(super) struct Input {
    pub of: String,
    /// Whether it asks for somebody.
    pub asks: bool,
}

impl Input {
    fn new(within: &str, name: &str, of: &Type) -> Self {
        Self { of: named(of), asks: asks(within, name) }
    }
}

/// What was found in a document.
#[derive(Debug, Default)]
pub struct Checked {
    pub weight: Weight,
    /// What a role may not name, or asks for too much, in the order of the document.
    pub refusals: Vec<Refusal>,
    /// Whom it looks at.
    pub looks: Looks,
}

/// The deepest that the values of an argument may be nested: reading them recurses, on a stack of two
/// megabytes.
pub const DEEPEST_VALUE: usize = 12;

impl Guard {
    /// Learns the types from the schema's own description.
    ///
    /// # Errors
    /// Where the description does not parse.
    pub fn new(sdl: &str) -> Result<Self, async_graphql_parser::Error> {
        let document: ServiceDocument = async_graphql_parser::parse_schema(sdl)?;
        let mut guard = Self {
            outputs: HashMap::new(),
            inputs: HashMap::new(),
            interfaces: HashSet::new(),
            enums: HashMap::new(),
            shape: SchemaShape::new(&document)?,
            naming: HashSet::new(),
        };
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            if matches!(definition.node.kind, TypeKind::Interface(_)) {
                guard.interfaces.insert(name.clone());
            }
            match definition.node.kind {
                TypeKind::Object(ObjectType { fields, .. }) | TypeKind::Interface(InterfaceType { fields, .. }) => {
                    let fields = fields.into_iter().map(|field| {
                        let field = field.node;
                        let within = format!("{name}.{}", field.name.node);
                        let arguments = field.arguments.into_iter().map(|argument| {
                            let argument = argument.node;
                            let own = argument.name.node.to_string();
                            let input = Input::new(&within, &own, &argument.ty.node);
                            (own, input)
                        });
                        let shown = Shown::of(&name, &field.name.node);
                        let output = Output { of: named(&field.ty.node), arguments: arguments.collect(), shown };
                        (field.name.node.to_string(), output)
                    });
                    let fields = fields.collect();
                    guard.outputs.insert(name, fields);
                }
                TypeKind::InputObject(object) => {
                    let fields = object.fields.into_iter().map(|field| {
                        let own = field.node.name.node.to_string();
                        let input = Input::new(&name, &own, &field.node.ty.node);
                        (own, input)
                    });
                    let fields = fields.collect();
                    guard.inputs.insert(name, fields);
                }
                TypeKind::Enum(words) => {
                    let words = words.values.into_iter().map(|word| word.node.value.node.to_string());
                    let words: Vec<String> = words.collect();
                    if words.iter().any(|word| asks(&name, word)) {
                        guard.naming.insert(name.clone());
                    }
                    guard.enums.insert(name, words);
                }
                _ => {}
            }
        }
        Ok(guard)
    }

    /// Every (type, field) of the schema, outputs and inputs, and every (enum, word).
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let outputs = self.outputs.iter().flat_map(|(of, fields)| fields.keys().map(move |field| (&**of, &**field)));
        let inputs = self.inputs.iter().flat_map(|(of, fields)| fields.keys().map(move |field| (&**of, &**field)));
        let words = self.enums.iter().flat_map(|(of, words)| words.iter().map(move |word| (&**of, &**word)));
        outputs.chain(inputs).chain(words)
    }

    /// Every field of the schema that holds a value or an object, outputs and inputs, every argument (of `Type.field`) and every
    /// word of an enum, each with the name of its type; that of a word is empty.
    pub fn typed(&self) -> Vec<(String, &str, &str)> {
        let mut all = Vec::new();
        for (of, fields) in &self.outputs {
            for (field, output) in fields {
                all.push((of.clone(), &**field, &*output.of));
                let arguments = output.arguments.iter();
                all.extend(arguments.map(|(name, input)| (format!("{of}.{field}"), &**name, &*input.of)));
            }
        }
        for (of, fields) in &self.inputs {
            all.extend(fields.iter().map(|(field, input)| (of.clone(), &**field, &*input.of)));
        }
        for (of, words) in &self.enums {
            all.extend(words.iter().map(|word| (of.clone(), &**word, "")));
        }
        all
    }

    /// What of the operation a role may not name, or asks for too much, in the order of the document, and whom it looks at.
    /// Without a role nothing but the schema's own introspection may be named.
    pub fn check(
        &self,
        role: Option<Role>,
        limits: &Limits,
        document: &ExecutableDocument,
        operation: Option<&str>,
        variables: &Variables,
    ) -> Checked {
        // An operation that is not there does not run.
        let Some(chosen) = chosen(document, operation) else { return Default::default() };
        let root = match chosen.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let mut walk = Walk::new(self, role, limits, document, variables);
        for definition in &chosen.node.variable_definitions {
            let (name, of) = (&definition.node.name.node, &definition.node.var_type.node);
            let given = variables.get(name).is_some_and(|value| *value != ConstValue::Null);
            if !of.nullable && !given && definition.node.default_value.is_none() {
                walk.missing(&format!("the variable ${name} of the type {of} has no value"), definition.pos);
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

/// The operation of a document that runs; None where a name is missing or wrong.
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

fn named(of: &Type) -> String {
    let mut base = &of.base;
    loop {
        match base {
            BaseType::Named(name) => return name.to_string(),
            BaseType::List(inner) => base = &inner.base,
        }
    }
}
