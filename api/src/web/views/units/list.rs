//! All units: the map, the funnel, and the tree with the numbers of each unit.

use super::rates::{funnel_picture, map_picture};
use super::tree::{Listed, tree};
use super::{above, holds_on, link};
use crate::web::views::arguments::Arguments;
use crate::web::views::conditions::with_results;
use crate::web::views::numbers::{Form, cell_of_group, midnight, month_of, options, today, with_list};
use crate::web::{Cell, Page, PageError, Table, Visit, text};
use actix_web::HttpResponse;
use chrono::{Days, Months};
use schema::enums::CategoryKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const UNITS: &str = include_str!("../../queries/units-list.graphql");
const NUMBERS: &str = include_str!("../../queries/units-numbers.graphql");
const FUNNEL: &str = include_str!("../../queries/units-funnel.graphql");

/// The kinds of units that the tree shows. Teams are listed on the page of their branch.
const KINDS: [&str; 4] = ["GENERAL_DEPARTMENT", "HEADQUARTERS_UNIT", "PROVINCIAL_DEPARTMENT", "BRANCH"];
/// Units that one question asks for, and the most questions.
const AT_ONCE: u32 = 200;
const QUESTIONS: usize = 10;
/// Whole months that the numbers may cover.
const MONTHS: [u32; 4] = [12, 3, 24, 36];
/// The measures of each unit.
const SHOWN: [(&str, Form); 4] = [
    ("complaints", Form::Count),
    ("distinctEnterprises", Form::Count),
    ("shareAnsweredInTime", Form::Share),
    ("medianDaysToResponse", Form::Days),
];

pub async fn list(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let mut arguments = Arguments::new(visit);
    let months = arguments.offered(("months", "units-months"), MONTHS);
    let kind = arguments.word(("kind", "units-kind-filter"), CategoryKind::WORDS, "numbers-kind");
    let with_ended = visit.argument("ended").is_some();
    let choices: Vec<(String, String)> = MONTHS
        .iter()
        .map(|months| (months.to_string(), visit.t_with("units-months-choice", &[("months", (*months).into())])))
        .collect();
    let page = Page::new("units.html", visit.t("units-title"))
        .with("has_numbers", visit.may("Query", "complaintStatistics"))
        .with("choices", choices)
        .with("months", months.to_string())
        .with("kinds", options(visit, "numbers-kind", CategoryKind::WORDS))
        .with("kind", kind.unwrap_or_default())
        .with("search", visit.argument("search").unwrap_or_default())
        .with("ended", with_ended);
    with_results(page, arguments, results(visit, months, kind, with_ended)).await
}

/// The units that the filter asks for.
async fn results(visit: &Visit, months: u32, kind: Option<&str>, with_ended: bool) -> Result<Page, PageError> {
    let day = today().to_string();
    let units = units(visit).await?;
    let kept: Vec<&Value> = units.iter().filter(|unit| with_ended || holds_on(unit, &day)).collect();
    let answer = numbers(visit, months, kind).await?;
    let numbers = answer.as_ref().map(by_code);
    let funnel = match visit.may("Query", "funnelPlot") {
        true => visit.query(FUNNEL, json!({})).await?["funnelPlot"].take(),
        false => Value::Null,
    };
    let (map, elsewhere) = map_picture(visit, &funnel, &units)?;
    let listed = kept.iter().map(|unit| listed(visit, unit, &day, numbers.as_ref())).collect();
    Ok(Page::part()
        .table(table(visit, &kept, &day, months, numbers.as_ref()))
        .with("total", kept.len())
        .with("tree", tree(listed))
        .with("map", map)
        .with("elsewhere", elsewhere)
        .with("funnel", funnel_picture(visit, &funnel, &units)?)
        .with("sees_rates", visit.may("Query", "funnelPlot"))
        .with("funnel_days", funnel["days"].as_i64())
        .with("funnel_on", visit.date(&funnel["asOf"])))
}

/// The units that the tree shows, by code, or those that are searched for.
async fn units(visit: &Visit) -> Result<Vec<Value>, PageError> {
    let mut filter = json!({ "kind": { "in": KINDS } });
    if let Some(words) = visit.argument("search") {
        filter = json!({ "or": [{ "code": { "eq": words } }, { "search": words }] });
    }
    let first = AT_ONCE.min(visit.service.settings.limits(Some(visit.role())).page_size);
    let (mut all, mut after) = (Vec::new(), Value::Null);
    for _ in 0..QUESTIONS {
        let mut data = visit.query(UNITS, json!({ "filter": filter, "first": first, "after": after })).await?;
        if let Some(nodes) = data["units"]["nodes"].as_array_mut() {
            all.append(nodes);
        }
        let info = &data["units"]["pageInfo"];
        if info["hasNextPage"].as_bool() != Some(true) {
            break;
        }
        after = info["endCursor"].clone();
    }
    Ok(all)
}

