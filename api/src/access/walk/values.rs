//! Walks the values of arguments and variables: checks names and lengths, and notes conditions for the audit
//! log.

use super::{DEEPEST_VALUE, Path, Refusal, Walk};
use crate::access::audited_access::{MOST_BYTES, identifies};
use async_graphql::parser::Pos;
use async_graphql_value::{ConstValue, Value};

/// Characters noted of a text that is too long to be noted whole.
const BEGINNING: usize = 100;

/// Input fields that search inside stored texts. The time grows with pattern length × text length, so the patterns are
/// limited.
const PATTERNS: [&str; 2] = ["like", "search"];

/// Suffixes of types whose fields are all conditions.
const CONDITIONS: [&str; 3] = ["Filter", "Having", "Ops"];

impl<'d> Walk<'d> {
    /// Checks a value of type `of`. `path` leads to it; None if the value identifies no subject.
    pub(super) fn value(&mut self, of: &str, value: &Value, at: Pos, path: Option<&Path<'_>>) {
        self.values += 1;
        self.value_depth += 1;
        if self.value_depth > DEEPEST_VALUE {
            self.values_too_deep = true;
        } else if self.values <= self.limits.argument_values as usize {
            self.parts(of, value, at, path);
        }
        self.value_depth -= 1;
    }

    fn parts(&mut self, of: &str, value: &Value, at: Pos, path: Option<&Path<'_>>) {
        match value {
            Value::Object(object) => {
                let Some(fields) = self.guard.inputs.get(of) else { return };
                let was_in_condition = self.in_condition;
                let is_condition = CONDITIONS.iter().any(|kind| of.ends_with(kind));
                self.in_condition |= is_condition;
                for (name, value) in object {
                    if let Some(next) = fields.get(name.as_str()) {
                        // A field counts as named also where its value is null.
                        self.name(of, name.as_str(), at);
                        let was_in_variable = self.in_variable;
                        self.in_variable |= matches!(value, Value::Variable(_));
                        let value = self.resolved(value);
                        if let (true, Value::String(pattern)) = (PATTERNS.contains(&name.as_str()), &value) {
                            self.escapes(name, pattern, at);
                            // A pattern that is too long by itself is refused below.
                            let length = pattern.chars().count();
                            self.pattern_characters += if length > self.longest_text() { 0 } else { length };
                        }
                        if is_condition && value == Value::Null {
                            self.refusals.push(Refusal::NullCondition { what: format!("{of}.{name}"), at });
                        }
                        let path = path.map(|path| path.to(name));
                        if let Some(path) = path.as_ref().filter(|_| next.identifies) {
                            self.note_condition(path, &value, at);
                        }
                        self.value(&next.of, &value, at, path.as_ref());
                        self.in_variable = was_in_variable;
                    }
                }
                self.in_condition = was_in_condition;
            }
            // The two databases read other forms of a day differently.
            Value::String(text) if of == "NaiveDate" && !is_plain_date(text) => {
                let message = "a NaiveDate must be written as in 2024-03-01, with a year of four digits";
                self.refusals.push(Refusal::Arguments { message: message.to_owned(), at });
            }
            // PostgreSQL stores no NUL and fails on a parameter that holds one.
            Value::String(text) if text.contains('\0') => {
                let message = "a text contains the character NUL: leave it out";
                self.refusals.push(Refusal::Arguments { message: message.to_owned(), at });
            }
            // Databases and parsers recurse along a pattern, and the stack is limited.
            Value::String(text) if text.len() > self.longest_text() && text.chars().count() > self.longest_text() => {
                let (most, what) =
                    (self.longest_text(), if self.in_condition { "a text of a condition" } else { "a text" });
                let message = format!("{what} is longer than {most} characters: shorten it");
                self.refusals.push(Refusal::Arguments { message, at });
            }
            Value::String(text) if !self.in_variable && self.guard.enums.contains_key(of) => {
                let message =
                    format!("{text:?} is a string where a value of the enum {of} belongs: write it without quotes");
                self.refusals.push(Refusal::Arguments { message, at });
            }
            // In variables enum values are strings.
            Value::Enum(word) if self.guard.enums.contains_key(of) => self.word(of, word, at, path),
            Value::String(word) if self.guard.enums.contains_key(of) => self.word(of, word, at, path),
            Value::List(list) => list.iter().for_each(|value| self.value(of, value, at, path)),
            Value::Variable(_) => {
                let value = self.resolved(value);
                let was_in_variable = std::mem::replace(&mut self.in_variable, true);
                self.value(of, &value, at, path);
                self.in_variable = was_in_variable;
            }
            _ => {}
        }
    }

