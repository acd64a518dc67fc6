//! The changes since the last visit of the reader, and the objects that wait for its decision.

use crate::web::address::address;
use crate::web::views::{flags, paging};
use crate::web::{Cell, Page, PageError, Table, Visit, nodes, text};
use chrono::{Days, NaiveDate};
use schema::Timestamp;
use schema::domain::calendar::LOCAL;
use schema::enums::Role;
use serde_json::{Value, json};

const OF_BOARD: &str = include_str!("../../queries/today-board.graphql");
const OF_HEAD: &str = include_str!("../../queries/today-head.graphql");
const OF_ANALYST: &str = include_str!("../../queries/today-analyst.graphql");
const OF_ADMIN: &str = include_str!("../../queries/today-admin.graphql");
const REDACTED: &str = include_str!("../../queries/today-redacted.graphql");

/// Deadlines within this many days are near.
const SOON: u64 = 5;

/// Up to which number the documents count what changed in long tables.
const COUNTED: u64 = 5_000;

/// The value of an argument of an address.
#[derive(Clone, Copy)]
enum Given {
    Word(&'static str),
    /// The moment at which the reader last looked.
    Since,
    /// The days within which deadlines are near.
    Soon,
}

use Given::{Since, Soon, Word};

/// A number with its words and the list of what it counts: its name in the answer, the path, which may name a part of
/// the page, and arguments.
type Tile = (&'static str, &'static str, &'static [(&'static str, Given)]);

const CHANGED: [Tile; 5] = [
    ("received", "/complaints", &[("recorded", Since)]),
    ("answered", "/complaints", &[("responded", Since), ("order", Word("changed"))]),
    ("escalated", "/overdue/escalations", &[("all", Word("1")), ("from", Since)]),
    ("changed", "/flags", &[("state", Word("all")), ("since", Since), ("order", Word("changed"))]),
    ("failed", "/jobs", &[("state", Word("FAILED")), ("from", Since)]),
];
const WAITING: [Tile; 11] = [
    ("gravest", "/flags", &[("tier", Word("SUSPENSION_REVIEW"))]),
    ("open", "/flags", &[("state", Word("OPEN"))]),
    ("unclassified", "/complaints", &[("state", Word("RECEIVED"))]),
    ("overdue", "/complaints", &[("overdue", Word("1"))]),
    ("due", "/complaints", &[("due", Soon), ("order", Word("due"))]),
    ("redacted", "/complaints/redacted", &[("state", Word("waiting"))]),
    ("escalations", "/overdue/escalations", &[]),
    ("corrections", "/complaints/corrections", &[]),
    ("guidance", "/guidance", &[("state", Word("OPINION_REQUESTED"))]),
    ("proposed", "/categories#proposals", &[("state", Word("PROPOSED"))]),
    ("accepted", "/categories#proposals", &[("state", Word("ACCEPTED"))]),
];

/// Adds the changes and the waiting objects that the role may ask for.
///
/// # Errors
/// The errors of the questions.
pub async fn add(visit: &Visit, page: Page, since: Timestamp, today: NaiveDate) -> Result<Page, PageError> {
    // Addresses have whole seconds, so each number counts from the moment at which its list begins.
    let since = since.utc().with_timezone(&LOCAL).format("%Y-%m-%dT%H:%M:%S").to_string();
    let (mut data, redacted) = tokio::try_join!(of_role(visit, &since, today), redacted(visit))?;
    if !redacted.is_null() {
        data["redacted"] = redacted;
    }
    let mut page = page.with("changed", tiles(&data, &CHANGED, &since)).with("waiting", tiles(&data, &WAITING, &since));
    if data["flags"]["nodes"].is_array() {
        page = page.table(newest_flags(visit, &data["flags"]));
    }
    if data["jobs"].is_array() {
        page = page.table(jobs(visit, &data["jobs"]));
    }
    Ok(page)
}

