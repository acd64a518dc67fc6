//! The table `job_results`.

use super::columns::{Day, Float, Text, declare_table};
use super::names::{Context, Emit};
use crate::JobError;
use crate::results::recurrence;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::{RunState, SubjectKind};
use schema::tables::{job_results, job_runs};
use schema::{Conn, Id, JsonValue};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

declare_table! {
    "job_results": "What jobs computed for a day, one row for each number; of several runs for a day the last one."
    {
        job: Text = "Name of the job, such as timeliness or trends.",
        as_of: Day = "Day for which it was computed.",
        subject_kind: Text = "What the number is about: ALL, UNIT, CATEGORY or OFFICER.",
        unit: Option<Text> = "Code of the unit.",
        category: Option<Text> = "Code of the category.",
        officer: Option<Text> = "Pseudonym of the officer.",
        measure: Text = "Name of the number, such as share_in_time.",
        value: Float = "The number; 1 and 0 for true and false.",
    }
    month_of: "as_of"
}

/// The subjects of the entries of a list in a result.
#[derive(Clone, Copy)]
enum About {
    Units,
    Categories,
    /// Officers or branches, as each entry says.
    Subjects,
}

/// The jobs whose results the table has: their lists, with the place of each in the document. Only numbers of these
/// documents, and codes of units, categories and officers in these lists, ever come into the table.
static JOBS: [(&str, &[(&str, About)]); 5] = [
    ("timeliness", &[("/departments", About::Units), ("/branches", About::Units), ("/headquarters", About::Units)]),
    ("trends", &[("/categories", About::Categories)]),
    ("blame-check", &[("/subjects", About::Subjects)]),
    ("escalate-overdue", &[("/branches", About::Units), ("/escalatedTo", About::Units)]),
    (recurrence::NAME, &[("/funnel/units", About::Units)]),
];

/// The results of the jobs, the earliest day first, in batches of one month.
///
/// # Errors
/// When the database fails, or `emit` does.
pub(super) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    // Jobs count complaints that are withheld from an officer.
    if of.reader.officer.is_some() {
        return emit(Rows::new(0).finish()?);
    }
    let (mut rows, mut month) = (Rows::new(0), None);
    for chunk in newest(conn)?.chunks(AT_ONCE) {
        let runs: Vec<Id> = chunk.iter().map(|(_, _, run)| *run).collect();
        let stored: Vec<(Id, String, JsonValue)> = job_results::table
            .filter(job_results::run_id.eq_any(&runs))
            .select((job_results::run_id, job_results::name, job_results::document))
            .load(conn)?;
        let mut documents: HashMap<(Id, String), Value> =
            stored.into_iter().map(|(run, name, document)| ((run, name), document.0)).collect();
        for (as_of, name, run) in chunk {
            let Some((job, lists)) = JOBS.iter().find(|(job, _)| job == name) else { continue };
            let Some(document) = documents.remove(&(*run, name.clone())) else { continue };
            let of_day = month_of(*as_of);
            if month.replace(of_day).is_some_and(|before| before != of_day) {
                emit(std::mem::replace(&mut rows, Rows::new(0)).finish()?)?;
            }
            push(of, &mut rows, (*job, *as_of), lists, &document);
        }
    }
    emit(rows.finish()?)
}

/// Documents in memory at once.
const AT_ONCE: usize = 100;

fn month_of(day: NaiveDate) -> (i32, u32) {
    use chrono::Datelike;
    (day.year(), day.month())
}

