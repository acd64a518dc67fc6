//! Conditions on complaints as SQL over the tables of a lake.
//!
//! They are true or false for each complaint, and never null: a negation then selects what the other leaves. What needs
//! the allegations of a complaint is joined as a list of complaints, because engines differ in the subqueries that they
//! take in a condition.

use crate::snapshot::{ColumnCondition, Comparison, IndexColumn, IndexList, Nullable, Snapshot};
use crate::statistics::{Allegations, date};
use schema::Timestamp;
use schema::domain::calendar::{local_date, start_of_day};
use schema::enums::{Attribution, Finding};
use schema::pseudonyms::{Pseudonyms, Subject};
use std::fmt::Write;
use std::iter::once;

/// A condition on a complaint.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Columns(ColumnCondition),
    /// An allegation of the complaint, or the complaint's own finding, meets all of these limits.
    Allegation(Allegations),
    /// All of these are true.
    All(Vec<Self>),
    /// The complaint meets at least one of these conditions.
    Any(Vec<Self>),
    /// The other is not true.
    Not(Box<Self>),
}

impl Default for Condition {
    /// Every complaint.
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// The codes, words and pseudonyms of a lake: what an index of the snapshot is called there.
#[derive(Clone, Copy)]
pub struct Named<'a> {
    pub snapshot: &'a Snapshot,
    pub pseudonyms: &'a Pseudonyms,
}

impl Named<'_> {
    /// The texts that a place may have in a column. An enterprise has several: which of those that count as one gives
    /// its name to all depends on those that the register knew at the last sync.
    fn texts(self, column: IndexColumn, index: u32) -> Vec<String> {
        let reference = &self.snapshot.reference;
        let at = index as usize;
        let one = match column.list() {
            IndexList::Units => reference.units.get(at).map(|unit| unit.code.clone()),
            IndexList::Categories => reference.categories.get(at).map(|category| category.code.clone()),
            IndexList::Words(words) => words.get(at).map(|word| (*word).to_owned()),
            IndexList::Enterprises => {
                let all = self.snapshot.enterprises.in_order().filter(|(_, other)| *other == index);
                return all.map(|(id, _)| self.pseudonyms.of(Subject::Enterprise, id)).collect();
            }
        };
        one.into_iter().collect()
    }

    /// The pseudonym of the officer at a place.
    pub(super) fn officer(self, index: u32) -> Option<String> {
        Some(self.pseudonyms.of(Subject::Officer, self.snapshot.officers.at(index)?))
    }
}

/// Writes conditions, and notes what they have to be joined with.
pub(super) struct Writer<'a> {
    named: Named<'a>,
    /// Queries of complaints, which the joins of [`Self::joins`] name `s0`, `s1`, ….
    lists: Vec<String>,
}

impl<'a> Writer<'a> {
    pub fn new(named: Named<'a>) -> Self {
        Self { named, lists: Vec::new() }
    }

    /// The joins that the conditions written so far need, after `complaints c`.
    pub fn joins(&self) -> String {
        let mut sql = String::new();
        for (at, list) in self.lists.iter().enumerate() {
            let _infallible = write!(sql, " LEFT JOIN ({list}) s{at} ON s{at}.complaint = c.complaint");
        }
        sql
    }

