//! The list of flags: search, filters, pages.

use super::numbers::main_window;
use super::{subject, word};
use crate::web::{Cell, Page, PageError, Problem, Table, Visit, nodes, text, times};
use actix_web::HttpResponse;
use chrono::NaiveDate;
use schema::enums::{FlagState, SubjectKind, Tier};
use serde_json::{Map, Value, json};

const FLAGS: &str = include_str!("../../queries/flags-list.graphql");

/// Flags of a page.
const ROWS: u32 = 25;
/// The states in which a flag waits for a decision, which the list shows unless asked otherwise.
const WAITING: [&str; 3] = ["OPEN", "ACKNOWLEDGED", "UNDER_REVIEW"];
/// The orders, by the words of the address, with their fields: the gravest or the latest comes first.
const ORDERS: [(&str, &str); 3] = [("tier", "TIER"), ("opened", "OPENED_AT"), ("changed", "CHANGED_AT")];

pub async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let mut problems = Vec::new();
    let filter = filter(visit, &mut problems);
    let order = visit.argument("order").unwrap_or_default();
    let order = ORDERS.iter().find(|(word, _)| *word == order).unwrap_or(&ORDERS[0]);
    let mut variables = json!({ "filter": filter, "orderBy": [{ "field": order.1, "direction": "DESC" }] });
    match visit.argument("before") {
        Some(before) => (variables["last"], variables["before"]) = (visit.rows(ROWS).into(), before.into()),
        None => {
            variables["first"] = visit.rows(ROWS).into();
            variables["after"] = visit.argument("after").into();
        }
    }
    let data = match problems.is_empty() {
        false => Value::Null,
        true => match visit.query(FLAGS, variables).await {
            Ok(data) => data,
            Err(PageError::Refused(refused)) => {
                problems = refused;
                Value::Null
            }
            Err(error) => return Err(error),
        },
    };
    let flags = &data["flags"];
    let (info, paged) = (&flags["pageInfo"], |name: &str| visit.argument(name).is_some());
    let has = |name: &str| info[name].as_bool().unwrap_or(false);
    let newer = has("hasPreviousPage") || paged("after");
    let older = has("hasNextPage") || paged("before");
    let link =
        |name: &str, other: &str, cursor: &Value| Some(visit.link(&[(name, Some(cursor.as_str()?)), (other, None)]));
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
        .with("order", order.0)
        .with("newer", link("before", "after", &info["startCursor"]).filter(|_| newer))
        .with("older", link("after", "before", &info["endCursor"]).filter(|_| older))
        .problems(problems))
}

fn options(visit: &Visit, prefix: &str, words: &[&'static str]) -> Vec<(&'static str, String)> {
    words.iter().map(|word| (*word, visit.t(&format!("{prefix}-{word}")))).collect()
}

fn states(visit: &Visit) -> Vec<(&'static str, String)> {
    let mut all = vec![("waiting", visit.t("flags-waiting")), ("all", visit.t("flags-all-states"))];
    all.extend(options(visit, "flag-state", FlagState::WORDS));
    all
}

/// The filter that the arguments say.
fn filter(visit: &Visit, problems: &mut Vec<Problem>) -> Map<String, Value> {
    let mut filter = Map::new();
    // Only words that the schema has: another one would make the whole question malformed.
    let mut choice = |argument: &str, words: &[&str]| {
        let chosen = visit.argument(argument)?;
        if words.contains(&chosen) {
            return Some(chosen.to_owned());
        }
        problems.push(Problem::of(argument, visit.t("flags-unknown-choice")));
        None
    };
    match visit.argument("state") {
        None | Some("waiting") => {
            filter.insert("state".into(), json!({ "in": WAITING }));
        }
        Some("all") => {}
        Some(_) => {
            if let Some(state) = choice("state", FlagState::WORDS) {
                filter.insert("state".into(), json!({ "eq": state }));
            }
        }
    }
    for (argument, field, words) in [("tier", "tier", Tier::WORDS), ("kind", "subjectKind", SubjectKind::WORDS)] {
        if let Some(value) = choice(argument, words) {
            filter.insert(field.into(), json!({ "eq": value }));
        }
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
    if let Some(since) = visit.argument("since") {
        match since.parse::<NaiveDate>() {
            Ok(day) => {
                filter.insert("changedAt".into(), json!({ "gte": format!("{day}T00:00:00+07:00") }));
            }
            Err(_) => problems.push(Problem::of("since", visit.t("layout-not-a-date"))),
        }
    }
    filter
}

/// The table of the flags. Who does not see every complaint has no columns of numbers.
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
            Cell::text(visit.date(&flag["openedAt"])),
        ];
        if counts {
            let window = main_window(&flag["numbers"], None).unwrap_or(&Value::Null);
            let ratio = |value: &Value| match value.as_f64() {
                Some(ratio) => Cell::number(ratio, times(visit, ratio)),
                None => Cell::default(),
            };
            row.push(ratio(&window["adjusted"]["ratio"]));
            row.push(ratio(&window["adjusted"]["eb05"]));
            row.push(match window["distinctEnterprises"].as_f64() {
                Some(count) => Cell::number(count, visit.number(count, 0)),
                None => Cell::default(),
            });
        }
        row
    });
    Table::new("flags", visit.t("flags-caption"), &columns, rows)
}
