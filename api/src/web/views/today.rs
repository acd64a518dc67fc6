//! Today: what changed since the reader looked, what waits, and the numbers of the month.

use crate::web::address::address;
use crate::web::{Cell, Page, PageError, Table, Visit, name, nodes, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use chrono::{Datelike, Days, Months, NaiveDate};
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};

/// The month so far, against as many days before.
const MONTH: &str = "query PageToday($from: DateTime!, $before: DateTime!) {
  complaintStatistics(filter: {receivedFrom: $from, receivedBefore: $before}, compare: PREVIOUS_PERIOD) {
    asOf
    totals { complaints distinctEnterprises open overdue costVnd }
    totalsBefore { complaints distinctEnterprises costVnd }
  }
}";

/// The last whole month, against the one before; for roles that see only large groups, with noise.
const LAST_MONTH: &str = "query PageTodayGroups($from: DateTime!, $before: DateTime!) {
  complaintStatistics(filter: {receivedFrom: $from, receivedBefore: $before}, compare: PREVIOUS_PERIOD) {
    asOf
    totals { complaints distinctEnterprises costVnd }
    totalsBefore { complaints distinctEnterprises costVnd }
  }
}";

/// What changed and what waits; for roles that see complaints and flags.
const WAITING: &str = "query PageTodayWaiting($since: DateTime!) {
  received: complaints(first: 0, filter: {recordedAt: {gte: $since}}) { totalCount }
  unclassified: complaints(first: 0, filter: {state: {eq: RECEIVED}}) { totalCount }
  overdue: complaints(first: 0, filter: {overdue: {eq: true}}) { totalCount }
  changed: flags(first: 0, filter: {changedAt: {gte: $since}}) { totalCount }
  open: flags(first: 0, filter: {state: {eq: OPEN}}) { totalCount }
  flags(first: 10, filter: {state: {in: [OPEN, ACKNOWLEDGED, UNDER_REVIEW]}},
    orderBy: [{field: CHANGED_AT, direction: DESC}]) {
    nodes { id tier state changedAt officer { code } unit { code nameVi nameEn } }
  }
}";

pub fn routes(config: &mut ServiceConfig) {
    config.route("/", get().to(today));
}

async fn today(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let mut page = Page::new("today.html", visit.t("today-title"));
    let since = visit.session.last_looked_at;
    page = page.with("since", since.map(|since| since.utc().to_rfc3339()));
    let mut waiting = Vec::new();
    if visit.may("Query", "flags") && visit.may("Query", "complaints") {
        let after = since.unwrap_or_else(|| Timestamp::from(Timestamp::now().utc() - chrono::TimeDelta::days(1)));
        let data = visit.query(WAITING, json!({ "since": after.utc().to_rfc3339() })).await?;
        waiting = waiting_of(visit, &data);
        page = page.table(newest_flags(visit, &data["flags"]));
    }
    if visit.may("Query", "complaintStatistics") {
        let today = local_date(Timestamp::now());
        let first = today.with_day(1).unwrap_or(today);
        // Days begin at midnight in Vietnam.
        let midnight = |day: NaiveDate| format!("{day}T00:00:00+07:00");
        let whole = !visit.may("StatisticsMeasures", "overdue");
        let (document, from, before) = match whole {
            true => (LAST_MONTH, first - Months::new(1), first),
            false => (MONTH, first, today + Days::new(1)),
        };
        let data = visit.query(document, json!({ "from": midnight(from), "before": midnight(before) })).await?;
        page = page.table(month(visit, &data["complaintStatistics"], whole));
    }
    Ok(page.with("waiting", waiting).with("administers", visit.may("Query", "principals")))
}

/// The numbers of what waits or changed: the key of its words, the number, and where it leads.
fn waiting_of(visit: &Visit, data: &Value) -> Vec<(&'static str, u64, String)> {
    let count = |name: &str| data[name]["totalCount"].as_u64().unwrap_or(0);
    let mut all = vec![
        ("today-received", count("received"), address("/complaints", [])),
        ("today-overdue", count("overdue"), address("/complaints", [("overdue", "1")])),
        ("today-flags-changed", count("changed"), address("/flags", [])),
        ("today-flags-open", count("open"), address("/flags", [("state", "OPEN")])),
    ];
    if visit.may("Query", "classificationQueue") {
        all.insert(1, ("today-unclassified", count("unclassified"), address("/complaints", [("state", "RECEIVED")])));
    }
    all
}

fn newest_flags(visit: &Visit, flags: &Value) -> Table {
    let columns = ["subject", "tier", "state", "changed"].map(|column| visit.t(&format!("today-flag-{column}")));
    let rows = nodes(flags).map(|flag| {
        let subject = match flag["officer"]["code"].as_str() {
            Some(code) => code.to_owned(),
            None => name(&flag["unit"], visit.locale()).to_owned(),
        };
        vec![
            Cell::link(subject, format!("/flags/{}", text(&flag["id"]))),
            Cell::text(visit.t(&format!("tier-{}", text(&flag["tier"])))),
            Cell::text(visit.t(&format!("flag-state-{}", text(&flag["state"])))),
            Cell::text(visit.date(&flag["changedAt"])),
        ]
    });
    Table::new("flags", visit.t("today-flags"), &columns, rows)
}

/// The measures of the month, each with that of the period before.
fn month(visit: &Visit, statistics: &Value, whole: bool) -> Table {
    let columns = if whole { ["measure", "last", "earlier"] } else { ["measure", "now", "before"] };
    let columns = columns.map(|column| visit.t(&format!("today-month-{column}")));
    let measures = ["complaints", "distinctEnterprises", "open", "overdue", "costVnd"];
    // Open and overdue complaints are none of the numbers of large groups.
    let measures = measures.into_iter().filter(|measure| !whole || !["open", "overdue"].contains(measure));
    let cell = |value: &Value| match value.as_f64().or_else(|| text(value).parse().ok()) {
        Some(number) => Cell::number(number, visit.number(number, 0)),
        None => Cell::text(""),
    };
    let rows = measures.map(|measure| {
        let what = Cell::text(visit.t(&format!("today-measure-{measure}")));
        vec![what, cell(&statistics["totals"][measure]), cell(&statistics["totalsBefore"][measure])]
    });
    Table::new("month", visit.t("today-month"), &columns, rows)
}