/// The numbers of departments and branches over whole months; None for a role that may not ask for them.
async fn numbers(visit: &Visit, months: u32, kind: Option<&str>) -> Result<Option<Value>, PageError> {
    if !visit.may("Query", "complaintStatistics") {
        return Ok(None);
    }
    let before = month_of(today());
    let mut filter =
        json!({ "receivedFrom": midnight(before - Months::new(months)), "receivedBefore": midnight(before) });
    if let Some(kind) = kind {
        filter["kind"] = json!({ "eq": kind });
    }
    visit.query(NUMBERS, json!({ "filter": filter })).await.map(Some)
}

/// The groups of the answer by the code of their unit.
fn by_code(answer: &Value) -> BTreeMap<&str, &Value> {
    let groups = ["departments", "branches"].into_iter().zip(["department", "branch"]);
    let rows = groups.flat_map(|(groups, level)| {
        let rows = answer[groups]["rows"].as_array().into_iter().flatten();
        rows.filter_map(move |row| Some((row[level]["code"].as_str()?, row)))
    });
    rows.collect()
}

/// A unit of the tree with its numbers in words.
fn listed(visit: &Visit, unit: &Value, day: &str, numbers: Option<&BTreeMap<&str, &Value>>) -> Listed {
    let code = text(&unit["code"]);
    let group = numbers.and_then(|numbers| numbers.get(code));
    let mut words = Vec::new();
    if let Some(group) = group {
        match group["suppressed"].as_bool() {
            Some(true) => words.push(visit.t("numbers-suppressed")),
            _ => {
                if let Some(count) = group["complaints"].as_i64() {
                    words.push(visit.t_with("units-complaints", &[("count", count.into())]));
                }
                let share = cell_of_group(visit, Form::Share, group, "shareAnsweredInTime").text;
                if !share.is_empty() {
                    words.push(visit.t_with("units-in-time", &[("share", share.into())]));
                }
            }
        }
    }
    if !holds_on(unit, day) {
        words.push(visit.t_with("units-ended", &[("day", visit.date(&unit["validTo"]).into())]));
    }
    Listed {
        code: code.to_owned(),
        name: link(visit, unit).text,
        href: super::address_of(code),
        words: words.join(" · "),
        above: above(unit, day).map(str::to_owned),
    }
}

/// The units as a table, which files hold.
fn table(visit: &Visit, units: &[&Value], day: &str, months: u32, numbers: Option<&BTreeMap<&str, &Value>>) -> Table {
    let mut columns = ["unit", "code", "kind", "above"].map(|column| visit.t(&format!("units-{column}"))).to_vec();
    if numbers.is_some() {
        columns.extend(SHOWN.map(|(field, _)| visit.t(&format!("numbers-measure-{field}"))));
    }
    let before = month_of(today());
    let span = (before - Months::new(months), before - Days::new(1));
    let rows = units.iter().map(|unit| {
        let mut row = vec![
            Cell { text: crate::web::name(unit, visit.locale()).to_owned(), ..link(visit, unit) },
            Cell::text(text(&unit["code"])),
            Cell::text(visit.t(&format!("numbers-unit-{}", text(&unit["kind"])))),
            Cell::text(above(unit, day).unwrap_or_default()),
        ];
        if let Some(numbers) = numbers {
            let group = numbers.get(text(&unit["code"])).copied().unwrap_or(&Value::Null);
            let filter = [("unit", Some(text(&unit["code"]))), ("kind", visit.argument("kind"))];
            let filter: Vec<(&str, &str)> =
                filter.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            row.extend(SHOWN.map(|(field, form)| {
                let number = cell_of_group(visit, form, group, field);
                if field == "complaints" { with_list(visit, number, span, &filter) } else { number }
            }));
        }
        row
    });
    Table::new("units", visit.t_with("units-caption", &[("months", months.into())]), &columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_without_a_unit_belong_to_none() {
        let answer = json!({
            "departments": { "rows": [{ "department": { "code": "02" }, "complaints": 5 }, { "department": null }] },
            "branches": { "rows": [{ "branch": { "code": "02CV" }, "complaints": 3 }] },
        });
        let found = by_code(&answer);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["02", "02CV"]);
        assert_eq!(found["02"]["complaints"], 5);
    }
}
