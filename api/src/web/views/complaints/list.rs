//! The list of complaints: search, filters, pages.

use crate::web::address::address;
use crate::web::{Cell, Page, PageError, Problem, Table, Visit, name, nodes, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use chrono::{Days, NaiveDate};
use schema::enums::ComplaintState;
use serde_json::{Map, Value, json};

/// For roles that see references.
const LIST: &str = "query PageComplaints(\
    $filter: ComplaintFilter, $first: Int, $after: String, $last: Int, $before: String) {
  complaints(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes {
      id reference receivedAt state dueOn overdue
      unit { code nameVi nameEn }
      category { code nameVi nameEn }
    }
  }
}";

/// For roles that see pseudonyms.
const PSEUDONYMS: &str = "query PageComplaintsByPseudonym(\
    $filter: ComplaintFilter, $first: Int, $after: String, $last: Int, $before: String) {
  complaints(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes {
      pseudonym receivedAt state dueOn overdue
      unit { code nameVi nameEn }
      category { code nameVi nameEn }
    }
  }
}";

/// Complaints of a page.
const ROWS: u32 = 25;

pub fn routes(config: &mut ServiceConfig) {
    config.route("/complaints", get().to(list));
}

async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let identified = visit.may("Complaint", "reference");
    let mut problems = Vec::new();
    let filter = filter(visit, identified, &mut problems);
    let mut variables = json!({ "filter": filter });
    match visit.argument("before") {
        Some(before) => (variables["last"], variables["before"]) = (visit.rows(ROWS).into(), before.into()),
        None => {
            variables["first"] = visit.rows(ROWS).into();
            variables["after"] = visit.argument("after").into();
        }
    }
    let document = if identified { LIST } else { PSEUDONYMS };
    let data = match problems.is_empty() {
        false => Value::Null,
        true => match visit.query(document, variables).await {
            Ok(data) => data,
            Err(PageError::Refused(refused)) => {
                problems = refused;
                Value::Null
            }
            Err(error) => return Err(error),
        },
    };
    let list = &data["complaints"];
    let columns: Vec<String> = ["reference", "received", "state", "unit", "category", "due"]
        .map(|column| visit.t(&format!("complaints-{column}")))
        .into();
    let rows = nodes(list).map(|complaint| row(visit, complaint));
    let (info, paged) = (&list["pageInfo"], |name: &str| visit.argument(name).is_some());
    let has = |name: &str| info[name].as_bool().unwrap_or(false);
    let newer = has("hasPreviousPage") || paged("after");
    let older = has("hasNextPage") || paged("before");
    let link =
        |name: &str, other: &str, cursor: &Value| Some(visit.link(&[(name, Some(cursor.as_str()?)), (other, None)]));
    let states: Vec<(&str, String)> =
        ComplaintState::WORDS.iter().map(|word| (*word, visit.t(&format!("state-{word}")))).collect();
    let argument = |name: &str| visit.argument(name).unwrap_or_default().to_owned();
    Ok(Page::new("complaints.html", visit.t("complaints-title"))
        .table(Table::new("complaints", visit.t("complaints-caption"), &columns, rows))
        .with("total", list["totalCount"].as_u64())
        .with("identified", identified)
        .with("states", states)
        .with("search", argument("search"))
        .with("state", argument("state"))
        .with("unit", argument("unit"))
        .with("received_from", argument("from"))
        .with("received_until", argument("until"))
        .with("overdue", argument("overdue"))
        .with("newer", link("before", "after", &info["startCursor"]).filter(|_| newer))
        .with("older", link("after", "before", &info["endCursor"]).filter(|_| older))
        .problems(problems))
}

/// The filter that the arguments say. Fields that the role may not filter by are left out.
fn filter(visit: &Visit, identified: bool, problems: &mut Vec<Problem>) -> Map<String, Value> {
    let mut filter = Map::new();
    if let Some(words) = visit.argument("search").filter(|_| identified) {
        filter.insert("search".into(), words.into());
    }
    if let Some(state) = visit.argument("state") {
        filter.insert("state".into(), json!({ "eq": state }));
    }
    if let Some(unit) = visit.argument("unit") {
        filter.insert("unit".into(), json!({ "within": unit }));
    }
    if visit.argument("overdue").is_some() {
        filter.insert("overdue".into(), json!({ "eq": true }));
    }
    let mut day = |name: &str| {
        let given = visit.argument(name)?;
        let day: Option<NaiveDate> = given.parse().ok();
        if day.is_none() {
            problems.push(Problem::of(name, visit.t("layout-not-a-date")));
        }
        day
    };
    let (from, until) = (day("from"), day("until"));
    // Days begin at midnight in Vietnam.
    let midnight = |day: NaiveDate| format!("{day}T00:00:00+07:00");
    let mut received = Map::new();
    if let Some(from) = from {
        received.insert("gte".into(), midnight(from).into());
    }
    if let Some(after) = until.and_then(|until| until.checked_add_days(Days::new(1))) {
        received.insert("lt".into(), midnight(after).into());
    }
    if !received.is_empty() {
        filter.insert("receivedAt".into(), received.into());
    }
    filter
}

fn row(visit: &Visit, complaint: &Value) -> Vec<Cell> {
    let locale = visit.locale();
    let reference = match complaint["reference"].as_str() {
        Some(reference) => Cell::link(reference, format!("/complaints/{}", text(&complaint["id"]))),
        None => Cell::text(text(&complaint["pseudonym"])),
    };
    let unit = &complaint["unit"];
    let unit = match unit["code"].as_str() {
        Some(code) => Cell::link(name(unit, locale), address(&format!("/units/{code}"), [])),
        None => Cell::default(),
    };
    let due = match complaint["overdue"].as_bool() {
        Some(true) => {
            let day = visit.date(&complaint["dueOn"]);
            Cell::text(visit.t_with("complaints-overdue", &[("day", day.into())])).marked("mark-late")
        }
        _ => Cell::text(visit.date(&complaint["dueOn"])),
    };
    vec![
        reference,
        Cell::text(visit.date(&complaint["receivedAt"])),
        Cell::text(visit.t(&format!("state-{}", text(&complaint["state"])))),
        unit,
        Cell::text(name(&complaint["category"], locale)),
        due,
    ]
}
