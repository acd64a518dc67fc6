//! The answer: a table of groups, and a picture where the groups have one.

use super::dimensions::Shape;
use super::question::{Question, dimensions, is_exact, measures};
use super::{days, lists};
use crate::web::views::conditions::{argument_values, ask};
use crate::web::views::numbers::{Form, cell, cell_of_group, month_of, options, today, trend};
use crate::web::{Cell, Page, PageError, Picture, Table, Visit, amount, picture};
use chrono::{Months, NaiveDate};
use jobs::charts::pareto::{self, ParetoBar, ParetoData};
use schema::enums::{CategoryKind, Channel, ComplaintState};
use serde_json::{Value, json};

/// Months that a picture shows.
const MONTHS: u32 = 24;
/// Fewer groups need no picture.
const FEWEST: usize = 3;

/// The page for the question of the address.
///
/// # Errors
/// When the reader may not ask for statistics, and the errors of the question.
pub async fn page(visit: &Visit) -> Result<Page, PageError> {
    // Without any grouping to offer, a word of the address would be refused before the right is.
    if !visit.may("Query", "complaintStatistics") {
        return Err(PageError::Forbidden);
    }
    let mut question = Question::from_visit(visit);
    let (document, variables) = (question.document(visit), question.variables(visit));
    let answer = ask(visit, document, variables, &mut question.problems).await?["complaintStatistics"].take();
    let groups: Vec<&Value> = answer["rows"].as_array().into_iter().flatten().collect();
    let withheld = groups.iter().filter(|group| group["suppressed"] == true).count();
    let drawn = picture_of(visit, &question, &answer, &groups)?;
    let by = |index: usize| question.by.get(index).map_or("", |one| one.value);
    let offered: Vec<(&str, String)> = dimensions(visit).map(|one| (one.value, one.name(visit))).collect();
    let measured: Vec<(&str, String)> = measures(visit).map(|one| (one.value, one.name(visit))).collect();
    let next = answer["endCursor"].as_str().filter(|_| answer["truncated"] == true);
    let argument = |name: &str| visit.argument(name).unwrap_or_default().to_owned();
    Ok(Page::new("explore.html", visit.t("explore-title"))
        .table(table(visit, &question, &answer, &groups))
        .with("picture", drawn)
        .with("groups", answer["groupCount"].as_i64())
        .with("withheld", withheld)
        .with("exact", is_exact(visit))
        .with("next", next.map(|cursor| visit.link(&[("after", Some(cursor))])))
        .with("first", visit.argument("after").map(|_| visit.link(&[("after", None)])))
        .with("dimensions", offered)
        .with("by", by(0))
        .with("and_by", by(1))
        .with("measures", measured)
        .with("measure", question.measure.value)
        .with("kinds", options(visit, "numbers-kind", CategoryKind::WORDS))
        .with("channels", options(visit, "numbers-channel", Channel::WORDS))
        .with("states", options(visit, "state", ComplaintState::WORDS))
        .with("kind", argument("kind"))
        .with("channel", argument("channel"))
        .with("state", argument("state"))
        .with("unit", argument("unit"))
        .with("category", argument("category"))
        .with("from_month", argument("from"))
        .with("until_month", argument("until"))
        .with("days_used", days::is_used(visit))
        .with("given", argument_values(visit, &days::ARGUMENTS))
        .with("flags", ["1", "0"].map(|flag| (flag, visit.t(if flag == "1" { "form-yes" } else { "form-no" }))))
        .problems(question.problems))
}

/// The groups with their complaints and the measure; the last row has all complaints together.
fn table(visit: &Visit, question: &Question, answer: &Value, groups: &[&Value]) -> Table {
    let mut columns: Vec<String> = question.by.iter().map(|one| one.name(visit)).collect();
    let of_complaints = question.measure.field == "complaints";
    columns.push(visit.t("numbers-measure-complaints"));
    if !of_complaints {
        columns.push(question.measure.name(visit));
    }
    // Each number leads to the list of what it counts.
    let listed = |cell: Cell, group: Option<&Value>, measure: &str| match cell.number {
        Some(_) => Cell { href: lists::list_address(visit, question, group, measure), ..cell },
        None => cell,
    };
    let numbers = |group: &Value| -> Vec<Cell> {
        let number =
            |form: Form, measure: &str| listed(cell_of_group(visit, form, group, measure), Some(group), measure);
        let complaints = number(Form::Count, "complaints");
        let measure = || number(question.measure.form, question.measure.field);
        if of_complaints { vec![complaints] } else { vec![complaints, measure()] }
    };
    let rows = groups.iter().map(|group| {
        let mut row: Vec<Cell> = question.by.iter().map(|one| one.cell(visit, group)).collect();
        row.extend(numbers(group));
        row
    });
    let totals = &answer["totals"];
    let all = (!totals.is_null() && !groups.is_empty()).then(|| {
        let mut row = vec![Cell::text(visit.t("explore-all"))];
        row.resize(question.by.len(), Cell::default());
        let number = |form: Form, measure: &str| listed(cell(visit, form, &totals[measure]), None, measure);
        row.push(number(Form::Count, "complaints"));
        if !of_complaints {
            row.push(number(question.measure.form, question.measure.field));
        }
        row
    });
    let caption = visit.t_with(
        "explore-caption",
        &[("measure", question.measure.name(visit).into()), ("time", as_of(visit, question, answer).into())],
    );
    Table::new("statistics", caption, &columns, rows.chain(all))
}

/// The past day by whose end the answer counts, or the moment of the snapshot.
fn as_of(visit: &Visit, question: &Question, answer: &Value) -> String {
    match question.as_of {
        Some(day) => visit.date(&json!(day)),
        None => visit.time(&answer["asOf"]),
    }
}

/// The picture of the groups: months as a trend, and what adds up to a whole as a Pareto chart.
fn picture_of(
    visit: &Visit,
    question: &Question,
    answer: &Value,
    groups: &[&Value],
) -> Result<Option<Picture>, PageError> {
    let (&[by], None) = (question.by.as_slice(), visit.argument("after")) else { return Ok(None) };
    if groups.len() < FEWEST {
        return Ok(None);
    }
    let what = question.measure.name(visit);
    if by.value == "MONTH" {
        let shown = (last_month(question.before), MONTHS, is_exact(visit));
        return trend(visit, "trend", what, &answer["rows"], question.measure, shown).map(Some);
    }
    if by.is_time() || by.shape == Shape::Person || !by.divides() || !adds_up(question.measure.field) {
        return Ok(None);
    }
    if answer["truncated"] == true {
        return Ok(None);
    }
    let bars = groups.iter().filter_map(|group| {
        let value = amount(&group[question.measure.field]).filter(|value| *value >= 0.0)?;
        Some(ParetoBar { label: by.cell(visit, group).text, value })
    });
    // Its title names the measure within a sentence.
    let data = ParetoData { what: uncapitalised(&what), groups: visit.t("explore-groups"), bars: bars.collect() };
    picture("pareto", visit.locale(), |words, style| pareto::chart(&data, words, style)).map(Some)
}

/// A name in the form that it has within a sentence.
fn uncapitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The last whole month of the question.
fn last_month(before: Option<NaiveDate>) -> NaiveDate {
    let this_month = month_of(today());
    before.map_or(this_month, |before| before.min(this_month)) - Months::new(1)
}

/// Whether the groups of a measure add up to all complaints together. An enterprise may be in several groups.
fn adds_up(measure: &str) -> bool {
    ["complaints", "costVnd", "delayHours", "open", "overdue", "escalated", "reopened"].contains(&measure)
}