    pub fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Columns(columns) => self.columns(columns),
            Condition::Allegation(limits) => {
                let Some(met) = allegation(limits, self.named) else { return "TRUE".to_owned() };
                let list =
                    format!("SELECT a.complaint AS complaint FROM allegations a WHERE {met} GROUP BY a.complaint");
                let own = own_finding(limits).map(|own| format!(" OR {own}")).unwrap_or_default();
                format!("({}{own})", self.listed(list))
            }
            Condition::All(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.condition(part)).collect();
                joined(&parts, "AND", "TRUE")
            }
            Condition::Any(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.condition(part)).collect();
                joined(&parts, "OR", "FALSE")
            }
            Condition::Not(part) => format!("NOT ({})", self.condition(part)),
        }
    }

    /// The condition that a complaint is in a list.
    fn listed(&mut self, list: String) -> String {
        let at = self.lists.iter().position(|other| *other == list).unwrap_or_else(|| {
            self.lists.push(list);
            self.lists.len() - 1
        });
        format!("s{at}.complaint IS NOT NULL")
    }

    fn columns(&mut self, condition: &ColumnCondition) -> String {
        match condition {
            ColumnCondition::Constant(true) => "TRUE".to_owned(),
            ColumnCondition::Constant(false) => "FALSE".to_owned(),
            ColumnCondition::All(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.columns(part)).collect();
                joined(&parts, "AND", "TRUE")
            }
            ColumnCondition::Any(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.columns(part)).collect();
                joined(&parts, "OR", "FALSE")
            }
            ColumnCondition::Not(part) => format!("NOT ({})", self.columns(part)),
            ColumnCondition::Place(column, index) => self.places(*column, once(*index)),
            ColumnCondition::OneOf(column, chosen) => {
                let places = (0..).zip(chosen).filter(|(_, chosen)| **chosen).map(|(index, _)| index);
                self.places(*column, places)
            }
            ColumnCondition::Same(one, other) => {
                let (one, other) = (one.name(), other.name());
                format!("(c.{one} IS NOT NULL AND c.{other} IS NOT NULL AND c.{one} = c.{other})")
            }
            ColumnCondition::Null(column) => format!("c.{} IS NULL", nullable(*column)),
            ColumnCondition::Received(comparison) => received(comparison),
            ColumnCondition::Cost(comparison) => {
                let compared = compared("c.cost_vnd", comparison, i64::to_string);
                format!("(c.cost_vnd IS NOT NULL AND {compared})")
            }
            ColumnCondition::Delay(comparison) => {
                let compared = compared("c.delay_hours", comparison, |hours| format!("CAST('{hours:e}' AS DOUBLE)"));
                format!("(c.delay_hours IS NOT NULL AND {compared})")
            }
            ColumnCondition::Answered(comparison) => {
                let compared = compared("c.answered_on", comparison, |day| sql_day(*day));
                format!("(c.answered_on IS NOT NULL AND {compared})")
            }
            ColumnCondition::Blames => "c.blames_system".to_owned(),
            ColumnCondition::Confidential => "c.confidential".to_owned(),
            ColumnCondition::Names(officer) => match self.named.officer(*officer) {
                None => "FALSE".to_owned(),
                Some(name) => self.listed(format!(
                    "SELECT a.complaint AS complaint FROM allegations a WHERE a.officer = {} GROUP BY a.complaint",
                    text(&name)
                )),
            },
        }
    }

    fn places(&self, column: IndexColumn, places: impl Iterator<Item = u32>) -> String {
        let texts: Vec<String> =
            places.flat_map(|index| self.named.texts(column, index)).map(|value| text(&value)).collect();
        if texts.is_empty() {
            return "FALSE".to_owned();
        }
        let name = column.name();
        format!("(c.{name} IS NOT NULL AND c.{name} IN ({}))", texts.join(", "))
    }
}

/// The condition on a row `a` of `allegations`; None if there is no limit.
pub(super) fn allegation(limits: &Allegations, named: Named<'_>) -> Option<String> {
    let Allegations { officers, findings, attributions } = limits;
    let among = |column: &str, texts: Vec<String>| match texts.as_slice() {
        [] => "FALSE".to_owned(),
        texts => format!("a.{column} IN ({})", texts.join(", ")),
    };
    let words = |places: &[u32], words: &[&str]| -> Vec<String> {
        places.iter().filter_map(|index| words.get(*index as usize)).map(|word| text(word)).collect()
    };
    let mut all = Vec::new();
    if let Some(places) = officers {
        let names = places.iter().filter_map(|index| named.officer(*index)).map(|name| text(&name)).collect();
        all.push(among("officer", names));
    }
    all.extend(findings.as_ref().map(|places| among("finding", words(places, Finding::WORDS))));
    all.extend(attributions.as_ref().map(|places| among("attribution", words(places, Attribution::WORDS))));
    (!all.is_empty()).then(|| all.join(" AND "))
}

