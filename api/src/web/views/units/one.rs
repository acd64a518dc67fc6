//! Shows one unit.

use super::{above, address_of, answers, history, holds_on, link, peers};
use crate::web::views::arguments::Arguments;
use crate::web::views::conditions::with_results;
use crate::web::views::explore::lists::alone_or_within;
use crate::web::views::numbers::{Form, MEASURES, cell_of_group, midnight, month_of, today, trend, with_list};
use crate::web::{Cell, Page, PageError, Picture, Table, Visit, name, picture, text};
use actix_web::HttpResponse;
use chrono::{Days, Months, NaiveDate};
use jobs::charts::cusum::{self, CusumData, CusumPoint};
use jobs::charts::pareto::{self, ParetoBar, ParetoData};
use serde_json::{Value, json};

const UNIT: &str = include_str!("../../queries/units-one.graphql");
const MONTHS: &str = include_str!("../../queries/units-months.graphql");
const CUSUM: &str = include_str!("../../queries/units-cusum.graphql");

/// Days that the numbers may cover.
const DAYS: [u32; 4] = [365, 90, 180, 730];
/// Months of the picture, and those that it is compared with.
const SHOWN: u32 = 13;
const BEFORE: u32 = 12;

pub async fn one(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    let mut arguments = Arguments::new(visit);
    let days = arguments.offered(("days", "units-days"), DAYS);
    let choices = DAYS.map(|days| (days.to_string(), visit.t_with("units-days-choice", &[("days", days.into())])));
    let filtered = |title: String, code: &str| {
        Page::new("units-one.html", title)
            .with("action", address_of(code))
            .with("choices", &choices)
            .with("days", days.to_string())
    };
    let data = match visit.query(UNIT, json!({ "code": visit.part("code") })).await {
        // The address has a text that no question takes, so the unit is not known either.
        Err(PageError::Refused(problems)) => {
            return Ok(filtered(visit.t("units-title"), visit.part("code")).problems(problems));
        }
        answer => answer?,
    };
    let unit = &data["unit"];
    let Some(code) = unit["code"].as_str() else { return Err(PageError::NotFound) };
    let page = filtered(link(visit, unit).text, code)
        .with("facts", facts(visit, unit))
        .with("below", below(visit, &data["below"], code))
        .with("code", code);
    with_results(page, arguments, results(visit, unit, code, days)).await
}

/// What the filter asks for about a unit. Each part asks on its own, and the parts ask at the same time.
async fn results(visit: &Visit, unit: &Value, code: &str, days: u32) -> Result<Page, PageError> {
    let (scorecard, overdue, peers, counts, cusum, history) = tokio::try_join!(
        answers::add_scorecard(visit, Page::part(), unit, days),
        answers::add_overdue(visit, Page::part(), unit),
        peers::add(visit, Page::part(), unit, days),
        add_counts(visit, Page::part(), unit, days),
        add_cusum(visit, Page::part(), unit),
        history::add(visit, Page::part(), code),
    )?;
    Ok([scorecard, overdue, peers, counts, cusum, history].into_iter().fold(Page::part(), Page::and))
}

/// The properties of the unit: names, values and links.
fn facts(visit: &Visit, unit: &Value) -> Vec<(String, Cell)> {
    let day = today().to_string();
    let code = text(&unit["code"]);
    let mut facts = vec![("kind", Cell::text(visit.t(&format!("numbers-unit-{}", text(&unit["kind"])))))];
    let mut parents = unit["parents"].as_array().into_iter().flatten();
    let at = parents.find(|parent| Some(text(&parent["unit"]["code"])) == above(unit, &day));
    if let Some(parent) = at.filter(|parent| !parent["unit"].is_null()) {
        facts.push(("above", link(visit, &parent["unit"])));
    }
    if let Some(group) = unit["peerGroup"].as_str() {
        facts.push(("peers", Cell::text(visit.t(&format!("numbers-peers-{group}")))));
    }
    if let Some(field) = unit["field"].as_str() {
        facts.push(("field", Cell::text(field)));
    }
    for (field, key) in [("validFrom", "from"), ("validTo", "until")] {
        if !unit[field].is_null() {
            facts.push((key, visit.day_cell(&unit[field])));
        }
    }
    if !unit["successor"].is_null() {
        facts.push(("successor", link(visit, &unit["successor"])));
    }
    if visit.may("Query", "complaints") {
        let list = crate::web::address::address("/complaints", [("unit", code)]);
        facts.push(("list", Cell::link(visit.t("units-list-link"), list)));
    }
    facts.into_iter().map(|(key, cell)| (visit.t(&format!("units-fact-{key}")), cell)).collect()
}

/// The units below this one today.
fn below(visit: &Visit, units: &Value, code: &str) -> Vec<Cell> {
    let day = today().to_string();
    let now = |unit: &&Value| holds_on(unit, &day) && above(unit, &day) == Some(code);
    crate::web::nodes(units).filter(now).map(|unit| link(visit, unit)).collect()
}

