//! The history of a complaint, in words.

use super::word;
use crate::web::{Cell, Table, Visit, nodes, text};
use serde_json::Value;

/// The steps of a page of the history, the latest first.
pub fn table(visit: &Visit, history: &Value) -> Table {
    let columns =
        ["time", "step", "actor", "changes", "reason"].map(|column| visit.t(&format!("complaints-column-{column}")));
    let rows = nodes(history).map(|entry| {
        let changes = entry["changes"].as_array().into_iter().flatten().map(|one| change(visit, one));
        let reason = match entry["reasonErased"] == true {
            true => visit.t("complaints-erased"),
            false => text(&entry["reason"]).to_owned(),
        };
        vec![
            visit.time_cell(&entry["recordedAt"]),
            Cell::text(word(visit, "step", &entry["kind"])),
            Cell::text(actor(visit, &entry["actor"])),
            Cell::text(changes.collect::<Vec<_>>().join("\n")),
            Cell::text(reason),
        ]
    });
    Table::new("history", visit.t("complaints-table-history"), &columns, rows)
}

fn actor(visit: &Visit, actor: &Value) -> String {
    let kind = word(visit, "actor", &actor["kind"]);
    let parts = [kind.as_str(), text(&actor["name"]), text(&actor["unit"]["code"])];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// A change as `field: before → after`.
fn change(visit: &Visit, change: &Value) -> String {
    let path = text(&change["field"]);
    let field = path.rsplit('.').next().unwrap_or(path);
    let words = visit.t_if_known(&format!("complaints-field-{field}")).unwrap_or_else(|| field.to_owned());
    let parts: Vec<&str> = path.split('.').collect();
    let of = match (change["officer"]["code"].as_str(), parts.as_slice()) {
        (Some(officer), _) => officer.to_owned(),
        (None, ["rounds", number, _]) => visit.t_with("complaints-of-round", &[("number", (*number).into())]),
        (None, ["response", _]) => visit.t("complaints-of-response"),
        _ => String::new(),
    };
    let words = if of.is_empty() { words } else { format!("{of}, {words}") };
    if change["withheld"] == true {
        return format!("{words}: {}", visit.t("complaints-withheld"));
    }
    if change["erased"] == true {
        return format!("{words}: {}", visit.t("complaints-erased"));
    }
    let side = |side: &str| value(visit, field, &change[side], &change[format!("{side}Name")]);
    match (side("before"), side("after")) {
        (before, after) if before.is_empty() => format!("{words}: {after}"),
        (before, after) if after.is_empty() => format!("{words}: {before} → –"),
        (before, after) => format!("{words}: {before} → {after}"),
    }
}

/// A value of a field; empty for null.
fn value(visit: &Visit, field: &str, value: &Value, name: &Value) -> String {
    let Some(plain) = value.as_str() else { return String::new() };
    let is_word = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let prefix = match field {
        "state" if is_word => return visit.t(&format!("state-{plain}")),
        "legalForm" => "form",
        "channel" | "finding" | "attribution" | "action" | "visibility" => field,
        _ if field.ends_with("On") => return or(visit.date(value), plain),
        _ if field.ends_with("At") => return or(visit.time(value), plain),
        _ => "",
    };
    match (plain, name.as_str()) {
        _ if is_word && !prefix.is_empty() => word(visit, prefix, value),
        ("true", _) => visit.t("form-yes"),
        ("false", _) => visit.t("form-no"),
        (code, Some(name)) => format!("{code} · {name}"),
        (plain, None) => plain.to_owned(),
    }
}

/// A text, or another one where it is empty.
fn or(text: String, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text }
}
