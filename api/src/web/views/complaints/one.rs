//! Shows one complaint: its content, its state, its history, and the steps that the reader may take.

use super::steps::{forms, relation};
use super::{code_and_name, facts, history, word};
use crate::web::views::form::Form;
use crate::web::{Page, PageError, Problem, Visit, text};
use actix_web::HttpResponse;
use serde_json::{Value, json};
use uuid::Uuid;

/// Query with duplicates and redactions, which only the Board reads.
const OF_BOARD: &str = include_str!("../../queries/complaints-one-board.graphql");
const OF_HEAD: &str = include_str!("../../queries/complaints-one-head.graphql");

/// Steps of the history on a page.
const STEPS: u32 = 30;

pub async fn one(visit: Visit) -> HttpResponse {
    let shown = load_page(&visit).await;
    visit.respond(shown)
}

async fn load_page(visit: &Visit) -> Result<Page, PageError> {
    let (data, problems) = match load(visit, visit.argument("history")).await {
        // The address names no place in the history: the page says so, and has its latest steps.
        Err(PageError::Refused(problems)) => (load(visit, None).await?, problems),
        data => (data?, Vec::new()),
    };
    let forms = forms(visit, &data["complaint"]).await?;
    Ok(page(visit, &data, &forms, problems))
}

/// Reads the complaint of the address, with its history from a place on; None is the latest step.
///
/// # Errors
/// `NotFound` if it does not exist or the reader may not see it, `Forbidden` if the role sees no single complaint,
/// `Refused` if its history does not have the place.
pub async fn load(visit: &Visit, history: Option<&str>) -> Result<Value, PageError> {
    if !visit.may("Query", "complaint") {
        return Err(PageError::Forbidden);
    }
    let document = if visit.may("Complaint", "redactedText") { OF_BOARD } else { OF_HEAD };
    let variables = json!({ "id": visit.part("id"), "first": visit.rows(STEPS), "after": history });
    match visit.query(document, variables).await {
        Ok(data) if data["complaint"].is_object() => Ok(data),
        Ok(_) => Err(PageError::NotFound),
        // A value that is not an id names no complaint. Else the cursor of the history is refused.
        Err(PageError::Refused(_)) if visit.part("id").parse::<Uuid>().is_err() => Err(PageError::NotFound),
        Err(error) => Err(error),
    }
}

/// The page of a complaint.
pub fn page(visit: &Visit, data: &Value, forms: &[Form], problems: Vec<Problem>) -> Page {
    let complaint = &data["complaint"];
    let title = visit.t_with("complaints-one", &[("reference", text(&complaint["reference"]).into())]);
    let tables = [
        facts::allegations(visit, complaint),
        facts::responses(visit, complaint),
        facts::rounds(visit, complaint),
        facts::escalations(visit, complaint),
        facts::additions(visit, complaint),
        facts::attachments(visit, complaint),
        facts::duplicates(visit, complaint),
        facts::suggestions(visit, complaint),
        history::table(visit, &complaint["history"]),
    ];
    let info = &complaint["history"]["pageInfo"];
    let older = info["endCursor"].as_str().filter(|_| info["hasNextPage"] == true);
    let page = Page::new("complaints-one.html", title)
        .with("facts", summary(visit, complaint))
        .with("standing", standing(visit, complaint))
        .with("is_late", complaint["overdue"] == true)
        .with("confidential", complaint["confidential"] == true)
        .with("text", complaint["text"].as_str())
        .with("redacted_text", complaint["redactedText"].as_str())
        .with("original", facts::original(complaint))
        .with("forms", forms)
        .with("action", format!("/complaints/{}", text(&complaint["id"])))
        .with("complaint_id", text(&complaint["id"]))
        .with("proposed", data["correctionProposals"]["totalCount"].as_u64().unwrap_or_default())
        .with("older", older.map(|cursor| visit.link(&[("history", Some(cursor))])))
        .with("newest", visit.argument("history").map(|_| visit.link(&[("history", None)])));
    tables.into_iter().fold(page, Page::table).problems(problems)
}