/// Adds complaints by month, and the categories.
async fn add_counts(visit: &Visit, page: Page, unit: &Value, days: u32) -> Result<Page, PageError> {
    if !visit.may("Query", "complaintStatistics") {
        return Ok(page.with("trend", None::<Picture>).with("pareto", None::<Picture>));
    }
    let this_month = month_of(today());
    // Some roles read only whole months, and not what is withheld from small groups.
    let exact = visit.may("StatisticsMeasures", "overdue");
    let from = match exact {
        true => today() - Days::new(days.into()),
        false => this_month - Months::new(days.div_ceil(31)),
    };
    let of_unit = |from: NaiveDate, before: NaiveDate| json!({ "unitWithin": unit["code"], "receivedFrom": midnight(from), "receivedBefore": midnight(before) });
    let before = if exact { today() + Days::new(1) } else { this_month };
    let asked = json!({
        "filter": of_unit(this_month - Months::new(SHOWN + BEFORE), this_month),
        "recent": of_unit(from, before),
    });
    let data = visit.query(MONTHS, asked).await?;
    let last = this_month - Months::new(1);
    let what = visit.t("numbers-measure-complaints");
    let drawn = trend(visit, "trend", what, &data["months"]["rows"], &MEASURES[0], (last, SHOWN, exact))?;
    let categories = &data["categories"]["rows"];
    let is_whole = categories.as_array().is_some_and(|rows| data["categories"]["groupCount"] == json!(rows.len()));
    let pareto = if is_whole { pareto_of(visit, categories)? } else { None };
    let span = (from, before - Days::new(1));
    Ok(page.table(categories_of(visit, unit, categories, span)).with("trend", drawn).with("pareto", pareto))
}

/// The name of the category of a group.
fn category(visit: &Visit, group: &Value) -> String {
    match group["category"].is_null() {
        true => visit.t("numbers-without-category"),
        false => name(&group["category"], visit.locale()).to_owned(),
    }
}

fn categories_of(visit: &Visit, unit: &Value, groups: &Value, span: (NaiveDate, NaiveDate)) -> Table {
    let columns = ["category", "complaints", "enterprises"].map(|column| visit.t(&format!("units-{column}-column")));
    let rows = groups.as_array().into_iter().flatten().map(|group| {
        let name = category(visit, group);
        let first = match group["category"]["code"].as_str().filter(|_| visit.may("Query", "categoryTrends")) {
            Some(code) => Cell::link(name, crate::web::address::address("/categories", [("category", code)])),
            None => Cell::text(name),
        };
        let complaints = cell_of_group(visit, Form::Count, group, "complaints");
        let complaints = match group["category"]["code"].as_str() {
            Some(code) => {
                let filter = [("unit", text(&unit["code"])), (alone_or_within(&group["category"]), code)];
                with_list(visit, complaints, span, &filter)
            }
            None => complaints,
        };
        vec![first, complaints, cell_of_group(visit, Form::Count, group, "distinctEnterprises")]
    });
    let [from, until] = [span.0, span.1].map(|day| visit.date(&json!(day.to_string())));
    let caption = visit.t_with("units-categories", &[("from", from.into()), ("until", until.into())]);
    Table::new("categories", caption, &columns, rows)
}

fn pareto_of(visit: &Visit, groups: &Value) -> Result<Option<Picture>, PageError> {
    let bars =
        groups.as_array().into_iter().flatten().filter_map(|group| {
            Some(ParetoBar { label: category(visit, group), value: group["complaints"].as_f64()? })
        });
    let bars: Vec<ParetoBar> = bars.collect();
    if bars.len() < 3 {
        return Ok(None);
    }
    let data = ParetoData { what: visit.t("numbers-complaints"), groups: visit.t("numbers-categories"), bars };
    picture("pareto", visit.locale(), |words, style| pareto::chart(&data, words, style)).map(Some)
}

/// Adds the CUSUM and the flag of a branch, for roles that see them.
async fn add_cusum(visit: &Visit, page: Page, unit: &Value) -> Result<Page, PageError> {
    let none = |page: Page| page.with("cusum", None::<Picture>).with("flag", None::<Cell>);
    if unit["kind"] != "BRANCH" || !visit.may("Unit", "cusum") {
        return Ok(none(page));
    }
    let data = visit.query(CUSUM, json!({ "code": unit["code"] })).await?;
    let flag = data["unit"]["flag"]["id"].as_str().map(|id| {
        let flag = &data["unit"]["flag"];
        let words = [("tier", "proposed"), ("flag-state", "state")]
            .map(|(prefix, field)| visit.t(&format!("{prefix}-{}", text(&flag[field]))));
        Cell::link(words.join(" · "), format!("/flags/{id}"))
    });
    let series = &data["unit"]["cusum"];
    let Some(limit) = series["limit"].as_f64() else { return Ok(none(page).with("flag", flag)) };
    let weeks = series["weeks"].as_array().into_iter().flatten().filter_map(|week| {
        Some(CusumPoint {
            from: text(&week["from"]).parse().ok()?,
            observed: week["observed"].as_f64()?,
            expected: week["expected"].as_f64()?,
            sum: week["sum"].as_f64()?,
            signal: week["signal"].as_bool()?,
        })
    });
    let data = CusumData { label: name(unit, visit.locale()).to_owned(), limit, weeks: weeks.collect() };
    let drawn = picture("cusum", visit.locale(), |words, style| cusum::chart(&data, words, style))?;
    Ok(page.with("cusum", drawn).with("flag", flag))
}
