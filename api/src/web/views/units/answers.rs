//! The answers of a unit: its scorecard, the curve of waiting times, and its overdue complaints.

use super::above;
use crate::web::views::complaints::list::reference;
use crate::web::views::numbers::{Form, cell, today, with_list};
use crate::web::{Cell, Page, PageError, Picture, Table, Visit, name, nodes, picture, text};
use chrono::Days;
use jobs::charts::waiting::{self, WaitingCurve, WaitingData};
use schema::enums::Role;
use serde_json::{Value, json};

const SCORECARD: &str = include_str!("../../queries/units-scorecard.graphql");
const OVERDUE: &str = include_str!("../../queries/units-overdue-references.graphql");
/// Query for roles that see pseudonyms.
const PSEUDONYMS: &str = include_str!("../../queries/units-overdue-pseudonyms.graphql");

/// Overdue complaints of a page.
const ROWS: u32 = 25;
/// The numbers of the scorecard, in their order.
const NUMBERS: [(&str, Form); 11] = [
    ("complaints", Form::Count),
    ("distinctEnterprises", Form::Count),
    ("episodes", Form::Count),
    ("due", Form::Count),
    ("answeredInTime", Form::Count),
    ("shareAnsweredInTime", Form::Share),
    ("medianDaysToResponse", Form::Days),
    ("open", Form::Count),
    ("overdue", Form::Count),
    ("costVnd", Form::Money),
    ("delayHours", Form::Hours),
];

/// Adds the scorecard of the unit and its curve of waiting times, for roles that see them.
///
/// # Errors
/// The errors of the question.
pub async fn add_scorecard(visit: &Visit, page: Page, unit: &Value, days: u32) -> Result<Page, PageError> {
    if !visit.may("Unit", "scorecard") {
        return Ok(page.with("waiting", None::<Picture>));
    }
    let asked = json!({ "code": unit["code"], "days": days, "compares": compares(visit) });
    let data = visit.query(SCORECARD, asked).await?;
    let card = &data["unit"]["scorecard"];
    let columns = ["number", "value"].map(|column| visit.t(&format!("units-card-{column}")));
    let responsible = ("responsible", text(&unit["code"]));
    let span = (today() - Days::new(u64::from(days) - 1), today());
    let rows = NUMBERS.map(|(field, form)| {
        let value = cell(visit, form, &card[field]);
        let value = match field {
            "complaints" => with_list(visit, value, span, &[responsible]),
            "overdue" => with_list(visit, value, span, &[responsible, ("overdue", "1")]),
            _ => value,
        };
        let is_late = field == "overdue" && value.number.is_some_and(|number| number > 0.0);
        vec![
            Cell::text(visit.t(&format!("units-card-{field}"))),
            if is_late { value.marked("mark-late") } else { value },
        ]
    });
    let caption = visit.t_with("units-card-caption", &[("days", days.into())]);
    let page = page.table(Table::new("scorecard", caption, &columns, rows));
    Ok(page.with("waiting", waiting_picture(visit, unit, &data["unit"])?))
}

/// Whether the curve of the unit above is shown, and asked for: the head of a unit sees a part of its complaints.
fn compares(visit: &Visit) -> bool {
    visit.role() == Role::Board
}

/// The curve of the unit, and that of the unit above it for readers who see all complaints.
fn waiting_picture(visit: &Visit, unit: &Value, answer: &Value) -> Result<Option<Picture>, PageError> {
    let day = today().to_string();
    let mut curves = vec![curve(name(unit, visit.locale()), &answer["scorecard"])];
    let compared = compares(visit).then(|| above(unit, &day)).flatten();
    let parents = answer["parents"].as_array().into_iter().flatten();
    let parent = parents.map(|parent| &parent["unit"]).find(|parent| parent["code"].as_str() == compared);
    if let Some(parent) = parent.filter(|parent| !parent.is_null()) {
        curves.push(curve(name(parent, visit.locale()), &parent["scorecard"]));
    }
    if curves[0].complaints == 0 {
        return Ok(None);
    }
    let data = WaitingData { what: visit.t("numbers-complaints"), curves, due: None };
    picture("waiting", visit.locale(), |words, style| waiting::chart(&data, words, style)).map(Some)
}

fn curve(label: &str, card: &Value) -> WaitingCurve {
    let steps = card["waiting"].as_array().into_iter().flatten();
    let censored = card["stillWaitingDays"].as_array().into_iter().flatten();
    WaitingCurve {
        label: label.to_owned(),
        complaints: card["complaints"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0),
        steps: steps.filter_map(|step| Some((step["days"].as_f64()?, step["share"].as_f64()?))).collect(),
        censored: censored.filter_map(Value::as_f64).collect(),
        median: card["medianDaysToResponse"].as_f64(),
    }
}

/// Adds the complaints that the unit and those below it have to answer and are late with, the latest first, for roles
/// that see complaints.
///
/// # Errors
/// The errors of the question.
pub async fn add_overdue(visit: &Visit, page: Page, unit: &Value) -> Result<Page, PageError> {
    if !visit.may("Query", "complaints") {
        return Ok(page.with("overdue", None::<u64>));
    }
    let document = if visit.may("Complaint", "reference") { OVERDUE } else { PSEUDONYMS };
    let asked = json!({ "code": unit["code"], "first": visit.rows(ROWS) });
    let data = visit.query(document, asked).await?;
    let columns = ["complaint", "due", "days", "state", "category", "about"]
        .map(|column| visit.t(&format!("units-over-{column}")));
    let rows = nodes(&data["complaints"]).map(|complaint| {
        vec![
            reference(complaint),
            visit.day_cell(&complaint["dueOn"]),
            cell(visit, Form::Count, &complaint["overdueDays"]).marked("mark-late"),
            Cell::text(visit.t(&format!("state-{}", text(&complaint["state"])))),
            Cell::text(name(&complaint["category"], visit.locale())),
            super::link(visit, &complaint["unit"]),
        ]
    });
    let table = Table::new("overdue", visit.t("units-over-caption"), &columns, rows);
    Ok(page.table(table).with("overdue", data["complaints"]["totalCount"].as_u64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_the_steps_of_the_answer() {
        let card = json!({
            "complaints": 3, "medianDaysToResponse": 2.0, "stillWaitingDays": [4],
            "waiting": [{ "days": 1.0, "share": 0.67 }, { "days": 2.0, "share": 0.33 }],
        });
        let curve = curve("02", &card);
        assert_eq!((curve.complaints, curve.steps.len(), curve.censored.as_slice()), (3, 2, &[4.0][..]));
        assert_eq!((curve.after(1.5), curve.median), (0.67, Some(2.0)));
    }
}
