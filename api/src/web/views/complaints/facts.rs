//! The tables of one complaint.

use super::{code_and_name, unit_cell, word};
use crate::web::{Cell, Table, Visit, nodes, text};
use serde_json::Value;

fn list<'v>(complaint: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    complaint[field].as_array().into_iter().flatten()
}

fn table(visit: &Visit, name: &'static str, columns: &[&str], rows: impl Iterator<Item = Vec<Cell>>) -> Table {
    let columns: Vec<String> = columns.iter().map(|column| visit.t(&format!("complaints-column-{column}"))).collect();
    Table::new(name, visit.t(&format!("complaints-table-{name}")), &columns, rows)
}

fn count(visit: &Visit, value: &Value) -> Cell {
    value.as_f64().map(|number| Cell::number(number, visit.number(number, 0))).unwrap_or_default()
}

/// The allegations against officers, and the matters of complaints that name none.
pub fn allegations(visit: &Visit, complaint: &Value) -> Table {
    let row = |one: &Value| {
        let officer = [text(&one["officer"]["code"]), text(&one["officer"]["name"])];
        let officer = officer.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
        let officer = if officer.is_empty() { visit.t("complaints-no-officer") } else { officer };
        vec![
            Cell::text(officer),
            Cell::text(code_and_name(visit, &one["category"])),
            unit_cell(visit, &one["unit"]),
            Cell::text(word(visit, "attribution", &one["attribution"])),
            Cell::text(word(visit, "finding", &one["finding"])),
            visit.day_cell(&one["decidedOn"]),
        ]
    };
    let columns = ["officer", "category", "unit", "attribution", "finding", "decided"];
    let all = list(complaint, "officers").chain(list(complaint, "matters"));
    table(visit, "allegations", &columns, all.map(row))
}

/// The responses of units.
pub fn responses(visit: &Visit, complaint: &Value) -> Table {
    let row = |one: &Value| {
        let kind = if one["statement"] == true { "complaints-statement" } else { "complaints-answer" };
        let satisfied = match one["satisfied"].as_bool() {
            Some(true) => visit.t("form-yes"),
            Some(false) => visit.t("form-no"),
            None => String::new(),
        };
        vec![
            visit.time_cell(&one["respondedAt"]),
            unit_cell(visit, &one["unit"]),
            Cell::text(format!("{}: {}", visit.t(kind), word(visit, "action", &one["action"]))),
            Cell::text(text(&one["text"])),
            Cell::text(text(&one["outcome"])),
            Cell::text(word(visit, "visibility", &one["visibility"])),
            Cell::text(satisfied),
        ]
    };
    let columns = ["time", "unit", "action", "text", "outcome", "visibility", "satisfied"];
    table(visit, "responses", &columns, nodes(&complaint["responses"]).map(row))
}

/// The rounds of the legal clock.
pub fn rounds(visit: &Visit, complaint: &Value) -> Table {
    let row = |one: &Value| {
        let stops = list(one, "stops").map(|stop| {
            let until = visit.date(&stop["to"]);
            format!("{} – {}", visit.date(&stop["from"]), if until.is_empty() { "…".to_owned() } else { until })
        });
        let stops: Vec<String> = stops.collect();
        vec![
            count(visit, &one["number"]),
            visit.day_cell(&one["startedOn"]),
            visit.day_cell(&one["acceptedOn"]),
            visit.day_cell(&one["dueOn"]),
            visit.day_cell(&one["answeredOn"]),
            count(visit, &one["extensions"]),
            count(visit, &one["extendedDays"]),
            Cell::text(stops.join("; ")),
        ]
    };
    let columns = ["round", "started", "accepted", "due", "answered", "extensions", "extended-days", "stops"];
    table(visit, "rounds", &columns, list(complaint, "rounds").map(row))
}

/// The units and persons to whom the complaint was escalated.
pub fn escalations(visit: &Visit, complaint: &Value) -> Table {
    let row = |one: &Value| {
        let unit =
            if one["unit"].is_null() { Cell::text(visit.t("role-BOARD")) } else { unit_cell(visit, &one["unit"]) };
        let (level, round) = (count(visit, &one["level"]), count(visit, &one["round"]));
        vec![visit.time_cell(&one["escalatedAt"]), unit, level, round, visit.day_cell(&one["dueOn"])]
    };
    let columns = ["time", "unit", "level", "round", "due"];
    table(visit, "escalations", &columns, list(complaint, "escalations").map(row))
}

/// The additions of the complainant.
pub fn additions(visit: &Visit, complaint: &Value) -> Table {
    let row = |one: &Value| {
        vec![count(visit, &one["number"]), visit.time_cell(&one["receivedAt"]), Cell::text(text(&one["text"]))]
    };
    table(visit, "additions", &["number", "time", "text"], list(complaint, "additions").map(row))
}

/// The files that the complainant named. Their addresses are shown and not linked: they lead to other sites.
pub fn attachments(visit: &Visit, complaint: &Value) -> Table {
    let row = |one: &Value| {
        vec![
            Cell::text(text(&one["name"])),
            Cell::text(text(&one["mediaType"])),
            count(visit, &one["size"]),
            count(visit, &one["addition"]),
            Cell::text(text(&one["url"])),
            Cell::text(text(&one["sha256"])),
        ]
    };
    let columns = ["file", "media-type", "bytes", "addition", "address", "sha256"];
    table(visit, "attachments", &columns, list(complaint, "attachments").map(row))
}

/// Duplicates: linked ones, and probable ones.
pub fn duplicates(visit: &Visit, complaint: &Value) -> Table {
    let row = |other: &Value, how: String| {
        vec![
            Cell::link(text(&other["reference"]), format!("/complaints/{}", text(&other["id"]))),
            visit.day_cell(&other["receivedAt"]),
            Cell::text(visit.t(&format!("state-{}", text(&other["state"])))),
            Cell::text(how),
        ]
    };
    let linked = list(complaint, "duplicates").map(|other| row(other, visit.t("complaints-linked")));
    let probable = list(complaint, "possibleDuplicates").map(|one| {
        let share = visit.number(one["similarity"].as_f64().unwrap_or_default() * 100.0, 0);
        row(&one["complaint"], visit.t_with("complaints-similar", &[("share", share.into())]))
    });
    table(visit, "duplicates", &["complaint", "received", "state", "how"], linked.chain(probable))
}

/// The categories that the classifier suggests.
pub fn suggestions(visit: &Visit, complaint: &Value) -> Table {
    let row = |one: &Value| {
        let share = one["confidence"].as_f64().unwrap_or_default();
        let confidence = Cell::share(share, format!("{} %", visit.number(share * 100.0, 0)));
        let category = Cell::text(code_and_name(visit, &one["category"]));
        vec![count(visit, &one["rank"]), category, confidence, Cell::text(text(&one["model"]))]
    };
    let columns = ["rank", "category", "confidence", "model"];
    table(visit, "suggestions", &columns, list(complaint, "suggestions").map(row))
}

/// The reference and the address of the complaint to which this one is linked.
pub fn original(complaint: &Value) -> Option<(String, String)> {
    let of = &complaint["duplicateOf"];
    Some((of["reference"].as_str()?.to_owned(), format!("/complaints/{}", text(&of["id"]))))
}
