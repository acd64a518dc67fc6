//! The types of the schema, and random values and selections of them.

use super::Fuzzer;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, Type, TypeKind, TypeSystemDefinition};
use rand::RngExt;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// A field by its name, with the type of its value and its arguments.
pub type Output = (String, String, Vec<(String, Type)>);

/// The types of the schema by name: fields with their arguments, input fields, words.
#[derive(Default)]
pub struct Types {
    pub outputs: HashMap<String, Vec<Output>>,
    pub inputs: HashMap<String, Vec<(String, Type)>>,
    pub words: HashMap<String, Vec<String>>,
}

pub fn named(of: &Type) -> String {
    match &of.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => named(inner),
    }
}

impl Types {
    pub fn new(sdl: &str) -> Self {
        let mut types = Self::default();
        for definition in parse_schema(sdl).expect("the schema").definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            let fields = match definition.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                TypeKind::InputObject(object) => {
                    let fields =
                        object.fields.into_iter().map(|one| (one.node.name.node.to_string(), one.node.ty.node));
                    types.inputs.insert(name, fields.collect());
                    continue;
                }
                TypeKind::Enum(words) => {
                    let words = words.values.into_iter().map(|word| word.node.value.node.to_string());
                    types.words.insert(name, words.collect());
                    continue;
                }
                _ => continue,
            };
            let fields = fields.into_iter().map(|field| {
                let arguments = field.node.arguments.into_iter();
                let arguments = arguments.map(|one| (one.node.name.node.to_string(), one.node.ty.node)).collect();
                (field.node.name.node.to_string(), named(&field.node.ty.node), arguments)
            });
            types.outputs.insert(name, fields.collect());
        }
        types
    }

    /// A value of a type, mostly a fitting one.
    pub fn value(&self, fuzzer: &mut Fuzzer, of: &Type, depth: usize) -> Value {
        if fuzzer.one_in(20) {
            return json!(null);
        }
        let name = match &of.base {
            BaseType::List(inner) => {
                let number = if fuzzer.one_in(30) { 300 } else { fuzzer.random.random_range(0..4) };
                return (0..number).map(|_| self.value(fuzzer, inner, depth)).collect();
            }
            BaseType::Named(name) => name.as_str(),
        };
        if let Some(words) = self.words.get(name) {
            return words.choose(&mut fuzzer.random).map_or(json!("NONE"), |word| json!(word));
        }
        if let Some(fields) = self.inputs.get(name) {
            let mut object = Map::new();
            let number = if depth > 6 { 0 } else { fuzzer.random.random_range(0..4) };
            for _ in 0..number {
                let Some((field, of)) = fields.choose(&mut fuzzer.random) else { continue };
                object.insert(field.clone(), self.value(fuzzer, of, depth + 1));
            }
            return Value::Object(object);
        }
        match name {
            "Int" => json!(*[0, 1, 3, -1, 200, i32::MAX, i32::MIN].choose(&mut fuzzer.random).expect("a number")),
            "Float" => json!(*[0.0, -1.5, 1e300, 1e-300, 4.0].choose(&mut fuzzer.random).expect("a number")),
            "Boolean" => json!(fuzzer.one_in(2)),
            "DateTime" => json!(fuzzer.choose(&[
                "2024-01-05T00:00:00Z",
                "2024-02-30T00:00:00Z",
                "9999-12-31T23:59:59+14:00",
                "x"
            ])),
            "NaiveDate" => json!(fuzzer.choose(&["2024-01-05", "0000-01-01", "9999-12-31", "+262142-12-31"])),
            "Decimal" => json!(fuzzer.choose(&["0", "-1", "9223372036854775807", "1e30", "0.5"])),
            _ => json!(fuzzer.text()),
        }
    }

    /// A selection of a type; arguments become variables.
    pub fn selection(
        &self,
        fuzzer: &mut Fuzzer,
        of: &str,
        depth: usize,
        variables: &mut Vec<(String, String, Value)>,
    ) -> String {
        let Some(fields) = self.outputs.get(of) else { return String::new() };
        let mut text = String::from("{ __typename ");
        for _ in 0..fuzzer.random.random_range(1..4) {
            if depth > 8 {
                break;
            }
            match fuzzer.random.random_range(0..12) {
                0 => text += &format!("...F{} ", fuzzer.random.random_range(0..3)),
                1 => text += &format!("... on {of} {} ", self.selection(fuzzer, of, depth + 1, variables)),
                2 if depth == 0 => text += "__schema { types { fields { type { ofType { name } } } } } ",
                _ => {
                    let Some((name, below, arguments)) = fields.choose(&mut fuzzer.random) else { continue };
                    if fuzzer.one_in(8) {
                        text += &format!("a{}: ", variables.len());
                    }
                    text += name;
                    let mut given = Vec::new();
                    for (argument, of) in arguments {
                        if !of.nullable || fuzzer.one_in(3) {
                            let variable = format!("v{}", variables.len());
                            given.push(format!("{argument}: ${variable}"));
                            let value = self.value(fuzzer, of, 0);
                            variables.push((variable, of.to_string(), value));
                        }
                    }
                    if !given.is_empty() {
                        text += &format!("({})", given.join(", "));
                    }
                    if fuzzer.one_in(10) {
                        text += fuzzer.choose(&[
                            " @skip(if: true)",
                            " @include(if: false)",
                            " @skip(if: $v0)",
                            " @deprecated",
                        ]);
                    }
                    text += " ";
                    text += &self.selection(fuzzer, below, depth + 1, variables);
                }
            }
        }
        text + "} "
    }
}
