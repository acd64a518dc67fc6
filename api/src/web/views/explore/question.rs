//! What the address asks: what to group by, the measure, and which complaints.

use super::dimensions::{DIMENSIONS, Dimension};
use crate::web::views::numbers::{MEASURES, Measure, midnight};
use crate::web::{Problem, Visit};
use chrono::{Months, NaiveDate};
use schema::enums::{CategoryKind, Channel, ComplaintState};
use serde_json::{Map, Value, json};

const OF_DASHBOARD: &str = include_str!("../../queries/explore-dashboard.graphql");
const OF_HEAD: &str = include_str!("../../queries/explore-head.graphql");
const OF_ALL: &str = include_str!("../../queries/explore-all.graphql");
/// With officers or enterprises: only these the audit log notes as looks at people.
const OFFICERS: &str = include_str!("../../queries/explore-officers.graphql");
const PEOPLE: &str = include_str!("../../queries/explore-people.graphql");
const PSEUDONYMS: &str = include_str!("../../queries/explore-pseudonyms.graphql");

/// Groups that one page shows.
const GROUPS: u32 = 200;

/// A question about complaints.
pub struct Question {
    /// One or two dimensions.
    pub by: Vec<&'static Dimension>,
    pub measure: &'static Measure,
    pub filter: Map<String, Value>,
    /// The first month after those asked for.
    pub before: Option<NaiveDate>,
    pub problems: Vec<Problem>,
}

/// The dimensions that the role may group by.
pub fn dimensions(visit: &Visit) -> impl Iterator<Item = &'static Dimension> {
    DIMENSIONS.iter().filter(move |one| visit.may("StatisticsDimension", one.value))
}

/// The measures that the role may ask for.
pub fn measures(visit: &Visit) -> impl Iterator<Item = &'static Measure> {
    MEASURES.iter().filter(move |one| visit.may("StatisticsMeasure", one.value))
}

/// Whether the role reads exact numbers, of any day.
pub fn is_exact(visit: &Visit) -> bool {
    visit.may("StatisticsDimension", "DAY")
}

impl Question {
    pub fn of(visit: &Visit) -> Self {
        let asked = ["by", "and"].iter().filter_map(|argument| visit.argument(argument));
        let mut by: Vec<&'static Dimension> =
            asked.filter_map(|asked| dimensions(visit).find(|one| one.value == asked)).collect();
        by.dedup();
        if by.is_empty() {
            by.extend(dimensions(visit).next());
        }
        let measure = visit.argument("measure");
        let measure = measures(visit).find(|one| Some(one.value) == measure).unwrap_or(&MEASURES[0]);
        let mut problems = Vec::new();
        let (filter, before) = filter(visit, &mut problems);
        Self { by, measure, filter, before, problems }
    }

    /// The document for the role.
    pub fn document(&self, visit: &Visit) -> &'static str {
        let of_people = self.by.iter().any(|one| matches!(one.value, "OFFICER" | "ENTERPRISE"));
        let sees_enterprises = visit.may("StatisticsDimension", "ENTERPRISE");
        match (of_people, is_exact(visit)) {
            (true, _) if !sees_enterprises => OFFICERS,
            (true, _) if visit.may("Officer", "code") => PEOPLE,
            (true, _) => PSEUDONYMS,
            (false, false) => OF_DASHBOARD,
            (false, true) if visit.may("StatisticsMeasure", "EPISODES") => OF_ALL,
            (false, true) => OF_HEAD,
        }
    }

    /// The variables of the document.
    pub fn variables(&self, visit: &Visit) -> Value {
        let by: Vec<&str> = self.by.iter().map(|one| one.value).collect();
        let mut variables = json!({
            "filter": self.filter,
            "groupBy": by,
            "first": GROUPS,
            "after": visit.argument("after"),
        });
        // Times stand in their order.
        if !self.by.iter().any(|one| one.is_time()) {
            variables["orderBy"] = json!([{ "field": self.measure.value, "direction": "DESC" }]);
        }
        for measure in measures(visit) {
            variables[measure.field] = (measure.field == "complaints" || measure == self.measure).into();
        }
        variables
    }
}

/// A day of the first of a month, such as `2026-03`.
fn month(text: &str) -> Option<NaiveDate> {
    format!("{text}-01").parse().ok()
}

/// The filter that the arguments say, and the first month after it. Whole months only: some roles read no others.
fn filter(visit: &Visit, problems: &mut Vec<Problem>) -> (Map<String, Value>, Option<NaiveDate>) {
    let mut filter = Map::new();
    if let Some(unit) = visit.argument("unit") {
        filter.insert("unitWithin".into(), unit.into());
    }
    if let Some(category) = visit.argument("category") {
        filter.insert("category".into(), json!({ "within": category }));
    }
    for (argument, words) in
        [("kind", CategoryKind::WORDS), ("channel", Channel::WORDS), ("state", ComplaintState::WORDS)]
    {
        if let Some(word) = visit.argument(argument).filter(|word| words.contains(word)) {
            filter.insert(argument.into(), json!({ "eq": word }));
        }
    }
    let mut asked = |argument: &str| {
        let text = visit.argument(argument)?;
        let month = month(text);
        if month.is_none() {
            problems.push(Problem::of(argument, visit.t("explore-not-a-month")));
        }
        month
    };
    let (from, until) = (asked("from"), asked("until"));
    let before = until.and_then(|until| until.checked_add_months(Months::new(1)));
    if from.zip(before).is_some_and(|(from, before)| from >= before) {
        problems.push(Problem::of("until", visit.t("explore-until-before-from")));
    }
    for (field, day) in [("receivedFrom", from), ("receivedBefore", before)] {
        if let Some(day) = day {
            filter.insert(field.into(), midnight(day).into());
        }
    }
    (filter, before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_years_with_months() {
        assert_eq!(month("2026-03"), NaiveDate::from_ymd_opt(2026, 3, 1));
        assert_eq!(month("2026-13").or(month("March")), None);
    }
}