/// The day, the job and the run of each result: of several for a day, that of the run that started last.
fn newest(conn: &mut Conn) -> Result<Vec<(NaiveDate, String, Id)>, JobError> {
    let jobs = JOBS.map(|(job, _)| job);
    let all: Vec<(NaiveDate, String, Id)> = job_results::table
        .inner_join(job_runs::table.on(job_runs::id.eq(job_results::run_id)))
        .filter(job_results::name.eq_any(jobs))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .order((job_results::as_of, job_results::name, job_runs::started_at.desc()))
        .select((job_results::as_of, job_results::name, job_results::run_id))
        .load(conn)?;
    let mut seen: HashSet<(NaiveDate, String)> = HashSet::new();
    Ok(all.into_iter().filter(|(as_of, name, _)| seen.insert((*as_of, name.clone()))).collect())
}

/// A subject of numbers: its kind, and its unit, category or officer.
#[derive(Clone, Copy)]
struct Subject<'a> {
    kind: &'static str,
    unit: Option<&'a str>,
    category: Option<&'a str>,
    officer: Option<&'a str>,
}

/// Adds the numbers of a document: those of all together, and those of its lists.
fn push(of: &Context<'_>, rows: &mut Rows, job: (&str, NaiveDate), lists: &[(&str, About)], document: &Value) {
    let none = Subject { kind: "ALL", unit: None, category: None, officer: None };
    if let Some(fields) = document.as_object() {
        numbers(rows, job, none, "", fields);
    }
    for (place, about) in lists {
        let mut found: Vec<(Subject<'_>, &Map<String, Value>)> = Vec::new();
        for entry in document.pointer(place).and_then(Value::as_array).into_iter().flatten() {
            let (Some(fields), Some(code)) = (entry.as_object(), entry["code"].as_str()) else { continue };
            let reference = &of.snapshot.reference;
            let unit =
                || Some(Subject { kind: "UNIT", unit: Some(reference.unit_by_code(code)?.code.as_str()), ..none });
            let subject = match about {
                About::Units => unit(),
                About::Categories => reference.category_by_code(code).map(|category| Subject {
                    kind: "CATEGORY",
                    category: Some(category.code.as_str()),
                    ..none
                }),
                About::Subjects if entry["kind"] == SubjectKind::Officer.as_str() => officer(of, code, none),
                About::Subjects => unit(),
            };
            found.extend(subject.map(|subject| (subject, fields)));
        }
        // The order of the document follows the codes of officers: it would reveal identities behind pseudonyms.
        found.sort_by_key(|(subject, _)| (subject.kind, subject.unit, subject.category, subject.officer));
        for (subject, fields) in found {
            numbers(rows, job, subject, "", fields);
        }
    }
}

/// The officer of a code, under the pseudonym; None for a code that the register no longer has.
fn officer<'a>(of: &Context<'a>, code: &str, none: Subject<'a>) -> Option<Subject<'a>> {
    let index = of.snapshot.officers.index_of(code)?;
    Some(Subject { kind: "OFFICER", officer: Some(of.names.officer_at(index)?), ..none })
}

/// Adds the numbers of an object, and those of the objects in it under both names.
fn numbers(rows: &mut Rows, job: (&str, NaiveDate), about: Subject<'_>, before: &str, fields: &Map<String, Value>) {
    for (name, value) in fields {
        let measure = format!("{before}{}", snake(name));
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
            Value::Object(inner) => {
                numbers(rows, job, about, &format!("{measure}_"), inner);
                None
            }
            Value::Null | Value::String(_) | Value::Array(_) => None,
        };
        if let Some(value) = number {
            let Subject { kind, unit, category, officer } = about;
            rows.push(Row {
                job: job.0,
                as_of: job.1,
                subject_kind: kind,
                unit,
                category,
                officer,
                measure: &measure,
                value,
            });
        }
    }
}

/// A name of a field in snake case.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            // A word of capitals only, such as the name of an event, is one word.
            if name.chars().any(|other| other.is_ascii_lowercase()) {
                snake.push('_');
            }
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_fields_are_in_snake_case() {
        assert_eq!(snake("shareInTime"), "share_in_time");
        assert_eq!(snake("STATE_CHANGED"), "state_changed");
        assert_eq!(snake("phi"), "phi");
    }
}
