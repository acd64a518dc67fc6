//! The complaints that a flag rests on, as a reader reads them.

use crate::web::views::conditions::word;
use crate::web::{Cell, Table, Visit, name, nodes, text};
use chrono::{DateTime, NaiveDate};
use chrono_tz::Asia::Ho_Chi_Minh;
use schema::domain::tax_code::enterprise_of;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub const EVIDENCE: &str = include_str!("../../queries/flags-evidence.graphql");

/// A complaint of the evidence.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    reference: String,
    href: String,
    /// The day received, as the reader writes it.
    day: String,
    unit: String,
    enterprise: String,
    category: String,
    attribution: String,
    finding: String,
    text: Option<String>,
    /// Whether it came after the last decision about the flag.
    is_new: bool,
    /// The address of the numbers without its enterprise; None if they are not offered.
    without: Option<String>,
    /// None for an anonymous complaint.
    #[serde(skip)]
    tax_code: Option<String>,
    #[serde(skip)]
    received: Option<NaiveDate>,
    #[serde(skip)]
    confirmed: bool,
    /// The key as which the statistic counts the enterprise; None for an anonymous complaint.
    #[serde(skip)]
    counts_as: Option<String>,
}

/// The complaints of the answer, the latest first. `officer` is the code of the flagged one; None for a branch.
pub fn evidence(visit: &Visit, complaints: &Value, officer: Option<&str>, new: &[&str]) -> Vec<Shown> {
    nodes(complaints).map(|complaint| template_row(visit, complaint, officer, new)).collect()
}

fn template_row(visit: &Visit, complaint: &Value, officer: Option<&str>, new: &[&str]) -> Shown {
    let allegations = complaint["officers"].as_array().map(Vec::as_slice).unwrap_or_default();
    // A complaint may name several officers: this is its allegation against this one.
    let own = allegations.iter().find(|one| officer.is_some() && one["officer"]["code"].as_str() == officer);
    let allegation = own.or_else(|| allegations.first()).unwrap_or(&Value::Null);
    let category = [&allegation["category"], &complaint["category"]].into_iter().find(|one| !one.is_null());
    let finding = [&allegation["finding"], &complaint["finding"]].into_iter().find(|one| !one.is_null());
    let enterprise = &complaint["enterprise"];
    let tax_code = enterprise["taxCode"].as_str();
    let id = text(&complaint["id"]);
    Shown {
        reference: text(&complaint["reference"]).to_owned(),
        href: format!("/complaints/{id}"),
        day: visit.date(&complaint["receivedAt"]),
        unit: name(&complaint["unit"], visit.locale()).to_owned(),
        enterprise: match tax_code {
            None => visit.t("flags-anonymous-complaint"),
            Some(code) => match text(&enterprise["name"]) {
                "" => code.to_owned(),
                name => format!("{name} ({code})"),
            },
        },
        category: category.map(|category| name(category, visit.locale()).to_owned()).unwrap_or_default(),
        attribution: word(visit, "flags-attribution", &allegation["attribution"]),
        finding: finding.map(|finding| word(visit, "flags-finding", finding)).unwrap_or_default(),
        text: complaint["text"].as_str().map(str::to_owned),
        is_new: new.contains(&id),
        without: None,
        tax_code: tax_code.map(str::to_owned),
        received: received_on(&complaint["receivedAt"]),
        confirmed: allegation["attribution"] == "CONFIRMED",
        counts_as: tax_code.map(|code| counts_as(code, enterprise["groupCode"].as_str())),
    }
}

/// Adds the addresses of the numbers without the enterprise of each complaint.
pub fn offer_without(visit: &Visit, complaints: &mut [Shown]) {
    for one in complaints {
        let link = |code: &str| visit.link(&[("without", Some(code)), ("derive", None)]);
        one.without = one.tax_code.as_deref().map(|code| format!("{}#without", link(code)));
    }
}

/// The enterprise of a tax code as the evidence shows it; the tax code itself if no complaint shown here is by it.
pub fn enterprise_of_code(complaints: &[Shown], tax_code: &str) -> String {
    let by_it = complaints.iter().find(|one| one.tax_code.as_deref() == Some(tax_code));
    by_it.map_or_else(|| tax_code.to_owned(), |one| one.enterprise.clone())
}

/// The key as which the statistic counts an enterprise: its group, else the enterprise whose branch it is.
fn counts_as(tax_code: &str, group: Option<&str>) -> String {
    group.map_or_else(|| enterprise_of(tax_code).to_owned(), |group| format!("group:{group}"))
}

/// The day of a moment in Vietnam.
pub fn received_on(moment: &Value) -> Option<NaiveDate> {
    Some(DateTime::parse_from_rfc3339(moment.as_str()?).ok()?.with_timezone(&Ho_Chi_Minh).date_naive())
}

/// The complaints of one enterprise within a few days, which count as one.
#[derive(Debug)]
pub struct Episode<'e> {
    pub day: NaiveDate,
    pub enterprise: &'e str,
    /// None for an anonymous complaint, which is an episode of its own.
    counts_as: Option<&'e str>,
    pub complaints: usize,
    pub confirmed: bool,
}

/// Complaints so long after the first one still belong to its episode, for readers who may not read the rules of a run.
const EPISODE_DAYS: i64 = 7;

