//! The forms about guidance documents, and their mutations.

use crate::web::views::conditions::choices;
use crate::web::views::form::{Field, Form, Kind};
use crate::web::views::sending::input;
use crate::web::{Visit, text};
use schema::enums::OpinionVerdict;
use serde_json::{Value, json};

const REQUEST: &str = include_str!("../../queries/guidance-do-request.graphql");
const OPINION: &str = include_str!("../../queries/guidance-do-opinion.graphql");
const REVISE: &str = include_str!("../../queries/guidance-do-revise.graphql");
const ISSUE: &str = include_str!("../../queries/guidance-do-issue.graphql");
const WITHDRAW: &str = include_str!("../../queries/guidance-do-withdraw.graphql");

/// The form that asks for the opinion of the Board about a new draft.
pub fn request(visit: &Visit) -> Form {
    let fields = [
        field(visit, Kind::Text, "title").required(),
        field(visit, Kind::Area, "text").required(),
        field(visit, Kind::Text, "category").help(visit.t("guidance-input-category-help")),
    ];
    form(visit, "request", 0).fields(fields)
}

/// The mutation of that form, and its input.
pub fn ask_request(form: &Form) -> (&'static str, Value) {
    (REQUEST, input(form, &["title", "text", "category"]).into())
}

/// The forms of a document in its present state.
pub fn of_document(visit: &Visit, document: &Value) -> Vec<Form> {
    let version = document["version"].as_i64().unwrap_or_default();
    let state = text(&document["state"]);
    let is_draft = ["OPINION_REQUESTED", "OPINION_GIVEN"].contains(&state);
    let mut forms = Vec::new();
    if visit.may("Mutation", "giveOpinion") && state == "OPINION_REQUESTED" {
        let verdicts = choices(visit, "guidance-verdict", OpinionVerdict::WORDS);
        let fields = [
            field(visit, Kind::Choice, "verdict").options(verdicts).required(),
            field(visit, Kind::Area, "text").required(),
        ];
        forms.push(form(visit, "opinion", version).fields(fields));
    }
    let own = visit.session.viewer.unit_id.is_some_and(|unit| text(&document["unit"]["id"]) == unit.to_string());
    if visit.may("Mutation", "issueGuidance") && is_draft && own {
        if state == "OPINION_GIVEN" {
            let fields = [
                field(visit, Kind::Text, "number").required(),
                field(visit, Kind::Date, "issuedOn").required(),
                field(visit, Kind::Area, "reason").help(visit.t("guidance-input-issue-reason-help")),
            ];
            forms.push(form(visit, "issue", version).fields(fields));
        }
        let fields = [
            field(visit, Kind::Text, "title").value(text(&document["title"])).required(),
            field(visit, Kind::Area, "text").value(text(&document["text"])).required(),
        ];
        forms.push(form(visit, "revise", version).fields(fields));
        forms.push(form(visit, "withdraw", version).fields([field(visit, Kind::Area, "reason")]));
    }
    forms
}

/// The mutation of a form of a document, and its input.
pub fn ask_change(form: &Form, id: &str, version: i64) -> (&'static str, Value) {
    let (document, names) = match form.step {
        "opinion" => (OPINION, &["verdict", "text"][..]),
        "issue" => (ISSUE, &["number", "issuedOn", "reason"][..]),
        "revise" => (REVISE, &["title", "text"][..]),
        _ => (WITHDRAW, &["reason"][..]),
    };
    let mut input = input(form, names);
    input.insert("documentId".into(), id.into());
    input.insert("expectedVersion".into(), json!(version));
    (document, input.into())
}

fn form(visit: &Visit, step: &'static str, version: i64) -> Form {
    let (title, help) = (format!("guidance-do-{step}"), format!("guidance-do-{step}-help"));
    Form::new(step, visit.t(&title), visit.t(&help), version)
}

fn field(visit: &Visit, kind: Kind, name: &str) -> Field {
    Field::new(kind, name, visit.t(&format!("guidance-input-{name}")))
}
