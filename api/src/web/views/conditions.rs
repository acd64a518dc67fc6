//! Conditions of a list, from the arguments of the address of its page.

use super::arguments::{Arguments, Named};
use super::paging;
use crate::web::{Page, PageError, Problem, Visit};
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The filter of a list.
pub struct Conditions<'v> {
    visit: &'v Visit,
    arguments: Arguments<'v>,
    filter: Map<String, Value>,
}

/// The answer about a list, or the problems of its filter.
pub struct Listed {
    /// The data of the answer; null if there are problems.
    pub data: Value,
    pub problems: Vec<Problem>,
}

impl<'v> Conditions<'v> {
    pub fn new(visit: &'v Visit) -> Self {
        Self { visit, arguments: Arguments::new(visit), filter: Map::new() }
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

    /// Adds an argument that must be an id.
    #[must_use]
    pub fn id(mut self, name: Named<'_>, field: &str) -> Self {
        if let Some(id) = self.arguments.id(name) {
            self.filter.insert(field.to_owned(), json!({ "eq": id }));
        }
        self
    }

    /// Adds all values of an argument, which must be ids: a row has one of them in the field.
    #[must_use]
    pub fn ids(mut self, name: Named<'v>, field: &str) -> Self {
        let ids = self.arguments.ids(name);
        if !ids.is_empty() {
            self.filter.insert(field.to_owned(), json!({ "in": ids }));
        }
        self
    }

    /// Adds an argument that must be a value of an enum; the keys of the words are `prefix-VALUE`.
    #[must_use]
    pub fn word(mut self, name: Named<'_>, field: &str, values: &[&str], prefix: &str) -> Self {
        if let Some(word) = self.arguments.word(name, values, prefix) {
            self.filter.insert(field.to_owned(), json!({ "eq": word }));
        }
        self
    }

    /// Adds an argument that must be one of these words, each of which means a condition on a field.
    #[must_use]
    pub fn choice(mut self, name: Named<'_>, field: &str, choices: &[(&str, Value)], prefix: &str) -> Self {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let chosen = self.arguments.word(name, &words, prefix);
        if let Some((_, condition)) = choices.iter().find(|(word, _)| chosen == Some(*word)) {
            self.filter.insert(field.to_owned(), condition.clone());
        }
        self
    }

    /// Adds the arguments `from` and `until`, whose names are `view-from` and `view-until`, as days, both included.
    #[must_use]
    pub fn days(mut self, field: &str, view: &str) -> Self {
        let (from, until) = self.arguments.days(view);
        let bounds = [("gte", from), ("lte", until)];
        let bounds =
            bounds.into_iter().filter_map(|(name, day)| Some((name.to_owned(), Value::from(day?.to_string()))));
        self.insert(field, bounds.collect());
        self
    }

    /// The same as moments: of whole days, or those that the arguments say.
    #[must_use]
    pub fn moments(mut self, field: &str, view: &str) -> Self {
        let (from, before) = self.arguments.span(view);
        self.insert(field, moments(from, before));
        self
    }

    fn insert(&mut self, field: &str, bounds: Map<String, Value>) {
        if !bounds.is_empty() {
            self.filter.insert(field.to_owned(), bounds.into());
        }
    }

    /// Asks a document for the page of the list that the address names. Its variables are `filter`, `first`, `after`,
    /// `last` and `before`.
    ///
    /// # Errors
    /// The errors of the question; a filter that is refused becomes a problem.
    pub async fn ask(self, document: &'static str, rows: u32) -> Result<Listed, PageError> {
        let Self { visit, arguments, filter } = self;
        let mut problems = arguments.problems();
        let mut variables = json!({ "filter": filter });
        paging::ask(visit, rows, &mut variables);
        let data = ask(visit, document, variables, &mut problems).await?;
        Ok(Listed { data, problems })
    }
}

/// Asks a document, unless there are problems already. A refusal is another problem.
///
/// # Errors
/// The other errors of the question.
pub async fn ask(
    visit: &Visit,
    document: &'static str,
    variables: Value,
    problems: &mut Vec<Problem>,
) -> Result<Value, PageError> {
    if !problems.is_empty() {
        return Ok(Value::Null);
    }
    match visit.query(document, variables).await {
        Err(PageError::Refused(refused)) => {
            problems.extend(refused);
            Ok(Value::Null)
        }
        answer => answer,
    }
}

/// Adds to the page of a filter what the filter asks for. If the filter is wrong, the page says why and has nothing
/// else, so that its reader can change it.
///
/// # Errors
/// The other errors of the results.
pub async fn with_results(
    page: Page,
    arguments: Arguments<'_>,
    results: impl Future<Output = Result<Page, PageError>>,
) -> Result<Page, PageError> {
    let problems = arguments.problems();
    if !problems.is_empty() {
        return Ok(page.problems(problems));
    }
    match results.await {
        Ok(results) => Ok(page.and(results)),
        Err(PageError::Refused(problems)) => Ok(page.problems(problems)),
        Err(error) => Err(error),
    }
}

/// Moments from the beginning of a day to the end of another one, in Vietnam.
pub fn between(from: Option<NaiveDate>, until: Option<NaiveDate>) -> Map<String, Value> {
    let after = until.and_then(|until| until.checked_add_days(Days::new(1)));
    let begins = |day: NaiveDate| day.and_time(NaiveTime::MIN);
    moments(from.map(begins), after.map(begins))
}

/// Moments from one on and before another one, as clocks in Vietnam show both.
pub fn moments(from: Option<NaiveDateTime>, before: Option<NaiveDateTime>) -> Map<String, Value> {
    let bounds = [("gte", from), ("lt", before)].into_iter();
    bounds.filter_map(|(name, moment)| Some((name.to_owned(), Value::from(in_zone(moment?))))).collect()
}

/// A moment as clocks in Vietnam show it, as the API reads it.
pub fn in_zone(moment: NaiveDateTime) -> String {
    format!("{}+07:00", moment.format("%Y-%m-%dT%H:%M:%S%.f"))
}

/// The values of arguments, for the fields of a filter; empty where one is missing.
pub fn argument_values(visit: &Visit, names: &[&'static str]) -> BTreeMap<&'static str, String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_vietnam() {
        let day = |text: &str| text.parse().ok();
        let whole = Value::from(between(day("2024-01-31"), day("2024-01-31")));
        assert_eq!(whole, json!({ "gte": "2024-01-31T00:00:00+07:00", "lt": "2024-02-01T00:00:00+07:00" }));
        assert!(between(None, None).is_empty());
        let moment = |text: &str| text.parse().ok();
        let part = Value::from(moments(moment("2024-01-31T14:05:00"), moment("2024-01-31T14:05:00.25")));
        assert_eq!(part, json!({ "gte": "2024-01-31T14:05:00+07:00", "lt": "2024-01-31T14:05:00.250+07:00" }));
    }
}