/// The numbers of the role of the reader; null for a role without any.
async fn of_role(visit: &Visit, since: &str, today: NaiveDate) -> Result<Value, PageError> {
    let since = format!("{since}+07:00");
    if visit.may("Query", "proposals") {
        visit.query(OF_BOARD, json!({ "since": since })).await
    } else if visit.may("Query", "flags") {
        let soon = today + Days::new(SOON);
        visit.query(OF_HEAD, json!({ "since": since, "today": today.to_string(), "soon": soon.to_string() })).await
    } else if visit.may("Query", "complaints") {
        visit.query(OF_ANALYST, json!({ "since": since })).await
    } else if visit.may("Query", "jobs") {
        visit.query(OF_ADMIN, json!({ "since": since })).await
    } else {
        Ok(Value::Null)
    }
}

/// The confidential complaints that a head has to answer; null for other roles, and without a key file, which the list
/// needs.
async fn redacted(visit: &Visit) -> Result<Value, PageError> {
    if visit.role() != Role::UnitHead || visit.service.app.keys.is_none() {
        return Ok(Value::Null);
    }
    Ok(visit.query(REDACTED, json!({})).await?["redactedComplaints"].take())
}

/// The numbers that the answer has: the key of the words, the number, where it leads, and whether there are more. `since`
/// is the moment at which the reader last looked.
fn tiles(data: &Value, tiles: &[Tile], since: &str) -> Vec<(String, u64, String, bool)> {
    let value = |given: Given| match given {
        Word(word) => word.to_owned(),
        Since => since.to_owned(),
        Soon => SOON.to_string(),
    };
    let shown = tiles.iter().filter_map(|(name, path, arguments)| {
        let (count, has_more) = paging::counted(&data[*name], COUNTED)?;
        let arguments: Vec<(&str, String)> = arguments.iter().map(|(name, given)| (*name, value(*given))).collect();
        let (path, part) = path.split_once('#').map_or((*path, None), |(path, part)| (path, Some(part)));
        let mut to = address(path, arguments.iter().map(|(name, value)| (*name, value.as_str())));
        if let Some(part) = part {
            to.extend(["#", part]);
        }
        Some((format!("today-{name}"), count, to, has_more))
    });
    shown.collect()
}

fn newest_flags(visit: &Visit, newest: &Value) -> Table {
    let columns = ["subject", "tier", "state", "changed"].map(|column| visit.t(&format!("today-flag-{column}")));
    let rows = nodes(newest).map(|flag| {
        let tier = Cell::text(visit.t(&format!("tier-{}", text(&flag["proposed"]))));
        let is_gravest = flag["tier"] == "SUSPENSION_REVIEW";
        vec![
            Cell::link(flags::subject(visit, flag), format!("/flags/{}", text(&flag["id"]))),
            if is_gravest { tier.marked("mark-unusual") } else { tier },
            Cell::text(visit.t(&format!("flag-state-{}", text(&flag["state"])))),
            visit.day_cell(&flag["changedAt"]),
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
            false => visit.time_cell(&job["lastSuccess"]["finishedAt"]),
        };
        vec![Cell::text(text(&job["name"])), success, Cell::text(next)]
    });
    Table::new("jobs", visit.t("today-jobs"), &columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_counted_up_to_a_number() {
        let limit = format!("{{ totalCountUpTo(limit: {}) }}", COUNTED + 1);
        for (document, lists) in [(OF_BOARD, 3), (OF_HEAD, 2), (OF_ANALYST, 1), (OF_ADMIN, 0)] {
            assert_eq!(document.matches("totalCountUpTo").count(), lists, "{document}");
            assert_eq!(document.matches(&limit).count(), lists, "{document}");
        }
        let shown = |list: Value| tiles(&json!({ "received": list }), &CHANGED, "2026-03-01T14:05:09");
        let tile = |number: u64, has_more: bool| {
            let to = "/complaints?recorded=2026-03-01T14%3A05%3A09".to_owned();
            vec![("today-received".to_owned(), number, to, has_more)]
        };
        assert_eq!(shown(json!({ "totalCountUpTo": 5_000 })), tile(5_000, false));
        assert_eq!(shown(json!({ "totalCountUpTo": 5_001 })), tile(5_000, true));
        assert_eq!(shown(json!({ "totalCount": 6_000 })), tile(6_000, false));
        assert!(shown(Value::Null).is_empty());
        let proposed = tiles(&json!({ "proposed": { "totalCount": 2 } }), &WAITING, "");
        assert_eq!(proposed[0].2, "/categories?state=PROPOSED#proposals");
    }
}
