//! Forms of changes: their fields, the values that a reader sent, and the problems of these.

use crate::web::refusals::{field_of, localized};
use crate::web::{Posted, Problem, Visit};
use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;

/// Begins the names of the fields that send back what a form showed first.
const SHOWN: &str = "shown/";

/// Type of a field's element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    #[serde(rename = "text")]
    Text,
    #[serde(rename = "area")]
    Area,
    #[serde(rename = "number")]
    Number,
    #[serde(rename = "date")]
    Date,
    #[serde(rename = "datetime-local")]
    Moment,
    #[serde(rename = "choice")]
    Choice,
    /// Boxes to tick; the value has the ticked ones, with spaces between.
    #[serde(rename = "several")]
    Several,
}

/// A field of a form. Its name is that of the input field of the API, so that a refusal of the API finds it.
#[derive(Debug, Clone, Serialize)]
pub struct Field {
    pub name: String,
    /// Its id in the page; the form sets it.
    id: String,
    label: String,
    help: String,
    kind: Kind,
    /// The values of a choice, with their words.
    options: Vec<(String, String)>,
    value: String,
    required: bool,
    /// The problem of the value; empty without one.
    error: String,
    /// The English message of the API about the value, if the page has no words for it; else empty.
    english: String,
    /// The value that the form shows first. The page sends it back as it was shown, so that what the reader left alone
    /// can be told from what the reader wrote.
    first: String,
}

impl Field {
    pub fn new(kind: Kind, name: impl Into<String>, label: impl Into<String>) -> Self {
        let (id, help, options, value, error, english, first) = Default::default();
        let (name, label, required) = (name.into(), label.into(), false);
        Self { name, id, label, help, kind, options, value, required, error, english, first }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The same field with the value that the form shows first.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        let first: String = value.into();
        self.first = first.trim().replace("\r\n", "\n");
        self.value = self.first.clone();
        self
    }

    #[must_use]
    pub fn options(mut self, options: impl IntoIterator<Item = (String, String)>) -> Self {
        self.options.extend(options);
        self
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn offers(&self, value: &str) -> bool {
        self.options.iter().any(|(offered, _)| offered == value)
    }

    /// The key of the message about the problem of the value; None without one.
    fn wrong(&self) -> Option<&'static str> {
        if self.value.is_empty() {
            return self.required.then_some("form-missing");
        }
        match self.kind {
            Kind::Date if self.value.parse::<NaiveDate>().is_err() => Some("layout-not-a-date"),
            Kind::Moment if moment(&self.value).is_none() => Some("form-not-a-moment"),
            Kind::Number if !self.value.parse::<f64>().is_ok_and(f64::is_finite) => Some("form-not-a-number"),
            Kind::Choice if !self.offers(&self.value) => Some("form-not-a-choice"),
            Kind::Several if !self.value.split_whitespace().all(|one| self.offers(one)) => Some("form-not-a-choice"),
            _ => None,
        }
    }
}

/// A form of one step, which a template shows with `form.html`.
#[derive(Debug, Clone, Serialize)]
pub struct Form {
    pub step: &'static str,
    /// Begins the ids of its fields: a page may show the form of a step for several objects.
    id: String,
    title: String,
    help: String,
    /// The version of the object that the reader saw.
    version: i64,
    /// The object, where a page shows several of them.
    subject: String,
    fields: Vec<Field>,
    /// Whether it is unfolded.
    open: bool,
}

impl Form {
    pub fn new(step: &'static str, title: impl Into<String>, help: impl Into<String>, version: i64) -> Self {
        let (subject, fields, open) = Default::default();
        Self { step, id: step.to_owned(), title: title.into(), help: help.into(), version, subject, fields, open }
    }

