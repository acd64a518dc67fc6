//! The steps that changed a unit.

use crate::web::{Cell, Page, PageError, Table, Visit, nodes, text};
use serde_json::{Value, json};

const HISTORY: &str = include_str!("../../queries/units-history.graphql");

/// Adds the steps, for roles that see them.
///
/// # Errors
/// The errors of the question.
pub async fn add(visit: &Visit, page: Page, code: &str) -> Result<Page, PageError> {
    if !visit.may("Unit", "history") {
        return Ok(page);
    }
    let data = visit.query(HISTORY, json!({ "code": code })).await?;
    let columns = ["recorded", "effective", "who", "what"].map(|column| visit.t(&format!("units-history-{column}")));
    let rows = nodes(&data["unit"]["history"]).map(|step| {
        let who =
            [visit.t(&format!("units-actor-{}", text(&step["actor"]["kind"]))), text(&step["actor"]["name"]).into()];
        let changes = step["changes"].as_array().into_iter().flatten().map(|change| changed(visit, change));
        vec![
            visit.time_cell(&step["recordedAt"]),
            visit.day_cell(&step["effectiveAt"]),
            Cell::text(who.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")),
            Cell::text(changes.collect::<Vec<_>>().join("; ")),
        ]
    });
    Ok(page.table(Table::new("history", visit.t("units-history"), &columns, rows)))
}

/// A change in words: the field, as the API calls it, and its values.
fn changed(visit: &Visit, change: &Value) -> String {
    let value = |side: &str| {
        let named = change[format!("{side}Name")].as_str().or_else(|| change[side].as_str());
        named.map_or_else(|| "–".to_owned(), |value| format!("“{value}”"))
    };
    let field = text(&change["field"]);
    match change["withheld"].as_bool() {
        Some(true) => visit.t_with("units-history-withheld", &[("field", field.into())]),
        _ => format!("{field}: {} → {}", value("before"), value("after")),
    }
}
