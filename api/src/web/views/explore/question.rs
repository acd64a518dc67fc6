//! The question of an address: the dimensions, the measure, and the filter.

use super::days;
use super::dimensions::{DIMENSIONS, Dimension};
use crate::web::views::arguments::Arguments;
use crate::web::views::numbers::{MEASURES, Measure, midnight};
use crate::web::{Problem, Visit};
use chrono::{Months, NaiveDate};
use schema::enums::{CategoryKind, Channel, ComplaintState};
use serde_json::{Map, Value, json};

/// A document with the fragments that it spreads: the fields of every role, and those of roles with exact numbers.
macro_rules! document {
    ($file:literal $(, $parts:literal)*) => {
        concat!(
            include_str!(concat!("../../queries/explore-", $file, ".graphql")),
            $(include_str!(concat!("../../queries/explore-", $parts, ".graphql")),)*
        )
    };
}

const OF_DASHBOARD: &str = document!("dashboard", "parts");
const OF_HEAD: &str = document!("head", "parts", "parts-exact");
const OF_ALL: &str = document!("all", "parts", "parts-exact");
/// The document with officers or enterprises. The audit log records a look at people only for these documents.
const OFFICERS: &str = document!("officers", "parts", "parts-exact");
const PEOPLE: &str = document!("people", "parts", "parts-exact");
const PSEUDONYMS: &str = document!("pseudonyms", "parts", "parts-exact");

/// Groups that one page shows.
const GROUPS: u32 = 200;

/// A question about complaints.
pub struct Question {
    /// Dimensions, one or two.
    pub by: Vec<&'static Dimension>,
    pub measure: &'static Measure,
    pub filter: Map<String, Value>,
    /// The first month asked for.
    pub from: Option<NaiveDate>,
    /// The month after the last one asked for.
    pub before: Option<NaiveDate>,
    /// The past day by whose end it counts; None: today.
    pub as_of: Option<NaiveDate>,
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
    pub fn from_visit(visit: &Visit) -> Self {
        let (mut arguments, mut wrong) = (Arguments::new(visit), Vec::new());
        let offered: Vec<(&str, String)> = dimensions(visit).map(|one| (one.value, one.name(visit))).collect();
        let asked = [("by", "explore-by"), ("and", "explore-and")].map(|name| arguments.one_of(name, &offered));
        let mut by: Vec<&'static Dimension> =
            asked.into_iter().filter_map(|asked| dimensions(visit).find(|one| asked == Some(one.value))).collect();
        by.dedup();
        if by.is_empty() {
            by.extend(dimensions(visit).next());
        }
        let offered: Vec<(&str, String)> = measures(visit).map(|one| (one.value, one.name(visit))).collect();
        let asked = arguments.one_of(("measure", "explore-measure"), &offered);
        let measure = measures(visit).find(|one| asked == Some(one.value)).unwrap_or(&MEASURES[0]);
        let (mut filter, [from, before]) = filter(visit, &mut arguments, &mut wrong);
        let as_of = if is_exact(visit) { days::add(visit, &mut filter, &mut arguments) } else { None };
        let problems = arguments.problems().into_iter().chain(wrong).collect();
        Self { by, measure, filter, from, before, as_of, problems }
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
        // Groups of time are listed in chronological order.
        if !self.by.iter().any(|one| one.is_time()) {
            variables["orderBy"] = json!([{ "field": self.measure.value, "direction": "DESC" }]);
        }
        if is_exact(visit) {
            variables["asOf"] = json!(self.as_of);
        }
        for measure in measures(visit) {
            variables[measure.field] = (measure.field == "complaints" || measure == self.measure).into();
        }
        variables
    }
}

/// The filter of the arguments, its first month, and the one after its last. Whole months only: some roles read no
/// others.
fn filter(
    visit: &Visit,
    arguments: &mut Arguments<'_>,
    problems: &mut Vec<Problem>,
) -> (Map<String, Value>, [Option<NaiveDate>; 2]) {
    let mut filter = Map::new();
    if let Some(unit) = visit.argument("unit") {
        filter.insert("unitWithin".into(), unit.into());
    }
    if let Some(category) = visit.argument("category") {
        filter.insert("category".into(), json!({ "within": category }));
    }
    for (argument, words, prefix) in [
        ("kind", CategoryKind::WORDS, "numbers-kind"),
        ("channel", Channel::WORDS, "numbers-channel"),
        ("state", ComplaintState::WORDS, "state"),
    ] {
        if let Some(word) = arguments.word((argument, &format!("explore-{argument}")), words, prefix) {
            filter.insert(argument.into(), json!({ "eq": word }));
        }
    }
    let (from, until) = (arguments.month(("from", "explore-from")), arguments.month(("until", "explore-until")));
    let before = until.and_then(|until| until.checked_add_months(Months::new(1)));
    if from.zip(before).is_some_and(|(from, before)| from >= before) {
        problems.push(Problem::at_field("until", visit.t("explore-until-before-from")));
    }
    for (field, day) in [("receivedFrom", from), ("receivedBefore", before)] {
        if let Some(day) = day {
            filter.insert(field.into(), midnight(day).into());
        }
    }
    (filter, [from, before])
}
