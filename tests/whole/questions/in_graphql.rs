//! What GraphQL answers of the questions: the columns of the SQL that it has, too, and its rows of them.

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::{Json, Role};

/// A question that GraphQL answers, too.
pub struct InGraphql {
    pub name: &'static str,
    /// Who asks: flags are for the Board.
    pub role: Role,
    /// Columns of the SQL.
    pub columns: &'static [&'static str],
    /// The values of these columns in an answer of GraphQL.
    pub rows: fn(&Value) -> Vec<Vec<Value>>,
}

/// A question that `complaintStatistics` answers row by row.
const fn counted(
    name: &'static str,
    columns: &'static [&'static str],
    rows: fn(&Value) -> Vec<Vec<Value>>,
) -> InGraphql {
    InGraphql { name, role: Role::DataTeam, columns, rows }
}

pub const IN_GRAPHQL: [InGraphql; 13] = [
    counted("complaints-by-month", &["month", "kind", "complaints", "enterprises"], |data| {
        months(data, &["/month", "/kind", "/complaints", "/distinctEnterprises"])
    }),
    counted("rate-by-branch", &["branch", "complaints"], |data| groups(data, &["/branch/code", "/complaints"])),
    counted("cost-by-category", &["category_group", "complaints", "cost_vnd"], |data| {
        groups(data, &["/categoryGroup/code", "/complaints", "/costVnd"])
    }),
    counted("overdue-by-department", &["department", "complaints", "overdue"], |data| {
        groups(data, &["/department/code", "/complaints", "/overdue"])
    }),
    counted("findings", &["attribution", "finding", "officers"], |data| {
        let of = |alias: &str, attribution: &str| {
            let rows = cells(data[alias]["rows"].list(), &["/finding", "/distinctOfficers"]);
            rows.into_iter().map(|row| [vec![json!(attribution)], row].concat()).collect::<Vec<_>>()
        };
        [of("asserted", "ASSERTED"), of("confirmed", "CONFIRMED")].concat()
    }),
    counted("officers-by-enterprises", &["enterprises", "officers"], |data| {
        let mut officers = BTreeMap::new();
        for row in groups(data, &["/officer/pseudonym", "/distinctEnterprises"]) {
            *officers.entry(row[1].integer()).or_insert(0) += 1;
        }
        officers.into_iter().map(|(enterprises, officers)| vec![json!(enterprises), json!(officers)]).collect()
    }),
    InGraphql {
        name: "flags-by-tier",
        role: Role::Board,
        columns: &["subject_kind", "tier", "state", "flags", "complaints"],
        rows: |data| {
            let mut counted = BTreeMap::new();
            for flag in data["flags"]["nodes"].list() {
                let word = |field: &str| flag[field].text().to_owned();
                let (flags, complaints) = counted.entry(["subjectKind", "tier", "state"].map(word)).or_insert((0, 0));
                *flags += 1;
                *complaints += flag["evidenceIds"].list().len();
            }
            let row = |(words, (flags, complaints)): ([String; 3], (i32, usize))| -> Vec<Value> {
                words.into_iter().map(Value::from).chain([json!(flags), json!(complaints)]).collect()
            };
            counted.into_iter().map(row).collect()
        },
    },
    InGraphql {
        name: "flagged-branches",
        role: Role::Board,
        columns: &["unit", "tier", "window_days", "observed", "expected", "ratio", "ratio_lower", "ratio_upper"],
        rows: |data| {
            let of_flag = |flag: &Value| -> Vec<Vec<Value>> {
                let windows = flag["numbers"]["windows"].list().iter();
                let numbers = [
                    "/days",
                    "/adjusted/observed",
                    "/adjusted/expected",
                    "/adjusted/ratio",
                    "/adjusted/ratioLower",
                    "/adjusted/ratioUpper",
                ];
                let adjusted: Vec<Value> = windows.filter(|window| !window["adjusted"].is_null()).cloned().collect();
                let rows = cells(&adjusted, &numbers).into_iter();
                rows.map(|row| [vec![flag["unit"]["code"].clone(), flag["tier"].clone()], row].concat()).collect()
            };
            let flags = data["flags"]["nodes"].list().iter();
            flags.flat_map(of_flag).collect()
        },
    },
    counted("concentration", &["enterprises", "complaints", "of_the_tenth"], |data| {
        let mut complaints: Vec<i64> =
            groups(data, &["/enterprise/pseudonym", "/complaints"]).iter().map(|row| row[1].integer()).collect();
        complaints.sort_unstable_by(|a, b| b.cmp(a));
        let of_the_tenth: i64 = complaints.iter().take(complaints.len() / 10).sum();
        vec![vec![json!(complaints.len()), json!(complaints.iter().sum::<i64>()), json!(of_the_tenth)]]
    }),
    counted("channels", &["year", "channel", "complaints"], |data| groups(data, &["/year", "/channel", "/complaints"])),
    counted("weekdays", &["weekday", "days", "complaints"], |data| {
        let mut weekdays = BTreeMap::new();
        for row in groups(data, &["/day", "/complaints"]) {
            let day: NaiveDate = row[0].text().parse().unwrap();
            let (days, complaints) = weekdays.entry(day.weekday().number_from_monday()).or_insert((0, 0));
            *days += 1;
            *complaints += row[1].integer();
        }
        let row =
            |(weekday, (days, complaints)): (u32, (i32, i64))| vec![json!(weekday), json!(days), json!(complaints)];
        weekdays.into_iter().map(row).collect()
    }),
    counted("escalations", &["department", "complaints", "escalated"], |data| {
        groups(data, &["/department/code", "/complaints", "/escalated"])
    }),
    counted("conduct-trend", &["month", "complaints"], |data| months(data, &["/month", "/complaints"])),
];

/// The groups of `complaintStatistics` that have a value of the first column: SQL leaves out complaints without a place
/// or a category.
fn groups(data: &Value, pointers: &[&str]) -> Vec<Vec<Value>> {
    let rows = cells(data["complaintStatistics"]["rows"].list(), pointers);
    rows.into_iter().filter(|row| !row[0].is_null()).collect()
}

/// The groups of months, which are texts in GraphQL and first days in SQL.
fn months(data: &Value, pointers: &[&str]) -> Vec<Vec<Value>> {
    let mut rows = groups(data, pointers);
    for row in &mut rows {
        row[0] = json!(format!("{}-01", row[0].text()));
    }
    rows
}

fn cells(rows: &[Value], pointers: &[&str]) -> Vec<Vec<Value>> {
    let cell = |row: &Value, pointer: &str| row.pointer(pointer).cloned().unwrap_or_default();
    rows.iter().map(|row| pointers.iter().map(|pointer| cell(row, pointer)).collect()).collect()
}
