//! The forms for decisions about a flag, and for the explanation of its officer.

use super::one::{Refused, page};
use crate::web::refusals::localized;
use crate::web::views::form::conflict;
use crate::web::{PageError, Posted, Problem, Visit};
use actix_web::HttpResponse;
use serde_json::{Value, json};

const REVIEW: &str = include_str!("../../queries/flags-review.graphql");
const EXPLAIN: &str = include_str!("../../queries/flags-explain.graphql");

/// The handler of the forms of a flag: `step` names the new state, or says that the officer explained.
pub async fn decide(posted: Posted) -> HttpResponse {
    let visit = &posted.visit;
    let step = posted.field("step");
    let mut problems = missing(visit, &posted, step);
    if problems.is_empty() {
        let changed = match step {
            "EXPLAINED" => visit.change(EXPLAIN, json!({ "input": explanation(&posted) })).await,
            _ => visit.change(REVIEW, json!({ "input": review(&posted, step) })).await,
        };
        problems = match changed {
            Ok(_) => return visit.go_to(&format!("/flags/{}", visit.part("id")), Some(done(step))),
            Err(PageError::Refused(refused)) => refused.iter().map(|one| at_its_field(visit, one)).collect(),
            Err(PageError::Conflict(refused)) => refused.iter().map(|one| conflict(visit, one)).collect(),
            Err(error) => return visit.refuse(&error),
        };
    }
    let refused = Refused {
        problems,
        reason: posted.field("reason").to_owned(),
        notified_on: posted.field("notified_on").to_owned(),
        explanation: posted.field("explanation").to_owned(),
    };
    let page = page(visit, refused).await;
    visit.respond(page)
}

fn review(posted: &Posted, step: &str) -> Value {
    json!({
        "flagId": posted.visit.part("id"),
        "state": step,
        "reason": posted.given("reason"),
        "notifiedOn": posted.given("notified_on"),
        "explanation": posted.given("explanation"),
        "seenRunId": posted.given("run"),
    })
}

fn explanation(posted: &Posted) -> Value {
    json!({
        "flagId": posted.visit.part("id"),
        "notifiedOn": posted.field("notified_on"),
        "explanation": posted.field("explanation"),
        "seenRunId": posted.given("run"),
    })
}

/// The problems of the values that the form itself finds.
fn missing(visit: &Visit, posted: &Posted, step: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut require = |field: &str, key: &str| {
        if posted.given(field).is_none() {
            problems.push(Problem::at_field(field, visit.t(key)));
        }
    };
    match step {
        "UPHELD" | "DISMISSED" => require("reason", "flags-reason-missing"),
        "EXPLAINED" => {
            require("notified_on", "flags-notified-missing");
            require("explanation", "flags-explanation-missing");
        }
        _ => {}
    }
    problems
}

/// The key of the message about what was done.
fn done(step: &str) -> &'static str {
    match step {
        "ACKNOWLEDGED" => "done-flags-acknowledged",
        "UNDER_REVIEW" => "done-flags-under-review",
        "UPHELD" => "done-flags-upheld",
        "DISMISSED" => "done-flags-dismissed",
        _ => "done-flags-explained",
    }
}

/// A refusal in the language of the reader, at its field.
fn at_its_field(visit: &Visit, problem: &Problem) -> Problem {
    let field = match problem.input() {
        "notifiedOn" => Some("notified_on"),
        "explanation" => Some("explanation"),
        "reason" => Some("reason"),
        _ => None,
    };
    Problem { field: field.map(str::to_owned), ..localized(visit.locale(), problem, "form-refused") }
}