/// The condition that a complaint `c` names no officer, and its own finding meets the limits: it is against no officer
/// and has no attribution. None if no such complaint meets them.
pub(super) fn own_finding(limits: &Allegations) -> Option<String> {
    if limits.officers.is_some() || limits.attributions.is_some() {
        return None;
    }
    let Some(places) = &limits.findings else { return Some("c.finding IS NOT NULL".to_owned()) };
    let words: Vec<String> =
        places.iter().filter_map(|index| Finding::WORDS.get(*index as usize)).map(|word| text(word)).collect();
    (!words.is_empty()).then(|| format!("(c.finding IS NOT NULL AND c.finding IN ({}))", words.join(", ")))
}

fn nullable(column: Nullable) -> &'static str {
    match column {
        Nullable::Place(column) => column.name(),
        Nullable::Cost => "cost_vnd",
        Nullable::Delay => "delay_hours",
        Nullable::Answered => "answered_on",
        Nullable::Ended => "ended_on",
    }
}

/// A comparison of the time of receipt. At the start of a local day it is one of days, by which engines skip months.
fn received(comparison: &Comparison<i64>) -> String {
    let day = |micros: i64| {
        let at = Timestamp::from_micros(micros)?;
        let day = local_date(at);
        (start_of_day(day) == at).then_some(day)
    };
    let by_day = match comparison {
        Comparison::AtLeast(micros) => day(*micros).map(|day| format!("c.received_on >= DATE '{day}'")),
        Comparison::Below(micros) => day(*micros).map(|day| format!("c.received_on < DATE '{day}'")),
        _ => None,
    };
    by_day.unwrap_or_else(|| compared("c.received_at", comparison, |micros| instant(*micros)))
}

/// An instant in SQL.
fn instant(micros: i64) -> String {
    let at = Timestamp::from_micros(micros.clamp(FIRST, LAST));
    let at = at.map(|at| at.utc().format("%Y-%m-%d %H:%M:%S%.6fZ").to_string()).unwrap_or_default();
    format!("TIMESTAMP '{at}'")
}

/// A day in SQL.
fn sql_day(day: i32) -> String {
    const DAY: i64 = 86_400_000_000;
    let days = |micros: i64| i32::try_from(micros / DAY).unwrap_or_default();
    format!("DATE '{}'", date(day.clamp(days(FIRST), days(LAST))))
}

/// 1900-01-01 and 2200-01-01: the register takes times from 1970 to tomorrow, and engines count nanoseconds from 1677
/// to 2262.
const FIRST: i64 = -2_208_988_800_000_000;
const LAST: i64 = 7_258_118_400_000_000;

fn compared<T>(column: &str, comparison: &Comparison<T>, value: impl Fn(&T) -> String) -> String {
    let with = |operator: &str, other: &T| format!("{column} {operator} {}", value(other));
    match comparison {
        Comparison::Is(other) => with("=", other),
        Comparison::IsNot(other) => with("<>", other),
        Comparison::OneOf(others) if others.is_empty() => "FALSE".to_owned(),
        Comparison::OneOf(others) => {
            let values: Vec<String> = others.iter().map(&value).collect();
            format!("{column} IN ({})", values.join(", "))
        }
        Comparison::Above(other) => with(">", other),
        Comparison::AtLeast(other) => with(">=", other),
        Comparison::Below(other) => with("<", other),
        Comparison::AtMost(other) => with("<=", other),
    }
}

fn joined(parts: &[String], by: &str, without: &str) -> String {
    match parts {
        [] => without.to_owned(),
        [only] => only.clone(),
        several => format!("({})", several.join(&format!(" {by} "))),
    }
}

/// A text in SQL.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
