//! Units: the map of provinces, the funnel and the tree; and one unit with its scorecard against its peers, its CUSUM,
//! waiting times, overdue complaints, categories and history.

mod answers;
mod history;
mod list;
mod one;
mod peers;
mod rates;
mod tree;

use crate::web::{Cell, Visit, name, text};
use actix_web::web::{ServiceConfig, get};
use serde_json::Value;

pub fn routes(config: &mut ServiceConfig) {
    config.route("/units", get().to(list::list)).route("/units/{code}", get().to(one::one));
}

/// The address of a unit.
fn address_of(code: &str) -> String {
    format!("/units/{}", crate::web::address::encoded(code))
}

/// A unit by its name and code, as a link.
fn link(visit: &Visit, unit: &Value) -> Cell {
    match unit["code"].as_str() {
        Some(code) => Cell::link(format!("{} ({code})", name(unit, visit.locale())), address_of(code)),
        None => Cell::default(),
    }
}

/// Whether a row with `validFrom` and `validTo` holds on a day, such as `2026-03-31`.
fn holds_on(row: &Value, day: &str) -> bool {
    text(&row["validFrom"]) <= day && row["validTo"].as_str().is_none_or(|last| last >= day)
}

/// The code of the unit above a unit on a day, or else of the last one above it.
fn above<'u>(unit: &'u Value, day: &str) -> Option<&'u str> {
    let parents = unit["parents"].as_array()?;
    let parent = parents.iter().find(|parent| holds_on(parent, day)).or(parents.last())?;
    parent["unit"]["code"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_unit_above_is_that_of_the_day_and_else_the_last_one() {
        let unit = json!({ "parents": [
            { "validFrom": null, "validTo": "2025-02-28", "unit": { "code": "01" } },
            { "validFrom": "2025-03-01", "validTo": "2026-01-31", "unit": { "code": "KV01" } },
        ] });
        assert_eq!(above(&unit, "2025-02-28"), Some("01"));
        assert_eq!(above(&unit, "2025-03-01"), Some("KV01"));
        assert_eq!(above(&unit, "2026-02-01"), Some("KV01"));
        assert_eq!(above(&json!({ "parents": [] }), "2026-02-01"), None);
    }
}
