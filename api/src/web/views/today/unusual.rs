//! Charts of values outside of chance: branches in the funnel plot, and rising categories.

use crate::web::address::address;
use crate::web::views::numbers::{today, with_list};
use crate::web::{Cell, Page, PageError, Picture, Table, Visit, name, once_in, picture, text};
use chrono::Days;
use jobs::charts::funnel::{self, FunnelData, FunnelPoint};
use serde_json::{Value, json};

const OF_BOARD: &str = include_str!("../../queries/today-unusual-board.graphql");
const OF_HEAD: &str = include_str!("../../queries/today-unusual-head.graphql");

/// Adds the categories that rise, and returns the funnel where a branch is unusual.
///
/// # Errors
/// The errors of the question.
pub async fn add(visit: &Visit, page: Page) -> Result<(Page, Option<Picture>), PageError> {
    let document = match (visit.may("Query", "funnelPlot"), visit.may("Query", "categoryTrends")) {
        (true, _) => OF_BOARD,
        (false, true) => OF_HEAD,
        (false, false) => return Ok((page, None)),
    };
    let data = visit.query(document, json!({})).await?;
    let page = match rising(visit, &data["categoryTrends"]) {
        Some(table) => page.table(table),
        None => page,
    };
    let data = funnel_of(visit, &data["funnelPlot"]);
    let is_unusual = data.units.iter().any(|unit| unit.unusual().is_some());
    let funnel = is_unusual
        .then(|| picture("funnel", visit.locale(), |words, style| funnel::chart(&data, words, style)))
        .transpose()?;
    Ok((page, funnel))
}

/// The categories that rise; None if none does.
fn rising(visit: &Visit, trends: &Value) -> Option<Table> {
    let days = trends["recentDays"].as_i64().unwrap_or(30);
    let recent = (today() - Days::new(u64::try_from(days - 1).unwrap_or(0)), today());
    let rising = trends["categories"].as_array().into_iter().flatten().filter(|row| row["rises"] == true);
    let rows: Vec<Vec<Cell>> = rising
        .map(|row| {
            let names = json!({ "nameVi": row["categoryNameVi"], "nameEn": row["categoryNameEn"] });
            let number = |value: &Value, digits| {
                value.as_f64().map_or_else(Cell::default, |value| Cell::number(value, visit.number(value, digits)))
            };
            let q = row["q"].as_f64().map_or_else(Cell::default, |q| {
                Cell::number(q, visit.t_with("today-once-in", &[("once", once_in(visit, q).into())]))
            });
            let code = text(&row["categoryCode"]);
            let category = Cell::link(name(&names, visit.locale()), address("/categories", [("category", code)]));
            let listed = with_list(visit, number(&row["recent"], 0), recent, &[("category", code)]);
            vec![category.marked("mark-unusual"), listed, number(&row["expected"], 1), q]
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let columns = ["category", "recent", "expected", "chance"].map(|column| visit.t(&format!("today-{column}")));
    Some(Table::new("rising", visit.t_with("today-rising-caption", &[("days", days.into())]), &columns, rows))
}

fn funnel_of(visit: &Visit, funnel: &Value) -> FunnelData {
    let points = funnel["points"].as_array().into_iter().flatten().filter_map(|point| {
        let number = |field: &str| point[field].as_f64();
        Some(FunnelPoint {
            label: point["unitCode"].as_str()?.to_owned(),
            observed: number("observed")?,
            expected: number("expected")?,
            lower_95: number("lower95")?,
            upper_95: number("upper95")?,
            lower_998: number("lower998")?,
            upper_998: number("upper998")?,
        })
    });
    FunnelData {
        what: visit.t("today-funnel-what"),
        units_name: visit.t("today-funnel-units"),
        // Phi compares variances.
        dispersion: funnel["phi"].as_f64().unwrap_or(1.0).max(1.0).sqrt(),
        units: points.collect(),
    }
}
