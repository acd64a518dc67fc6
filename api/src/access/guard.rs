//! The guard: checks a document against the access table and the limits before it runs.

use super::audited_access::{Shown, identifies};
use super::introspection::SchemaShape;
use super::permissions::allowed;
use super::roles::Reader;
use async_graphql::parser::types::{
    BaseType, InterfaceType, ObjectType, ServiceDocument, Type, TypeKind, TypeSystemDefinition,
};
use std::collections::{HashMap, HashSet};

/// The types of the schema, for walks over documents.
pub struct Guard {
    pub(super) outputs: HashMap<String, HashMap<String, Output>>,
    pub(super) inputs: HashMap<String, HashMap<String, Input>>,
    /// The interface types.
    pub(super) interfaces: HashSet<String>,
    /// The values of enums: to order or group by a value is to name it.
    pub(super) enums: HashMap<String, Vec<String>>,
    /// The answers of introspection.
    pub(super) shape: SchemaShape,
    /// Enums with a value that identifies subjects.
    pub(super) identifying_enums: HashSet<String>,
}

/// An output field.
pub(super) struct Output {
    pub of: String,
    pub arguments: HashMap<String, Input>,
    /// The identity or content that the field shows.
    pub shown: Option<Shown>,
}

/// An input field or an argument.
pub(super) struct Input {
    pub of: String,
    /// Whether it selects by an identity or a text.
    pub identifies: bool,
}

impl Input {
    fn new(within: &str, name: &str, of: &Type) -> Self {
        Self { of: named(of), identifies: identifies(within, name) }
    }
}

impl Guard {
    /// Learns the types from the SDL of the schema.
    ///
    /// # Errors
    /// If the SDL does not parse.
    pub fn new(sdl: &str) -> Result<Self, async_graphql::parser::Error> {
        let document: ServiceDocument = async_graphql::parser::parse_schema(sdl)?;
        let mut guard = Self {
            outputs: HashMap::new(),
            inputs: HashMap::new(),
            interfaces: HashSet::new(),
            enums: HashMap::new(),
            shape: SchemaShape::new(&document)?,
            identifying_enums: HashSet::new(),
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
                    if words.iter().any(|word| identifies(&name, word)) {
                        guard.identifying_enums.insert(name.clone());
                    }
                    guard.enums.insert(name, words);
                }
                _ => {}
            }
        }
        Ok(guard)
    }

    /// Every (type, field) of outputs and inputs, and every (enum, value).
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let outputs = self.outputs.iter().flat_map(|(of, fields)| fields.keys().map(move |field| (&**of, &**field)));
        let inputs = self.inputs.iter().flat_map(|(of, fields)| fields.keys().map(move |field| (&**of, &**field)));
        let words = self.enums.iter().flat_map(|(of, words)| words.iter().map(move |word| (&**of, &**word)));
        outputs.chain(inputs).chain(words)
    }

    /// The fields of an input type that a reader may name, in the order of the alphabet.
    pub fn input_fields(&self, reader: impl Into<Reader>, of: &str) -> Vec<&str> {
        let reader = reader.into();
        let all = self.inputs.get(of).into_iter().flat_map(HashMap::keys).map(String::as_str);
        let mut fields: Vec<&str> = all.filter(|field| allowed(reader, of, field)).collect();
        fields.sort_unstable();
        fields
    }

    /// Every output field, input field, argument (of `Type.field`) and enum value, with the name of its type;
    /// for an enum value the type is empty.
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
}

pub(super) fn named(of: &Type) -> String {
    let mut base = &of.base;
    loop {
        match base {
            BaseType::Named(name) => return name.to_string(),
            BaseType::List(inner) => base = &inner.base,
        }
    }
}