    /// Binds the form to one of several objects of the page, the one at `index`.
    #[must_use]
    pub fn for_subject(mut self, subject: &str, index: usize) -> Self {
        self.id = format!("{}-{index}", self.step);
        subject.clone_into(&mut self.subject);
        self
    }

    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        for mut field in fields {
            let plain: String = field.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
            field.id = format!("{}-{plain}", self.id);
            self.fields.push(field);
        }
        self
    }

    /// Unfolded from the beginning.
    #[must_use]
    pub fn unfolded(mut self) -> Self {
        self.open = true;
        self
    }

    /// Whether a reader sent this form.
    pub fn is(&self, posted: &Posted) -> bool {
        self.step == posted.field("step") && self.subject == posted.field("subject")
    }

    /// Takes the values that a reader sent, and unfolds. A field that was not sent keeps its value.
    pub fn fill(&mut self, posted: &Posted) {
        self.open = true;
        for field in &mut self.fields {
            let mut sent = posted.fields(&field.name).map(|value| value.replace("\r\n", "\n"));
            match (field.kind, sent.next()) {
                (_, None) => {}
                // Each ticked box sends its value, after an empty one which says that the boxes were shown.
                (Kind::Several, Some(first)) => {
                    let ticked: Vec<String> =
                        std::iter::once(first).chain(sent).filter(|one| !one.is_empty()).collect();
                    field.value = ticked.join(" ");
                }
                (_, Some(value)) => field.value = value,
            }
        }
    }

    /// The same where the object has changed since the form was shown. A field that the reader left alone shows its
    /// present value: to send the form again must not undo the change of another reader.
    pub fn fill_anew(&mut self, posted: &Posted) {
        self.fill(posted);
        for field in &mut self.fields {
            let shown = format!("{SHOWN}{}", field.name);
            if posted.fields(&shown).any(|shown| shown.replace("\r\n", "\n") == field.value) {
                field.value.clone_from(&field.first);
            }
        }
    }

    /// The value of a field; empty if there is no such field.
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str()).unwrap_or_default()
    }

    /// The value of a field, or None if it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.value(name)).filter(|value| !value.is_empty())
    }

    /// The names and values of the fields that a reader changed.
    pub fn changed(&self) -> impl Iterator<Item = (&str, &str)> {
        let changed = self.fields.iter().filter(|field| field.value != field.first);
        changed.map(|field| (field.name.as_str(), field.value.as_str()))
    }

    /// The problems of the values that the form itself finds.
    pub fn check(&mut self, visit: &Visit) -> Vec<Problem> {
        let mut problems = Vec::new();
        for field in &mut self.fields {
            if let Some(key) = field.wrong() {
                problems.push(mark(field, Problem::of_form(visit.t(key))));
            }
        }
        problems
    }

    /// Says at its field, in the language of the reader, what the API refused.
    pub fn explain(&mut self, visit: &Visit, refused: &[Problem]) -> Vec<Problem> {
        let mut problems = Vec::new();
        for problem in refused {
            let name = field_of(problem);
            let worded = localized(visit.locale(), problem, "form-refused");
            problems.push(match self.fields.iter_mut().find(|field| field.name == name) {
                Some(field) => {
                    // The page shows the field by its label.
                    let said = worded.english.strip_prefix(name).unwrap_or(&worded.english);
                    let english = said.trim_start_matches([':', ' ']).to_owned();
                    mark(field, Problem { english, ..worded })
                }
                None => worded,
            });
        }
        problems
    }
}

/// A conflict in the language of the reader.
pub fn conflict(visit: &Visit, refused: &Problem) -> Problem {
    localized(visit.locale(), refused, "form-conflict")
}

/// Says a problem at its field.
fn mark(field: &mut Field, problem: Problem) -> Problem {
    field.error.clone_from(&problem.message);
    field.english.clone_from(&problem.english);
    let message = format!("{}: {}", field.label, problem.message);
    Problem { field: Some(field.id.clone()), message, ..problem }
}

/// A moment as a browser sends it: a day and a time without a zone.
pub fn moment(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"].iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_says_what_is_wrong_with_its_value() {
        let field = |kind, value: &str| Field { value: value.to_owned(), ..Field::new(kind, "f", "F").required() };
        assert_eq!(field(Kind::Text, "").wrong(), Some("form-missing"));
        assert_eq!(field(Kind::Date, "31/12/2025").wrong(), Some("layout-not-a-date"));
        assert_eq!(field(Kind::Date, "2025-12-31").wrong(), None);
        assert_eq!(field(Kind::Number, "NaN").wrong(), Some("form-not-a-number"));
        assert_eq!(field(Kind::Number, "4.5").wrong(), None);
        assert_eq!(field(Kind::Moment, "2025-12-31T23:59").wrong(), None);
        assert_eq!(field(Kind::Choice, "x").wrong(), Some("form-not-a-choice"));
        let offered = ["A", "B"].map(|value| (value.to_owned(), value.to_owned()));
        let boxes = |value| field(Kind::Several, value).options(offered.clone());
        assert_eq!(boxes("B A").wrong(), None);
        assert_eq!(boxes("B C").wrong(), Some("form-not-a-choice"));
    }

    #[test]
    fn only_what_a_reader_changed_counts_as_changed() {
        let fields = [Field::new(Kind::Text, "a", "A").value("1"), Field::new(Kind::Text, "b", "B").value("2")];
        let mut form = Form::new("correct", "", "", 1).fields(fields);
        form.fields[1].value = String::new();
        assert_eq!(form.changed().collect::<Vec<_>>(), [("b", "")]);
        assert_eq!((form.given("a"), form.given("b"), form.fields[0].id.as_str()), (Some("1"), None, "correct-a"));
    }
}
