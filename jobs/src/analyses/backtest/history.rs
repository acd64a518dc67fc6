//! What a backtest is made of: who was complained about when, and what became of it.

use crate::JobError;
use crate::facts::Facts;
use crate::facts::frames::day_number;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::cancellation::check_cancelled;
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::enums::Finding;
use schema::tables::officers;
use schema::{Conn, Id};
use std::collections::{BTreeMap, HashMap};

/// An allegation, once for each officer and complaint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    pub officer: u32,
    /// Days since 1970.
    pub day: i32,
    pub enterprise: Option<u32>,
    /// The day from which it is known to be sustained.
    pub sustained: Option<i32>,
    /// The day from which it is known to be unfounded, or the officer exonerated.
    pub cleared: Option<i32>,
    /// The day on which it was withdrawn or rejected.
    pub void: Option<i32>,
}

/// What a backtest is made of.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In the order of (officer, day).
    pub events: Vec<Event>,
    /// The first day of exposure of each officer: appointed then, or the register's first day.
    pub since: Vec<i32>,
    /// The day of the latest complaint of anybody; None where there is no complaint.
    pub last: Option<i32>,
}

impl History {
    /// Reads what is known of all officers, without complaints that name one of them.
    pub fn load(conn: &mut Conn, except: Option<Id>) -> Result<Self, JobError> {
        let mut facts = Facts::load(conn)?;
        if let Some(except) = except {
            facts.forget_what_names(except);
        }
        check_cancelled()?;
        let appointed: HashMap<Id, Option<NaiveDate>> = officers::table
            .select((officers::id, officers::appointed_on))
            .load::<(Id, Option<NaiveDate>)>(conn)?
            .into_iter()
            .collect();
        let mut places: BTreeMap<Id, u32> = BTreeMap::new();
        let mut enterprises: HashMap<String, u32> = HashMap::new();
        let mut events = Vec::new();
        let mut first = i32::MAX;
        let mut last = None;
        for fact in &facts.complaints {
            let day = day_number(local_date(fact.received_at));
            first = first.min(day);
            last = last.max(Some(day));
            let void = is_void(fact.state).then(|| day_number(local_date(fact.state_since)));
            let enterprise = fact.enterprise_id.and_then(|id| facts.enterprises.get(&id)).map(|enterprise| {
                let next = u32::try_from(enterprises.len()).unwrap_or(u32::MAX);
                *enterprises.entry(enterprise.counts_as()).or_insert(next)
            });
            let rows = facts.allegations.get(&fact.id).map_or(&[][..], Vec::as_slice);
            for of_officer in rows.chunk_by(|a, b| a.officer_id == b.officer_id) {
                let next = u32::try_from(places.len()).unwrap_or(u32::MAX);
                let officer = *places.entry(of_officer[0].officer_id).or_insert(next);
                let decided = |wanted: &[Finding]| {
                    of_officer
                        .iter()
                        .filter(|row| wanted.contains(&row.finding))
                        // Decided at an unknown time: known from the end of all days.
                        .map(|row| row.decided_on.map_or(i32::MAX, day_number))
                        .min()
                };
                let sustained = decided(&[Finding::Sustained]);
                let all_cleared =
                    of_officer.iter().all(|row| matches!(row.finding, Finding::Unfounded | Finding::Exonerated));
                let cleared = if all_cleared { decided(&[Finding::Unfounded, Finding::Exonerated]) } else { None };
                events.push(Event { officer, day, enterprise, sustained, cleared, void });
            }
        }
        events.sort_by_key(|event| (event.officer, event.day));
        let mut since = vec![first; places.len()];
        for (id, place) in places {
            if let Some(Some(day)) = appointed.get(&id) {
                since[place as usize] = day_number(*day).max(first);
            }
        }
        Ok(Self { events, since, last })
    }
}
