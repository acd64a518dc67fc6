//! Conditions of a list, from the arguments of the address of its page.

use super::paging;
use crate::web::{PageError, Problem, Visit};
use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The filter of a list.
pub struct Conditions<'v> {
    visit: &'v Visit,
    filter: Map<String, Value>,
    problems: Vec<Problem>,
}

/// The answer about a list, and why there is none.
pub struct Listed {
    /// The data of the answer; null if there are problems.
    pub data: Value,
    pub problems: Vec<Problem>,
}

impl<'v> Conditions<'v> {
    pub fn new(visit: &'v Visit) -> Self {
        Self { visit, filter: Map::new(), problems: Vec::new() }
    }

    /// Adds an argument as the value at a path of input fields, such as `["unit", "within"]`.
    #[must_use]
    pub fn at(mut self, argument: &str, path: &[&str]) -> Self {
        if let (Some(value), Some((field, rest))) = (self.visit.argument(argument), path.split_first()) {
            let nested = rest.iter().rev().fold(Value::from(value), |inner, name| {
                let object: Map<String, Value> = [((*name).to_owned(), inner)].into_iter().collect();
                Value::from(object)
            });
            self.filter.insert((*field).to_owned(), nested);
        }
        self
    }

    /// Adds an argument that must be one of these words.
    #[must_use]
    pub fn word(mut self, argument: &str, field: &str, words: &[&str]) -> Self {
        match self.visit.argument(argument) {
            Some(value) if words.contains(&value) => self.at(argument, &[field, "eq"]),
            Some(_) => {
                self.problems.push(Problem::of(argument, self.visit.t("form-not-a-choice")));
                self
            }
            None => self,
        }
    }

    /// Adds an argument that must be one of these words, each of which stands for a condition on a field.
    #[must_use]
    pub fn choice(mut self, argument: &str, field: &str, choices: &[(&str, Value)]) -> Self {
        if let Some(given) = self.visit.argument(argument) {
            match choices.iter().find(|(word, _)| *word == given) {
                Some((_, condition)) => {
                    self.filter.insert(field.to_owned(), condition.clone());
                }
                None => self.problems.push(Problem::of(argument, self.visit.t("form-not-a-choice"))),
            }
        }
        self
    }

    /// Adds the arguments `from` and `until` as days, both included.
    #[must_use]
    pub fn days(mut self, field: &str) -> Self {
        let (from, until) = (self.day("from"), self.day("until"));
        let bounds = [("gte", from), ("lte", until)];
        let bounds =
            bounds.into_iter().filter_map(|(name, day)| Some((name.to_owned(), Value::from(day?.to_string()))));
        self.insert(field, bounds.collect());
        self
    }

    /// Adds the arguments `from` and `until` as moments of whole days, both included.
    #[must_use]
    pub fn moments(mut self, field: &str) -> Self {
        let (from, until) = (self.day("from"), self.day("until"));
        // Days begin at midnight in Vietnam.
        let midnight = |day: NaiveDate| Value::from(format!("{day}T00:00:00+07:00"));
        let after = until.and_then(|until| until.checked_add_days(Days::new(1)));
        let bounds = [("gte", from), ("lt", after)];
        let bounds = bounds.into_iter().filter_map(|(name, day)| Some((name.to_owned(), midnight(day?))));
        self.insert(field, bounds.collect());
        self
    }

    fn insert(&mut self, field: &str, bounds: Map<String, Value>) {
        if !bounds.is_empty() {
            self.filter.insert(field.to_owned(), bounds.into());
        }
    }

    fn day(&mut self, argument: &str) -> Option<NaiveDate> {
        let given = self.visit.argument(argument)?;
        let day: Option<NaiveDate> = given.parse().ok();
        if day.is_none() {
            self.problems.push(Problem::of(argument, self.visit.t("layout-not-a-date")));
        }
        day
    }

    /// Asks a document for the page of the list that the address names. Its variables are `filter`, `first`, `after`,
    /// `last` and `before`.
    ///
    /// # Errors
    /// As the answer says; a filter that is refused becomes a problem.
    pub async fn ask(self, document: &'static str, rows: u32) -> Result<Listed, PageError> {
        let Self { visit, filter, problems } = self;
        if !problems.is_empty() {
            return Ok(Listed { data: Value::Null, problems });
        }
        let mut variables = json!({ "filter": filter });
        paging::ask(visit, rows, &mut variables);
        match visit.query(document, variables).await {
            Ok(data) => Ok(Listed { data, problems }),
            Err(PageError::Refused(refused)) => {
                let told = |one: &Problem| visit.t_with("form-refused", &[("why", one.message.as_str().into())]);
                let problems = refused.iter().map(|one| Problem::of_form(told(one))).collect();
                Ok(Listed { data: Value::Null, problems })
            }
            Err(error) => Err(error),
        }
    }
}

/// The values of arguments, for the fields of a filter; empty where one is missing.
pub fn given(visit: &Visit, names: &[&'static str]) -> BTreeMap<&'static str, String> {
    names.iter().map(|name| (*name, visit.argument(name).unwrap_or_default().to_owned())).collect()
}

/// The values of an enum with their words, whose keys are `prefix-VALUE`.
pub fn options(visit: &Visit, prefix: &str, values: &[&str]) -> Vec<(String, String)> {
    values.iter().map(|value| ((*value).to_owned(), visit.t(&format!("{prefix}-{value}")))).collect()
}

/// The same for a form, with no choice as the first one.
pub fn choices(visit: &Visit, prefix: &str, values: &[&str]) -> Vec<(String, String)> {
    let none = (String::new(), "—".to_owned());
    std::iter::once(none).chain(options(visit, prefix, values)).collect()
}

/// The word of a value of an enum: `prefix-VALUE`; empty for null.
pub fn word(visit: &Visit, prefix: &str, value: &Value) -> String {
    value.as_str().map(|value| visit.t(&format!("{prefix}-{value}"))).unwrap_or_default()
}
