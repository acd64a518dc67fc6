//! The snapshot as of a past day: what had happened by its end, as the register knows it now.
//!
//! The columns hold days for all that happens to a complaint but its steps from state to state and what was found, which count
//! from the day on which they were decided. These two are read where they are asked for.

use super::columns::word;
use super::{Officers, Snapshot, for_each, meaning, state_place};
use crate::JobError;
use chrono::{Days, NaiveDate};
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use polars::prelude::{
    Column, DataType, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, NamedFrom, PolarsResult, Series,
    UInt32Type,
};
use schema::db::cancellation::check_cancelled;
use schema::domain::calendar::start_of_day;
use schema::enums::{ComplaintEventKind, ComplaintState, Finding};
use schema::tables::{complaint_events, complaint_officers, complaints};
use schema::{Conn, Id, JsonValue, Timestamp};
use std::collections::HashMap;

type Halves = (u64, u64);

/// What was otherwise on a day than it is now.
#[derive(Debug, Default)]
pub struct Earlier {
    /// The state of a complaint whose state is younger; None where the register knows of no step before.
    states: Option<HashMap<Halves, Option<ComplaintState>>>,
    /// What was not found yet, of an officer's place or of the complaint itself.
    findings: Option<HashMap<Halves, Vec<u32>>>,
}

/// The first moment that does not belong to a day any more.
fn end_of(day: NaiveDate) -> Timestamp {
    start_of_day(day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX))
}

impl Earlier {
    /// Reads what is asked for: states, and findings.
    ///
    /// # Errors
    /// Where the database fails, or an event does not read.
    pub fn read(
        conn: &mut Conn,
        officers: &Officers,
        day: NaiveDate,
        states: bool,
        findings: bool,
    ) -> Result<Self, JobError> {
        Ok(Self {
            states: if states { Some(self::states(conn, day)?) } else { None },
            findings: if findings { Some(self::findings(conn, officers, day)?) } else { None },
        })
    }
}

/// The last step that was taken by the end of a day. What a correction took back is known not to have been: only steps count.
fn states(conn: &mut Conn, day: NaiveDate) -> Result<HashMap<Halves, Option<ComplaintState>>, JobError> {
    let end = end_of(day);
    let younger = || {
        complaints::table
            .filter(complaints::state_since.ge(end))
            .filter(complaints::received_at.lt(end))
            .select(complaints::id)
    };
    let mut found: HashMap<Halves, Option<ComplaintState>> = HashMap::new();
    for_each!(conn, younger(), Id, |id| {
        found.insert(id.0.as_u64_pair(), None);
    });
    check_cancelled()?;
    let steps = complaint_events::table
        .filter(complaint_events::kind.eq(ComplaintEventKind::StateChanged))
        .filter(complaint_events::effective_at.lt(end))
        .filter(complaint_events::complaint_id.eq_any(younger()))
        .order((complaint_events::position, complaint_events::ordinal))
        .select((complaint_events::complaint_id, complaint_events::after));
    for_each!(conn, steps, (Id, Option<JsonValue>), |step| {
        let (id, after) = step;
        if let Some(state) = after.as_ref().and_then(|after| after.0.get("state")) {
            let state = serde_json::from_value(state.clone()).map_err(|e| {
                JobError::History(format!("the state in an event of complaint {id} does not read: {e}"))
            })?;
            found.insert(id.0.as_u64_pair(), Some(state));
        }
    });
    check_cancelled()?;
    Ok(found)
}

/// What was decided only after a day, as words of the column `named`.
fn findings(conn: &mut Conn, officers: &Officers, day: NaiveDate) -> Result<HashMap<Halves, Vec<u32>>, JobError> {
    let mut found: HashMap<Halves, Vec<u32>> = HashMap::new();
    let of_officers = complaint_officers::table.filter(complaint_officers::decided_on.gt(day)).select((
        complaint_officers::complaint_id,
        complaint_officers::officer_id,
        complaint_officers::finding,
    ));
    for_each!(conn, of_officers, (Id, Id, Finding), |row| {
        let (id, officer, finding) = row;
        if let Some(place) = officers.place(officer) {
            found.entry(id.0.as_u64_pair()).or_default().push(word(Some(place), finding));
        }
    });
    check_cancelled()?;
    let own = complaints::table
        .filter(complaints::decided_on.gt(day))
        .filter(complaints::finding.is_not_null())
        .select((complaints::id, complaints::finding.assume_not_null()));
    for_each!(conn, own, (Id, Finding), |row| {
        found.entry(row.0.0.as_u64_pair()).or_default().push(word(None, row.1));
    });
    check_cancelled()?;
    Ok(found)
}

impl Snapshot {
    /// The same complaints with what they were by the end of a day (days since 1970). Those received later are still in it.
    ///
    /// # Errors
    /// Where its columns cannot be read.
    pub fn as_of(&self, day: i32, earlier: &Earlier) -> Result<Self, JobError> {
        let mut facts = self.facts.clone();
        if let Some(states) = &earlier.states {
            facts.with_column(self.states_of(day, states)?)?;
        }
        if let Some(findings) = &earlier.findings {
            facts.with_column(self.named_of(findings)?)?;
        }
        // Who complained when is the same: episodes are, too.
        Ok(Self { facts, ..self.clone() })
    }

    fn ids(&self) -> PolarsResult<Vec<Halves>> {
        let (high, low) = (self.facts.column("id_high")?.u64()?, self.facts.column("id_low")?.u64()?);
        Ok(high.iter().zip(low.iter()).map(|(high, low)| (high.unwrap_or(0), low.unwrap_or(0))).collect())
    }

    fn states_of(&self, day: i32, earlier: &HashMap<Halves, Option<ComplaintState>>) -> PolarsResult<Column> {
        let now = self.facts.column("state")?.u32()?;
        let answered = self.facts.column("answered")?.i32()?;
        let rows = self.ids()?.into_iter().zip(now.iter()).zip(answered.iter());
        let states = rows.map(|((id, now), answered)| match earlier.get(&id) {
            None => now.unwrap_or(0),
            Some(Some(state)) => state_place(*state),
            // Imported history has the answers and the end of a case, and no steps between.
            Some(None) if answered.is_some_and(|on| on <= day) => state_place(ComplaintState::Answered),
            Some(None) => state_place(ComplaintState::Received),
        });
        Ok(Series::new("state".into(), states.collect::<Vec<u32>>()).into_column())
    }

    fn named_of(&self, later: &HashMap<Halves, Vec<u32>>) -> PolarsResult<Column> {
        let named = self.facts.column("named")?.list()?;
        let mut builder =
            ListPrimitiveChunkedBuilder::<UInt32Type>::new("named".into(), named.len(), named.len(), DataType::UInt32);
        let mut own: Vec<u32> = Vec::new();
        for (id, words) in self.ids()?.into_iter().zip(named.amortized_iter()) {
            own.clear();
            if let Some(words) = words {
                own.extend(words.as_ref().u32()?.iter().flatten());
            }
            for later in later.get(&id).into_iter().flatten() {
                // Of two allegations against one officer with the same finding each stands for the other.
                if let Some(place) = own.iter().position(|word| word == later) {
                    own[place] = word(meaning(*later).0, Finding::Pending);
                }
            }
            builder.append_slice(&own);
        }
        Ok(builder.finish().into_column())
    }
}
