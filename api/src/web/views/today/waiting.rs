//! What changed since the reader last looked, and what waits for its decision.

use crate::web::address::address;
use crate::web::{Cell, Page, PageError, Table, Visit, name, nodes, text};
use chrono::{Days, NaiveDate};
use schema::Timestamp;
use serde_json::{Value, json};

const OF_BOARD: &str = include_str!("../../queries/today-board.graphql");
const OF_HEAD: &str = include_str!("../../queries/today-head.graphql");
const OF_ANALYST: &str = include_str!("../../queries/today-analyst.graphql");
const OF_ADMIN: &str = include_str!("../../queries/today-admin.graphql");

/// Deadlines within so many days are near.
const SOON: Days = Days::new(5);

/// A number with the words beside it and where it leads: its name in the answer, the path, and an argument.
type Tile = (&'static str, &'static str, Option<(&'static str, &'static str)>);

const CHANGED: [Tile; 5] = [
    ("received", "/complaints", None),
    ("answered", "/complaints", Some(("state", "ANSWERED"))),
    ("escalated", "/overdue", None),
    ("changed", "/flags", Some(("order", "changed"))),
    ("failed", "/jobs", None),
];
const WAITING: [Tile; 8] = [
    ("gravest", "/flags", Some(("tier", "SUSPENSION_REVIEW"))),
    ("open", "/flags", Some(("state", "OPEN"))),
    ("unclassified", "/complaints", Some(("state", "RECEIVED"))),
    ("overdue", "/complaints", Some(("overdue", "1"))),
    ("due", "/overdue", None),
    ("escalations", "/overdue", None),
    ("corrections", "/complaints", None),
    ("guidance", "/guidance", None),
];

/// Adds what changed and what waits, as far as the role may ask for it.
///
/// # Errors
/// As the questions say.
pub async fn add(visit: &Visit, page: Page, since: Timestamp, today: NaiveDate) -> Result<Page, PageError> {
    let since = since.utc().to_rfc3339();
    let data = if visit.may("Query", "proposals") {
        visit.query(OF_BOARD, json!({ "since": since })).await?
    } else if visit.may("Query", "flags") {
        visit
            .query(OF_HEAD, json!({ "since": since, "today": today.to_string(), "soon": (today + SOON).to_string() }))
            .await?
    } else if visit.may("Query", "complaints") {
        visit.query(OF_ANALYST, json!({ "since": since })).await?
    } else if visit.may("Query", "jobs") {
        visit.query(OF_ADMIN, json!({ "since": since })).await?
    } else {
        Value::Null
    };
    let mut page = page.with("changed", tiles(&data, &CHANGED)).with("waiting", tiles(&data, &WAITING));
    if data["flags"]["nodes"].is_array() {
        page = page.table(newest_flags(visit, &data["flags"]));
    }
    if data["jobs"].is_array() {
        page = page.table(jobs(visit, &data["jobs"]));
    }
    Ok(page)
}

/// The numbers that the answer has: the key of the words, the number, and where it leads.
fn tiles(data: &Value, tiles: &[Tile]) -> Vec<(String, i64, String)> {
    let shown = tiles.iter().filter_map(|(name, path, argument)| {
        let count = data[*name]["totalCount"].as_i64()?;
        Some((format!("today-{name}"), count, address(path, *argument)))
    });
    shown.collect()
}

fn newest_flags(visit: &Visit, flags: &Value) -> Table {
    let columns = ["subject", "tier", "state", "changed"].map(|column| visit.t(&format!("today-flag-{column}")));
    let rows = nodes(flags).map(|flag| {
        let subject = match flag["officer"]["code"].as_str() {
            Some(code) => code.to_owned(),
            None => name(&flag["unit"], visit.locale()).to_owned(),
        };
        let tier = Cell::text(visit.t(&format!("tier-{}", text(&flag["tier"]))));
        let is_gravest = flag["tier"] == "SUSPENSION_REVIEW";
        vec![
            Cell::link(subject, format!("/flags/{}", text(&flag["id"]))),
            if is_gravest { tier.marked("mark-unusual") } else { tier },
            Cell::text(visit.t(&format!("flag-state-{}", text(&flag["state"])))),
            Cell::text(visit.date(&flag["changedAt"])),
        ]
    });
    Table::new("flags", visit.t("today-flags"), &columns, rows)
}

/// The jobs with their last success and their next run.
fn jobs(visit: &Visit, jobs: &Value) -> Table {
    let columns = ["job", "success", "next"].map(|column| visit.t(&format!("today-{column}")));
    let rows = jobs.as_array().into_iter().flatten().map(|job| {
        let next = match (job["pausedAt"].is_null(), job["enabled"].as_bool()) {
            (false, _) => visit.t("today-job-paused"),
            (true, Some(false)) => visit.t("today-job-disabled"),
            _ => visit.time(&job["next"]),
        };
        let success = match job["lastSuccess"]["finishedAt"].is_null() {
            true => Cell::text(visit.t("today-job-never")).marked("mark-late"),
            false => Cell::text(visit.time(&job["lastSuccess"]["finishedAt"])),
        };
        vec![Cell::text(text(&job["name"])), success, Cell::text(next)]
    });
    Table::new("jobs", visit.t("today-jobs"), &columns, rows)
}