/// The properties of the complaint: names, values and links.
fn summary(visit: &Visit, complaint: &Value) -> Vec<(String, String, Option<String>)> {
    let unit = |field: &str| {
        let code = complaint[field]["code"].as_str();
        let href = code.map(|code| format!("/units/{}", crate::web::address::encoded(code)));
        (field.to_owned(), code_and_name(visit, &complaint[field]), href)
    };
    let plain = |field: &str, value: String| (field.to_owned(), value, None);
    let yes_or_no = |field: &str| visit.t(if complaint[field] == true { "form-yes" } else { "form-no" });
    let amount = |field: &str, digits: usize| {
        let value = &complaint[field];
        let number = value.as_f64().or_else(|| text(value).parse().ok());
        number.map(|number| visit.number(number, digits)).unwrap_or_default()
    };
    let enterprise = match complaint["enterprise"]["taxCode"].as_str() {
        Some(code) => match complaint["enterprise"]["name"].as_str() {
            Some(name) => format!("{code} · {name}"),
            None => code.to_owned(),
        },
        None if complaint["anonymous"] == true => visit.t("complaints-is-anonymous"),
        None => String::new(),
    };
    let sources = complaint["sources"].as_array().into_iter().flatten();
    let sources: Vec<String> =
        sources.map(|one| format!("{} {}", text(&one["source"]), text(&one["reference"]))).collect();
    let all = [
        plain("state", visit.t(&format!("state-{}", text(&complaint["state"])))),
        plain("relation", relation(visit, complaint)),
        plain("receivedAt", visit.time(&complaint["receivedAt"])),
        plain("occurredAt", visit.time(&complaint["occurredAt"])),
        plain("recordedAt", visit.time(&complaint["recordedAt"])),
        plain("enterprise", enterprise),
        unit("unit"),
        unit("branch"),
        unit("department"),
        unit("responsibleUnit"),
        unit("escalatedTo"),
        plain("category", code_and_name(visit, &complaint["category"])),
        plain("legalForm", word(visit, "form", &complaint["legalForm"])),
        plain("channel", word(visit, "channel", &complaint["channel"])),
        plain("confidential", yes_or_no("confidential")),
        plain("blamesSystem", yes_or_no("blamesSystem")),
        plain("declarationNumber", text(&complaint["declarationNumber"]).to_owned()),
        plain("costVnd", amount("costVnd", 0)),
        plain("delayHours", amount("delayHours", 1)),
        plain("finding", word(visit, "finding", &complaint["finding"])),
        plain("decidedOn", visit.date(&complaint["decidedOn"])),
        plain("sources", sources.join(", ")),
        plain("takenBy", text(&complaint["takenBy"]).to_owned()),
    ];
    let told = all.into_iter().filter(|(_, value, _)| !value.is_empty());
    told.map(|(field, value, href)| (visit.t(&format!("complaints-field-{field}")), value, href)).collect()
}

/// The state of the legal clock, in a sentence.
fn standing(visit: &Visit, complaint: &Value) -> String {
    let (due, stopped) = (visit.date(&complaint["dueOn"]), visit.date(&complaint["clockStoppedSince"]));
    let answered = visit.date(&complaint["answeredOn"]);
    let days = complaint["overdueDays"].as_f64().unwrap_or_default();
    match (due.is_empty(), answered.is_empty()) {
        (_, false) => {
            let key = match complaint["answeredInTime"].as_bool() {
                Some(true) => "complaints-answered-in-time",
                Some(false) => "complaints-answered-late",
                None => "complaints-answered",
            };
            visit.t_with(key, &[("day", answered.into()), ("due", due.into())])
        }
        (true, true) => visit.t("complaints-no-deadline"),
        _ if complaint["overdue"] == true => {
            visit.t_with("complaints-late", &[("due", due.into()), ("days", days.into())])
        }
        _ if !stopped.is_empty() => {
            visit.t_with("complaints-stopped", &[("since", stopped.into()), ("due", due.into())])
        }
        _ => visit.t_with("complaints-runs", &[("due", due.into())]),
    }
}
