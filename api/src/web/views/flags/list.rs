//! The list of flags: search, filters, pages.

use super::numbers::{cell, main_window, whole};
use super::subject;
use crate::web::views::arguments::Arguments;
use crate::web::views::conditions::{ask, moments, word};
use crate::web::views::numbers::options;
use crate::web::views::paging;
use crate::web::{Cell, Page, PageError, Table, Visit, nodes, text, times};
use actix_web::HttpResponse;
use schema::enums::{FlagState, SubjectKind, Tier};
use serde_json::{Map, Value, json};

const FLAGS: &str = include_str!("../../queries/flags-list.graphql");

/// Flags of a page.
const ROWS: u32 = 25;
/// The states in which a flag waits for a decision, which the list shows unless asked otherwise.
const WAITING: [&str; 3] = ["OPEN", "ACKNOWLEDGED", "UNDER_REVIEW"];
/// The states of a current flag: it waits for a decision, or was upheld.
const STANDING: [&str; 4] = ["OPEN", "ACKNOWLEDGED", "UNDER_REVIEW", "UPHELD"];
/// The orders, by the words of the address, with their fields: the gravest or the latest comes first.
const ORDERS: [(&str, &str); 3] = [("tier", "TIER"), ("opened", "OPENED_AT"), ("changed", "CHANGED_AT")];

pub async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let mut arguments = Arguments::new(visit);
    let filter = filter(visit, &mut arguments);
    let order = arguments.word(("order", "flags-order"), &ORDERS.map(|(word, _)| word), "flags-order");
    let order = ORDERS.iter().find(|(word, _)| order == Some(*word)).unwrap_or(&ORDERS[0]);
    let mut problems = arguments.problems();
    let mut variables = json!({ "filter": filter, "orderBy": [{ "field": order.1, "direction": "DESC" }] });
    paging::ask(visit, ROWS, &mut variables);
    let data = ask(visit, FLAGS, variables, &mut problems).await?;
    let flags = &data["flags"];
    let (newer, older) = paging::links(visit, flags);
    let argument = |name: &str| visit.argument(name).unwrap_or_default().to_owned();
    Ok(Page::new("flags.html", visit.t("flags-title"))
        .table(table(visit, flags))
        .with("total", flags["totalCount"].as_i64())
        .with("tiers", options(visit, "tier", Tier::WORDS))
        .with("kinds", options(visit, "flags-kind", SubjectKind::WORDS))
        .with("states", states(visit))
        .with("orders", ORDERS.map(|(word, _)| (word, visit.t(&format!("flags-order-{word}")))))
        .with("search", argument("search"))
        .with("tier", argument("tier"))
        .with("kind", argument("kind"))
        .with("state", visit.argument("state").unwrap_or("waiting"))
        .with("unit", argument("unit"))
        .with("since", argument("since"))
        .with("run", argument("run"))
        .with("sees_runs", visit.may("FlagFilter", "runId"))
        .with("ids", visit.arguments("id").collect::<Vec<_>>())
        .with("order", order.0)
        .with("newer", newer)
        .with("older", older)
        .problems(problems))
}

fn states(visit: &Visit) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("waiting", visit.t("flags-waiting")),
        ("standing", visit.t("flags-standing")),
        ("all", visit.t("flags-all-states")),
    ];
    all.extend(options(visit, "flag-state", FlagState::WORDS));
    all
}

/// The filter of the arguments.
fn filter(visit: &Visit, arguments: &mut Arguments<'_>) -> Map<String, Value> {
    let mut filter = Map::new();
    match arguments.one_of(("state", "flags-state"), &states(visit)) {
        None | Some("waiting") => {
            filter.insert("state".into(), json!({ "in": WAITING }));
        }
        Some("standing") => {
            filter.insert("state".into(), json!({ "in": STANDING }));
        }
        Some("all") => {}
        Some(state) => {
            filter.insert("state".into(), json!({ "eq": state }));
        }
    }
    let kinds = [
        ("tier", arguments.word(("tier", "flags-tier"), Tier::WORDS, "tier")),
        ("subjectKind", arguments.word(("kind", "flags-kind"), SubjectKind::WORDS, "flags-kind")),
    ];
    for (field, value) in kinds {
        filter.extend(value.map(|value| (field.to_owned(), json!({ "eq": value }))));
    }
    // Numbers of digests lead to the flags that they count.
    if visit.may("FlagFilter", "runId")
        && let Some(run) = arguments.id(("run", "flags-of-run"))
    {
        filter.insert("runId".into(), json!({ "eq": run }));
    }
    let ids = arguments.ids(("id", "filters-id"));
    if !ids.is_empty() {
        filter.insert("id".into(), json!({ "in": ids }));
    }
    if let Some(words) = visit.argument("search") {
        let any = json!([
            { "officer": { "code": { "eq": words } } },
            { "officer": { "search": words } },
            { "unit": { "code": { "eq": words } } },
            { "unit": { "search": words } },
        ]);
        filter.insert("or".into(), any);
    }
    if let Some(unit) = visit.argument("unit") {
        let mut any = vec![json!({ "unit": { "within": unit } })];
        // Only some roles may select officers by their postings.
        if visit.may("OfficerFilter", "unit") {
            any.push(json!({ "officer": { "unit": { "within": unit } } }));
        }
        filter.insert("and".into(), json!([{ "or": any }]));
    }
    if let Some(since) = arguments.since(("since", "flags-changed-since")) {
        filter.insert("changedAt".into(), moments(Some(since), None).into());
    }
    filter
}

/// The table of the flags. A reader who does not see every complaint gets no columns of numbers.
fn table(visit: &Visit, flags: &Value) -> Table {
    let counts = nodes(flags).any(|flag| !flag["numbers"].is_null());
    let mut columns = vec!["subject", "tier", "proposed", "state", "opened"];
    if counts {
        columns.extend(["times", "least", "enterprises"]);
    }
    let columns: Vec<String> = columns.into_iter().map(|column| visit.t(&format!("flags-{column}"))).collect();
    let rows = nodes(flags).map(|flag| {
        let tier = Cell::text(word(visit, "tier", &flag["tier"]));
        let is_gravest = flag["tier"] == "SUSPENSION_REVIEW";
        let mut row = vec![
            Cell::link(subject(visit, flag), format!("/flags/{}", text(&flag["id"]))),
            if is_gravest { tier.marked("mark-unusual") } else { tier },
            Cell::text(word(visit, "flags-proposed", &flag["proposed"])),
            Cell::text(word(visit, "flag-state", &flag["state"])),
            visit.day_cell(&flag["openedAt"]),
        ];
        if counts {
            let window = main_window(&flag["numbers"], None).unwrap_or(&Value::Null);
            row.push(cell(visit, &window["adjusted"]["ratio"], times));
            row.push(cell(visit, &window["adjusted"]["eb05"], times));
            row.push(cell(visit, &window["distinctEnterprises"], whole));
        }
        row
    });
    Table::new("flags", visit.t("flags-caption"), &columns, rows)
}
