//! Compares a unit with its peers.

use super::address_of;
use crate::web::views::numbers::{Form, cell, formatted};
use crate::web::{Cell, Page, PageError, Table, Visit, name, nodes, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PEERS: &str = include_str!("../../queries/units-peers.graphql");

/// The kinds of units with peers, and their levels.
const LEVELS: [(&str, &str); 4] = [
    ("PROVINCIAL_DEPARTMENT", "DEPARTMENT"),
    ("BRANCH", "BRANCH"),
    ("TEAM", "TEAM"),
    ("HEADQUARTERS_UNIT", "HEADQUARTERS_UNIT"),
];

/// Adds the table of the peers, for roles that see how units answer.
///
/// # Errors
/// The errors of the question.
pub async fn add(visit: &Visit, page: Page, unit: &Value, days: u32) -> Result<Page, PageError> {
    let without = |page: Page| Ok(page.with("peers_sentence", None::<String>));
    let Some((kind, level)) = LEVELS.iter().find(|(kind, _)| unit["kind"] == *kind) else { return without(page) };
    if !visit.may("Query", "responseTimeliness") {
        return without(page);
    }
    let mut peers = json!({ "kind": { "eq": kind } });
    if !unit["peerGroup"].is_null() {
        peers["peerGroup"] = json!({ "eq": unit["peerGroup"] });
    }
    let data = visit.query(PEERS, json!({ "level": level, "days": days, "peers": peers })).await?;
    let own = text(&unit["code"]);
    let codes: BTreeSet<&str> = nodes(&data["units"]).map(|unit| text(&unit["code"])).chain([own]).collect();
    let all = data["responseTimeliness"].as_array().into_iter().flatten();
    let mut peers: Vec<&Value> = all.filter(|peer| codes.contains(text(&peer["unitCode"]))).collect();
    // By code, and not by rank: chance alone would decide most of the order.
    peers.sort_by(|one, other| text(&one["unitCode"]).cmp(text(&other["unitCode"])));
    let overall = share_of(&peers);
    let mine = peers.iter().find(|peer| peer["unitCode"] == own).and_then(|peer| peer["shareInTime"].as_f64());
    let sentence = mine.zip(overall).map(|(mine, overall)| {
        let words = |share: f64| formatted(visit, Form::Share, share);
        visit.t_with(
            "units-peers-sentence",
            &[("own", words(mine).into()), ("all", words(overall).into()), ("count", peers.len().into())],
        )
    });
    let table = table(visit, &peers, own, overall, days);
    Ok(page.table(table).with("peers_sentence", sentence))
}

/// The share that all of them together answered in time; None if nothing was due.
fn share_of(peers: &[&Value]) -> Option<f64> {
    let sum = |field: &str| peers.iter().filter_map(|peer| peer[field].as_f64()).sum::<f64>();
    let due = sum("due");
    (due > 0.0).then(|| sum("inTime") / due)
}

/// Direction in which a unit differs from all together beyond chance: the end of the key of its word.
fn differs(peer: &Value, overall: Option<f64>) -> Option<&'static str> {
    let (lower, upper) = (peer["shareInTimeLower"].as_f64()?, peer["shareInTimeUpper"].as_f64()?);
    match overall? {
        overall if lower > overall => Some("more"),
        overall if upper < overall => Some("less"),
        _ => None,
    }
}

fn table(visit: &Visit, peers: &[&Value], own: &str, overall: Option<f64>, days: u32) -> Table {
    let columns = ["unit", "complaints", "due", "share", "limits", "against", "median", "open", "overdue"]
        .map(|column| visit.t(&format!("units-peer-{column}")));
    let rows = peers.iter().map(|peer| {
        let code = text(&peer["unitCode"]);
        let names = json!({ "nameVi": peer["unitNameVi"], "nameEn": peer["unitNameEn"] });
        let mut label = format!("{} ({code})", name(&names, visit.locale()));
        if code == own {
            label = visit.t_with("units-peer-own", &[("unit", label.into())]);
        }
        let limits = match (peer["shareInTimeLower"].as_f64(), peer["shareInTimeUpper"].as_f64()) {
            (Some(lower), Some(upper)) => {
                format!("{} – {}", formatted(visit, Form::Share, lower), formatted(visit, Form::Share, upper))
            }
            _ => String::new(),
        };
        let against = match differs(peer, overall) {
            Some(how) => Cell::text(visit.t(&format!("units-peer-{how}"))).marked("mark-unusual"),
            None => Cell::default(),
        };
        vec![
            Cell::link(label, address_of(code)),
            cell(visit, Form::Count, &peer["complaints"]),
            cell(visit, Form::Count, &peer["due"]),
            cell(visit, Form::Share, &peer["shareInTime"]),
            Cell::text(limits),
            against,
            cell(visit, Form::Days, &peer["medianDaysToResponse"]),
            cell(visit, Form::Count, &peer["open"]),
            cell(visit, Form::Count, &peer["overdue"]),
        ]
    });
    Table::new("peers", visit.t_with("units-peer-caption", &[("days", days.into())]), &columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_differs_only_where_its_limits_leave_out_the_share_of_all() {
        let peer = |lower: f64, upper: f64| json!({ "shareInTimeLower": lower, "shareInTimeUpper": upper });
        assert_eq!(differs(&peer(0.6, 0.9), Some(0.5)), Some("more"));
        assert_eq!(differs(&peer(0.1, 0.4), Some(0.5)), Some("less"));
        assert_eq!(differs(&peer(0.4, 0.6), Some(0.5)), None);
        assert_eq!(differs(&peer(0.4, 0.6), None), None);
        let peers = [json!({ "due": 10, "inTime": 4 }), json!({ "due": 30, "inTime": 26 })];
        assert_eq!(share_of(&peers.iter().collect::<Vec<_>>()), Some(0.75));
        assert_eq!(share_of(&[]), None);
    }
}
