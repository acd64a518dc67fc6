//! Making a proposal, and the steps of one.

use super::{Refused, page};
use crate::web::{PageError, Posted, Problem, Visit, refusals};
use actix_web::HttpResponse;
use chrono::NaiveDate;
use serde_json::{Value, json};

const PROPOSE: &str = include_str!("../../queries/categories-propose.graphql");
const CHANGE: &str = include_str!("../../queries/categories-state.graphql");

/// The handler of the form for a new proposal.
pub async fn propose(posted: Posted) -> HttpResponse {
    let visit = &posted.visit;
    let mut problems = Vec::new();
    for (field, key) in [("title", "categories-title-missing"), ("text", "categories-text-missing")] {
        if posted.given(field).is_none() {
            problems.push(Problem::at_field(field, visit.t(key)));
        }
    }
    let (categories, units) = (codes(posted.field("categories")), codes(posted.field("units")));
    if categories.is_empty() && units.is_empty() {
        problems.push(Problem::at_field("categories", visit.t("categories-about-missing")));
    }
    if problems.is_empty() {
        let input = json!({
            "title": posted.field("title"), "text": posted.field("text"), "categories": categories, "units": units,
        });
        problems = match visit.change(PROPOSE, json!({ "input": input })).await {
            Ok(_) => return visit.go_to("/categories", Some("done-categories-proposed")),
            Err(error) => match problems_of(visit, error, |field| match field {
                "units" | "categories" | "title" | "text" => Some(field.to_owned()),
                _ => None,
            }) {
                Ok(problems) => problems,
                Err(error) => return visit.refuse(&error),
            },
        };
    }
    let refused = Refused {
        problems,
        title: posted.field("title").to_owned(),
        text: posted.field("text").to_owned(),
        categories: posted.field("categories").to_owned(),
        units: posted.field("units").to_owned(),
        ..Refused::default()
    };
    let page = page(visit, refused).await;
    visit.respond(page)
}

/// The handler of the steps of a proposal: `step` names its new state.
pub async fn change(posted: Posted) -> HttpResponse {
    let visit = &posted.visit;
    let (id, step) = (visit.part("id").to_owned(), posted.field("step"));
    let mut problems = missing(visit, &posted, &id, step);
    if problems.is_empty() {
        problems = match visit.change(CHANGE, json!({ "input": input(&posted, &id, step) })).await {
            Ok(_) => return visit.go_to("/categories", Some(done(step))),
            Err(error) => match problems_of(visit, error, |field| match field {
                "implementedOn" => Some(format!("day-{id}")),
                "reason" => Some(format!("reason-{id}")),
                _ => None,
            }) {
                Ok(problems) => problems,
                Err(error) => return visit.refuse(&error),
            },
        };
    }
    let refused = Refused {
        problems,
        reason: posted.field("reason").to_owned(),
        day: posted.field("day").to_owned(),
        proposal: id,
        ..Refused::default()
    };
    let page = page(visit, refused).await;
    visit.respond(page)
}

fn input(posted: &Posted, id: &str, step: &str) -> Value {
    let is_implemented = step == "IMPLEMENTED";
    json!({
        "proposalId": id,
        // A form without a version is at none: the change is then a conflict.
        "expectedVersion": posted.field("version").parse::<i32>().unwrap_or(0),
        "state": step,
        "reason": posted.given("reason"),
        "implementedOn": posted.given("day").filter(|_| is_implemented),
    })
}

/// The problems of the values that the form itself finds.
fn missing(visit: &Visit, posted: &Posted, id: &str, step: &str) -> Vec<Problem> {
    match step {
        "REJECTED" | "WITHDRAWN" if posted.given("reason").is_none() => {
            vec![Problem::at_field(&format!("reason-{id}"), visit.t("categories-reason-missing"))]
        }
        "IMPLEMENTED" if posted.field("day").parse::<NaiveDate>().is_err() => {
            vec![Problem::at_field(&format!("day-{id}"), visit.t("layout-not-a-date"))]
        }
        _ => Vec::new(),
    }
}

/// The codes that a field lists, with commas or spaces between them.
fn codes(field: &str) -> Vec<&str> {
    field.split([',', ' ', ';']).filter(|code| !code.is_empty()).collect()
}

/// The field of the API that a message is about: its first word.
fn field_of(message: &str) -> &str {
    let first = message.split([':', ' ']).next().unwrap_or_default();
    first.rsplit('.').next().unwrap_or_default()
}

/// The message about a refusal, at the field of the page that `field` finds for a field of the API.
///
/// # Errors
/// An error that is no refusal.
fn problems_of(
    visit: &Visit,
    error: PageError,
    field: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Problem>, PageError> {
    match error {
        PageError::Refused(problems) => Ok(problems
            .into_iter()
            .map(|problem| Problem {
                field: field(field_of(&problem.message)),
                ..refusals::localized(visit.locale(), &problem, "form-refused")
            })
            .collect()),
        PageError::Conflict(_) => Ok(vec![Problem::of_form(visit.t("categories-conflict"))]),
        error => Err(error),
    }
}

/// The key of the message about what was done.
fn done(step: &str) -> &'static str {
    match step {
        "ACCEPTED" => "done-categories-accepted",
        "REJECTED" => "done-categories-rejected",
        "WITHDRAWN" => "done-categories-withdrawn",
        _ => "done-categories-implemented",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_separated_by_commas_or_spaces() {
        assert_eq!(codes(" TECH, PROC;X  Y"), ["TECH", "PROC", "X", "Y"]);
        assert!(codes(" ").is_empty());
    }

    #[test]
    fn a_refusal_begins_with_its_field() {
        assert_eq!(field_of("categories: \"X\" is not known: the query `units` lists codes"), "categories");
        assert_eq!(field_of("implementedOn is 2999-01-01: must not be in the future"), "implementedOn");
        assert_eq!(field_of("input.title has no characters"), "title");
    }
}