    /// PostgreSQL rejects a pattern that ends in an incomplete escape, and SQLite finds nothing with it.
    fn escapes(&mut self, name: &str, pattern: &str, at: Pos) {
        let backslashes = pattern.bytes().rev().take_while(|byte| *byte == b'\\').count();
        if name == "like" && backslashes % 2 == 1 {
            let message = "a pattern ends with a backslash that escapes nothing: write two to find one";
            self.refusals.push(Refusal::Arguments { message: message.to_owned(), at });
        }
    }

    /// The longest text allowed here, in characters.
    fn longest_text(&self) -> usize {
        let limit = if self.in_condition { self.limits.condition_characters } else { self.limits.text_characters };
        limit as usize
    }

    fn word(&mut self, of: &str, word: &str, at: Pos, path: Option<&Path<'_>>) {
        self.name(of, word, at);
        if let Some(path) = path.filter(|_| self.guard.identifying_enums.contains(of) && identifies(of, word)) {
            self.audited_access.add_condition(path.dotted(), word.into());
        }
    }

    /// Records a condition that identifies a subject for the audit log. The guard refuses conditions that do
    /// not fit into an entry: they could hide whom the document asks for.
    pub(super) fn note_condition(&mut self, path: &Path<'_>, value: &Value, at: Pos) {
        let fitted = !self.conditions_too_long;
        let value = self.constant(value, 0);
        self.audited_access.add_condition(path.dotted(), value);
        if fitted && self.conditions_too_long {
            let message = format!(
                "the conditions have more than {MOST_BYTES} bytes together, a variable counted at each use: ask for less at once"
            );
            self.refusals.push(Refusal::Arguments { message, at });
        }
    }

    /// A value with its variables resolved.
    fn constant(&mut self, value: &Value, depth: usize) -> serde_json::Value {
        use serde_json::Value as Json;
        // A deeper value is refused elsewhere.
        if depth > DEEPEST_VALUE {
            return Json::Null;
        }
        match value {
            Value::Variable(_) => {
                let value = self.resolved(value);
                self.constant(&value, depth + 1)
            }
            Value::Null => Json::Null,
            Value::Number(number) => Json::Number(number.clone()),
            Value::String(text) => Json::String(self.noted(text)),
            Value::Boolean(yes) => Json::Bool(*yes),
            Value::Binary(bytes) => Json::String(data_encoding::BASE64.encode(bytes)),
            Value::Enum(word) => Json::String(word.to_string()),
            Value::List(all) => all.iter().map(|one| self.constant(one, depth + 1)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, one)| (name.to_string(), self.constant(one, depth + 1))).collect()
            }
        }
    }

    /// A text, as far as the entry has room for it.
    fn noted(&mut self, text: &str) -> String {
        // PostgreSQL stores no NUL: the guard refuses such a text, and the audit log records it with U+FFFD
        // instead.
        let kept = |text: &str| text.replace('\0', "\u{fffd}");
        if text.len() <= self.bytes_left {
            self.bytes_left -= text.len();
            return kept(text);
        }
        self.conditions_too_long = true;
        let beginning: String = text.chars().take(BEGINNING).collect();
        format!("{}… ({} bytes)", kept(&beginning), text.len())
    }

    /// Resolves a variable: to its value, its default, or null.
    pub(super) fn resolved(&self, value: &Value) -> Value {
        let Value::Variable(name) = value else { return value.clone() };
        match self.variables.get(name) {
            Some(value) => ConstValue::into_value(value.clone()),
            None => self.defaults.get(name).cloned().unwrap_or(Value::Null),
        }
    }
}

fn is_plain_date(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(shape)
}
