//! Sends the values of a form as a mutation.

use super::form::{Form, conflict};
use crate::web::{Page, PageError, Posted, Problem, Visit};
use actix_web::HttpResponse;
use serde_json::{Map, Value, json};

/// The result of a form.
pub enum Sent {
    /// The change is done; with the data of its answer.
    Done(Value),
    Wrong(Vec<Problem>),
}

/// Takes what a reader sent, checks it, and runs the mutation that `ask` makes of the form and the version that the
/// reader saw. Returns what is wrong; nothing if the change is done.
///
/// # Errors
/// The errors of the answer, except refusals and conflicts, which are among the problems.
pub async fn send<'f>(
    posted: &Posted,
    forms: impl IntoIterator<Item = &'f mut Form>,
    ask: impl FnOnce(&Form, i64) -> (&'static str, Value),
) -> Result<Vec<Problem>, PageError> {
    match run(posted, forms, ask).await? {
        Sent::Done(_) => Ok(Vec::new()),
        Sent::Wrong(problems) => Ok(problems),
    }
}

/// The same, where the answer has something to show.
///
/// # Errors
/// Same errors as [`send`].
pub async fn run<'f>(
    posted: &Posted,
    forms: impl IntoIterator<Item = &'f mut Form>,
    ask: impl FnOnce(&Form, i64) -> (&'static str, Value),
) -> Result<Sent, PageError> {
    let visit = &posted.visit;
    let Some(form) = forms.into_iter().find(|form| form.is(posted)) else {
        return Ok(Sent::Wrong(vec![Problem::of_form(visit.t("form-no-step"))]));
    };
    form.fill(posted);
    let problems = form.check(visit);
    if !problems.is_empty() {
        return Ok(Sent::Wrong(problems));
    }
    let (document, input) = ask(form, posted.field("version").parse().unwrap_or_default());
    match visit.change(document, json!({ "input": input })).await {
        Ok(data) => Ok(Sent::Done(data)),
        Err(PageError::Refused(refused)) => Ok(Sent::Wrong(form.explain(visit, &refused))),
        Err(PageError::Conflict(refused)) => {
            form.fill_anew(posted);
            Ok(Sent::Wrong(refused.iter().map(|one| conflict(visit, one)).collect()))
        }
        Err(error) => Err(error),
    }
}

/// The fields of an input that a reader gave.
pub fn input(form: &Form, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), form.given(name)?.into()))).collect()
}

/// Answers a form: leads on if there is no page to show again. `done` is the key of a word that begins with `done-`.
pub fn answer(visit: &Visit, sent: Result<Option<Page>, PageError>, path: &str, done: &str) -> HttpResponse {
    match sent {
        Ok(None) => visit.go_to(path, Some(done)),
        Ok(Some(page)) => visit.respond(Ok(page)),
        Err(error) => visit.refuse(&error),
    }
}
