//! The input of a backtest: the allegations against each officer by day, with their findings.

use crate::JobError;
use crate::facts::days::day_number;
use crate::facts::{AllegationFact, Facts};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::cancellation::check_cancelled;
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::enums::Finding;
use schema::tables::officers;
use schema::{Conn, Id};
use std::collections::{BTreeMap, HashMap};

/// The allegations of one complaint against one officer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Index in [`History::since`].
    pub officer: u32,
    /// Days since 1970.
    pub day: i32,
    pub enterprise: Option<u32>,
    /// Day of the first SUSTAINED finding.
    pub sustained: Option<i32>,
    /// Day of the first UNFOUNDED or EXONERATED finding; None unless all findings are one of these.
    pub cleared: Option<i32>,
    /// Day on which the complaint was withdrawn or rejected.
    pub void: Option<i32>,
}

/// The history of all officers. Days are counted from 1970.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Sorted by (officer, day).
    pub events: Vec<Event>,
    /// First day of exposure of each officer: the day of appointment, but not before the register's first day.
    pub since: Vec<i32>,
    /// Day of the latest complaint; None if there are none.
    pub last: Option<i32>,
}

impl History {
    /// Reads the history of all officers. Complaints that name the officer `except` are left out.
    ///
    /// # Errors
    /// Database errors, and `Cancelled` when the work of this thread is cancelled.
    pub fn load(conn: &mut Conn, except: Option<Id>) -> Result<Self, JobError> {
        let mut facts = Facts::load_without_workload(conn)?;
        if let Some(except) = except {
            facts.remove_naming(except);
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
        let mut allegations = facts.allegations.in_order();
        for fact in facts.counted() {
            let day = day_number(local_date(fact.received_at));
            first = first.min(day);
            last = last.max(Some(day));
            let void = is_void(fact.state).then(|| day_number(local_date(fact.state_since)));
            let enterprise = fact.enterprise_id.and_then(|id| facts.enterprises.get(&id)).map(|enterprise| {
                let next = u32::try_from(enterprises.len()).unwrap_or(u32::MAX);
                *enterprises.entry(enterprise.counts_as()).or_insert(next)
            });
            let rows: Vec<AllegationFact> = allegations.of(fact.id).collect();
            for of_officer in rows.chunk_by(|a, b| a.officer_id == b.officer_id) {
                let next = u32::try_from(places.len()).unwrap_or(u32::MAX);
                let officer = *places.entry(of_officer[0].officer_id).or_insert(next);
                let decided = |wanted: &[Finding]| {
                    of_officer
                        .iter()
                        .filter(|row| wanted.contains(&row.finding))
                        // A finding without a date is never known at an origin.
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
        for (id, index) in places {
            if let Some(Some(day)) = appointed.get(&id) {
                since[index as usize] = day_number(*day).max(first);
            }
        }
        Ok(Self { events, since, last })
    }
}
