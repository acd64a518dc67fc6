//! Takes a step of a complaint that a reader sent by a form.

use super::filter::is_reference;
use super::input::input;
use super::one::{load, page};
use super::steps::{STEPS, Step, forms};
use crate::web::views::form::{Form, conflict};
use crate::web::{PageError, Posted, Problem, Said, Visit, nodes, text};
use actix_web::HttpResponse;
use serde_json::{Value, json};

const FIND: &str = include_str!("../../queries/complaints-find.graphql");

pub async fn change(posted: Posted) -> HttpResponse {
    posted.respond(attempt(&posted).await)
}

async fn attempt(posted: &Posted) -> Result<HttpResponse, PageError> {
    let visit = &posted.visit;
    let data = load(visit, None).await?;
    let mut all = forms(visit, &data["complaint"]).await?;
    let step = STEPS.iter().find(|step| step.name == posted.field("step"));
    let (Some(step), Some(form)) = (step, all.iter_mut().find(|form| form.is(posted))) else {
        let problem = Problem::of_form(visit.t("form-no-step"));
        return Ok(visit.respond(Ok(page(visit, &data, &all, vec![problem]))));
    };
    form.fill(posted);
    let problems = match take(posted, step, form, &data["complaint"]).await? {
        Taken::Done(to) => return Ok(visit.go_to(&to, Some(step.done))),
        Taken::Refused(problems) => problems,
        Taken::Conflict(problems) => {
            // The page shows what has changed; what the reader wrote stays in its form.
            let data = load(visit, None).await?;
            let mut all = forms(visit, &data["complaint"]).await?;
            if let Some(form) = all.iter_mut().find(|form| form.is(posted)) {
                form.fill_anew(posted);
            }
            return Ok(visit.respond(Ok(page(visit, &data, &all, problems))));
        }
    };
    Ok(visit.respond(Ok(page(visit, &data, &all, problems))))
}

/// The result of a step.
enum Taken {
    /// The address to which it leads.
    Done(String),
    Refused(Vec<Problem>),
    Conflict(Vec<Problem>),
}

async fn take(posted: &Posted, step: &Step, form: &mut Form, complaint: &Value) -> Result<Taken, PageError> {
    let visit = &posted.visit;
    let problems = form.check(visit);
    if !problems.is_empty() {
        return Ok(Taken::Refused(problems));
    }
    let of = match form.given("of") {
        Some(reference) => match original(visit, reference).await? {
            Some(id) => Some(id),
            None => {
                let parameters = vec![("code".to_owned(), reference.to_owned())];
                let said = Said { reason: "CODE_UNKNOWN".to_owned(), parameters };
                let unknown = Problem::of_api("of: is not known", said);
                return Ok(Taken::Refused(form.explain(visit, &[unknown])));
            }
        },
        None => None,
    };
    let id = text(&complaint["id"]);
    // The forms of the page send a number: another value matches no version.
    let version = posted.field("version").parse().unwrap_or_default();
    let input = input(form, id, version, of.as_deref(), text(&complaint["category"]["code"]));
    match visit.change(step.document, json!({ "input": input })).await {
        // A head who transferred a complaint may no longer see it.
        Ok(answer) if step.name == "transfer" && answer[step.mutation]["complaint"].is_null() => {
            Ok(Taken::Done("/complaints".to_owned()))
        }
        Ok(_) => Ok(Taken::Done(format!("/complaints/{id}"))),
        Err(PageError::Refused(refused)) => Ok(Taken::Refused(form.explain(visit, &refused))),
        Err(PageError::Conflict(refused)) => Ok(Taken::Conflict(conflicts(visit, &refused))),
        Err(error) => Err(error),
    }
}

/// Conflicts in the language of the reader.
fn conflicts(visit: &Visit, refused: &[Problem]) -> Vec<Problem> {
    refused.iter().map(|problem| conflict(visit, problem)).collect()
}

/// The id of the complaint with a reference that the reader may see.
async fn original(visit: &Visit, reference: &str) -> Result<Option<String>, PageError> {
    if !is_reference(reference) {
        return Ok(None);
    }
    match visit.change(FIND, json!({ "reference": reference })).await {
        Ok(data) => Ok(nodes(&data["complaints"]).next().map(|found| text(&found["id"]).to_owned())),
        Err(PageError::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