/// The days of an episode by the rules of a run.
pub fn episode_days(rules: &Value) -> i64 {
    rules["episode_days"].as_i64().unwrap_or(EPISODE_DAYS)
}

/// The episodes of complaints, the earliest first. Complaints up to `days` after the first one belong to its episode.
pub fn episodes(complaints: &[Shown], days: i64) -> Vec<Episode<'_>> {
    let mut dated: Vec<(NaiveDate, &Shown)> =
        complaints.iter().filter_map(|complaint| Some((complaint.received?, complaint))).collect();
    dated.sort_by_key(|(day, _)| *day);
    let mut found: Vec<Episode<'_>> = Vec::new();
    for (day, complaint) in dated {
        let counts_as = complaint.counts_as.as_deref();
        let same = |episode: &&mut Episode<'_>| {
            counts_as.is_some() && episode.counts_as == counts_as && (day - episode.day).num_days() <= days
        };
        match found.iter_mut().find(same) {
            Some(episode) => {
                episode.complaints += 1;
                episode.confirmed |= complaint.confirmed;
            }
            None => found.push(Episode {
                day,
                enterprise: &complaint.enterprise,
                counts_as,
                complaints: 1,
                confirmed: complaint.confirmed,
            }),
        }
    }
    found
}

/// The only enterprise with this many episodes; None if there are several or none.
pub fn enterprise_with(episodes: &[Episode<'_>], count: i64) -> Option<String> {
    let mut counts: BTreeMap<&str, (i64, &str)> = BTreeMap::new();
    for episode in episodes {
        if let Some(code) = episode.counts_as {
            counts.entry(code).or_insert((0, episode.enterprise)).0 += 1;
        }
    }
    let mut fitting = counts.values().filter(|(of_one, _)| *of_one == count);
    let (first, second) = (fitting.next()?, fitting.next());
    second.is_none().then(|| first.1.to_owned())
}

/// The evidence as a table, for files.
pub fn table(visit: &Visit, complaints: &[Shown]) -> Table {
    let columns = ["reference", "day", "unit", "enterprise", "category", "attribution", "finding", "text"];
    let columns = columns.map(|column| visit.t(&format!("flags-{column}")));
    let rows = complaints.iter().map(|one| {
        vec![
            Cell::link(&*one.reference, &*one.href),
            Cell::day(one.received, &*one.day),
            Cell::text(&*one.unit),
            Cell::text(&*one.enterprise),
            Cell::text(&*one.category),
            Cell::text(&*one.attribution),
            Cell::text(&*one.finding),
            Cell::text(one.text.as_deref().unwrap_or_default()),
        ]
    });
    Table::new("evidence", visit.t("flags-evidence"), &columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Datelike;

    fn of(enterprise: Option<&str>, day: u32) -> Shown {
        Shown {
            reference: String::new(),
            href: String::new(),
            day: String::new(),
            unit: String::new(),
            enterprise: enterprise.unwrap_or("–").to_owned(),
            category: String::new(),
            attribution: String::new(),
            finding: String::new(),
            text: None,
            is_new: false,
            without: None,
            tax_code: enterprise.map(str::to_owned),
            received: NaiveDate::from_ymd_opt(2026, 3, day),
            confirmed: false,
            counts_as: enterprise.map(str::to_owned),
        }
    }

    #[test]
    fn complaints_of_one_enterprise_within_a_week_are_one_episode() {
        let all = [of(Some("a"), 9), of(Some("a"), 1), of(Some("a"), 8), of(None, 1), of(None, 1), of(Some("b"), 2)];
        let found = episodes(&all, EPISODE_DAYS);
        let days: Vec<_> = found.iter().map(|one| (one.day.day(), one.counts_as, one.complaints)).collect();
        assert_eq!(days, [(1, Some("a"), 2), (1, None, 1), (1, None, 1), (2, Some("b"), 1), (9, Some("a"), 1)]);
        assert_eq!(enterprise_with(&found, 2), Some("a".into()));
        assert_eq!(enterprise_with(&found, 1), Some("b".into()));
        assert_eq!(enterprise_with(&found, 3), None);
        let two = [of(Some("a"), 1), of(Some("b"), 1)];
        assert_eq!(enterprise_with(&episodes(&two, EPISODE_DAYS), 1), None, "which of the two");
        let by_rules = episodes(&all, episode_days(&serde_json::json!({ "episode_days": 8 })));
        assert_eq!(by_rules.iter().filter(|one| one.counts_as == Some("a")).count(), 1);
        assert_eq!(episode_days(&Value::Null), EPISODE_DAYS);
    }

    #[test]
    fn an_enterprise_is_named_as_the_evidence_names_it() {
        let mut all = [of(None, 1), of(Some("0314409058"), 2)];
        "Công ty B (0314409058)".clone_into(&mut all[1].enterprise);
        assert_eq!(enterprise_of_code(&all, "0314409058"), "Công ty B (0314409058)");
        assert_eq!(enterprise_of_code(&all, "0100233488"), "0100233488", "of the same group, or not shown");
    }

    #[test]
    fn branches_and_groups_count_as_one_enterprise() {
        assert_eq!(counts_as("0314409058-002", None), counts_as("0314409058", None));
        assert_eq!(counts_as("0314409058", Some("G1")), counts_as("0100233488", Some("G1")));
        assert_ne!(counts_as("0314409058", Some("G1")), counts_as("0314409058", None));
    }
}
