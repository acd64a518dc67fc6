//! The categories by their share of complaints, with those that rise, and one of them by month.

use crate::web::views::arguments::Arguments;
use crate::web::views::conditions::ask;
use crate::web::views::numbers::{Form, MEASURES, cell, formatted, midnight, month_of, today, trend, with_list};
use crate::web::{Cell, Page, PageError, Picture, Problem, Table, Visit, name, once_in, picture, text};
use chrono::{Days, Months};
use jobs::charts::pareto::{self, ParetoBar, ParetoData};
use serde_json::{Value, json};

const TRENDS: &str = include_str!("../../queries/categories-trends.graphql");
const MONTHS: &str = include_str!("../../queries/categories-months.graphql");

/// Days that may be compared with those before them.
const DAYS: [u32; 4] = [30, 90, 180, 365];
/// Months of the picture, and those that it is compared with.
const SHOWN: u32 = 13;
const BEFORE: u32 = 12;
/// Value of q from which chance may explain a rise, and the page does not say how rare it is.
const SELDOM: f64 = 0.2;

/// Adds the table, the Pareto chart, and the months of the category that is chosen, or else of the one that rises most
/// or is the largest. Nothing of these where the filter is wrong: that is among the problems.
///
/// # Errors
/// The other errors of the questions.
pub async fn add(visit: &Visit, page: Page, problems: &mut Vec<Problem>) -> Result<Page, PageError> {
    let mut arguments = Arguments::new(visit);
    let days = arguments.offered(("days", "categories-days"), DAYS);
    let below = arguments.word(("level", "categories-level"), &["1", "2"], "categories-level") == Some("2");
    problems.extend(arguments.problems());
    let from = today() - Days::new(u64::from(days) - 1);
    let mut asked = json!({ "period": { "from": from.to_string(), "until": today().to_string() } });
    if let Some(unit) = visit.argument("unit") {
        asked["unit"] = json!({ "within": unit });
    }
    let data = ask(visit, TRENDS, asked, problems).await?;
    let trends = &data["categoryTrends"];
    let all: Vec<&Value> = trends["categories"].as_array().into_iter().flatten().collect();
    let level: Vec<&Value> = all.iter().copied().filter(|row| row["parentCode"].is_null() != below).collect();
    let chosen = chosen(visit.argument("category"), &all, &level);
    let trend = match chosen {
        Some(category) => Some(months(visit, category).await?),
        None => None,
    };
    let choices = DAYS.map(|days| (days.to_string(), visit.t_with("categories-days-choice", &[("days", days.into())])));
    let rising = level.iter().filter(|row| row["rises"] == true).count();
    Ok(page
        .table(table(visit, &level, &all, trends))
        .with("pareto", pareto_of(visit, &level)?)
        .with("trend", trend)
        .with("rising", rising)
        .with("recent_days", trends["recentDays"].as_i64())
        .with("before_days", trends["beforeDays"].as_i64())
        .with("choices", choices)
        .with("days", days.to_string())
        .with("levels", ["1", "2"].map(|level| (level, visit.t(&format!("categories-level-{level}")))))
        .with("level", if below { "2" } else { "1" })
        .with("unit", visit.argument("unit").unwrap_or_default())
        .with("category", visit.argument("category").unwrap_or_default()))
}

/// The category whose months are drawn.
fn chosen<'t>(asked: Option<&str>, all: &[&'t Value], level: &[&'t Value]) -> Option<&'t Value> {
    if let Some(code) = asked {
        return all.iter().copied().find(|row| row["categoryCode"] == code);
    }
    let q = |row: &Value| row["q"].as_f64().unwrap_or(1.0);
    let rising = level.iter().copied().filter(|row| row["rises"] == true);
    rising.min_by(|one, other| q(one).total_cmp(&q(other))).or(level.first().copied())
}

async fn months(visit: &Visit, category: &Value) -> Result<Picture, PageError> {
    let this_month = month_of(today());
    let mut filter = json!({
        "category": { "within": category["categoryCode"] },
        "receivedFrom": midnight(this_month - Months::new(SHOWN + BEFORE)),
        "receivedBefore": midnight(this_month),
    });
    if let Some(unit) = visit.argument("unit") {
        filter["unitWithin"] = unit.into();
    }
    let data = visit.query(MONTHS, json!({ "filter": filter })).await?;
    let rows = &data["complaintStatistics"]["rows"];
    let last = this_month - Months::new(1);
    trend(visit, "trend", name_of(visit, category), rows, &MEASURES[0], (last, SHOWN, true))
}

fn name_of(visit: &Visit, category: &Value) -> String {
    let names = json!({ "nameVi": category["categoryNameVi"], "nameEn": category["categoryNameEn"] });
    name(&names, visit.locale()).to_owned()
}

/// Complaints of both periods.
fn complaints(category: &Value) -> f64 {
    ["before", "recent"].iter().filter_map(|period| category[*period].as_f64()).sum()
}

fn pareto_of(visit: &Visit, level: &[&Value]) -> Result<Option<Picture>, PageError> {
    if level.is_empty() {
        return Ok(None);
    }
    let bars = level.iter().map(|row| ParetoBar { label: name_of(visit, row), value: complaints(row) });
    let data =
        ParetoData { what: visit.t("numbers-complaints"), groups: visit.t("numbers-categories"), bars: bars.collect() };
    picture("pareto", visit.locale(), |words, style| pareto::chart(&data, words, style)).map(Some)
}

fn table(visit: &Visit, level: &[&Value], all: &[&Value], trends: &Value) -> Table {
    let columns = ["category", "above", "complaints", "share", "together", "recent", "expected", "change", "chance"]
        .map(|column| visit.t(&format!("categories-{column}")));
    let days = |field: &str| trends[field].as_i64().unwrap_or(0);
    let since = |days: i64| (today() - Days::new(u64::try_from(days - 1).unwrap_or(0)), today());
    let (recent, both) = (since(days("recentDays")), since(days("recentDays") + days("beforeDays")));
    let rows = level.iter().map(|row| {
        let code = text(&row["categoryCode"]);
        let filter = [("category", Some(code)), ("unit", visit.argument("unit"))];
        let filter: Vec<(&str, &str)> = filter.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let above = all.iter().find(|other| !row["parentCode"].is_null() && other["categoryCode"] == row["parentCode"]);
        let total = complaints(row);
        let here = visit.link(&[("category", Some(code)), ("after", None), ("before", None)]);
        let link = Cell::link(name_of(visit, row), here);
        let change = match row["rises"].as_bool() {
            Some(true) => Cell::text(visit.t("categories-rises")).marked("mark-unusual"),
            _ => Cell::default(),
        };
        let chance = row["q"].as_f64().map_or_else(Cell::default, |q| {
            let words = || visit.t_with("categories-once-in", &[("once", once_in(visit, q).into())]);
            Cell::number(q, if q < SELDOM { words() } else { String::new() })
        });
        vec![
            link,
            Cell::text(above.map(|above| name_of(visit, above)).unwrap_or_default()),
            with_list(visit, Cell::number(total, formatted(visit, Form::Count, total)), both, &filter),
            cell(visit, Form::Share, &row["share"]),
            cell(visit, Form::Share, &row["cumulativeShare"]),
            with_list(visit, cell(visit, Form::Count, &row["recent"]), recent, &filter),
            cell(visit, Form::Days, &row["expected"]),
            change,
            chance,
        ]
    });
    let caption = visit
        .t_with("categories-caption", &[("recent", days("recentDays").into()), ("before", days("beforeDays").into())]);
    Table::new("categories", caption, &columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_category_asked_for_is_drawn_and_else_the_one_that_rises_most() {
        let row = |code: &str, q: f64, rises: bool| json!({ "categoryCode": code, "q": q, "rises": rises });
        let rows = [row("A", 0.5, false), row("B", 0.04, true), row("C", 0.01, true)];
        let all: Vec<&Value> = rows.iter().collect();
        let code = |found: Option<&Value>| found.map(|row| text(&row["categoryCode"]).to_owned());
        assert_eq!(code(chosen(None, &all, &all)).as_deref(), Some("C"));
        assert_eq!(code(chosen(None, &all, &all[..1])).as_deref(), Some("A"));
        assert_eq!(code(chosen(Some("B"), &all, &all[..1])).as_deref(), Some("B"));
        assert_eq!(code(chosen(Some("Z"), &all, &all)), None);
    }
}
