//! The snapshot as of the end of a past day, by what the register knows now.
//!
//! The columns hold days for every event of a complaint except changes of state and findings. Those two come from the
//! database, if a query needs them.

use super::columns::{own_word, undecided, word};
use super::pieces::{IdHalves, ids, in_chunks_of};
use super::{Officers, Places, Snapshot, next_contents_version};
use crate::JobError;
use crate::row_by_row::for_each;
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
use schema::enums::{Attribution, ComplaintEventKind, ComplaintState, Finding};
use schema::tables::{complaint_events, complaint_officers, complaints};
use schema::{Conn, Id, JsonValue, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// The states and findings that differed at the end of a past day.
#[derive(Debug, Default)]
pub struct Earlier {
    /// The earlier state of each complaint whose state changed later; None without a recorded earlier change.
    states: Option<HashMap<IdHalves, Option<ComplaintState>>>,
    /// Findings decided later, as words of the column `named`.
    findings: Option<HashMap<IdHalves, Vec<u32>>>,
}

/// The first moment after a day.
fn end_of(day: NaiveDate) -> Timestamp {
    start_of_day(day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX))
}

impl Earlier {
    /// Reads the earlier states and the later findings, each if asked for.
    ///
    /// # Errors
    /// When the database fails; `History` when an event cannot be parsed.
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

/// The last change of state by the end of a day, for complaints whose state changed later. Only STATE_CHANGED events
/// count; corrections do not.
fn states(conn: &mut Conn, day: NaiveDate) -> Result<HashMap<IdHalves, Option<ComplaintState>>, JobError> {
    let end = end_of(day);
    let younger = || {
        complaints::table
            .filter(complaints::state_since.ge(end))
            .filter(complaints::received_at.lt(end))
            .select(complaints::id)
    };
    let mut found: HashMap<IdHalves, Option<ComplaintState>> = HashMap::new();
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
                JobError::History(format!("the state in an event of complaint {id} cannot be parsed: {e}"))
            })?;
            found.insert(id.0.as_u64_pair(), Some(state));
        }
    });
    check_cancelled()?;
    Ok(found)
}

/// The findings decided after a day, as words of the column `named`.
fn findings(conn: &mut Conn, officers: &Officers, day: NaiveDate) -> Result<HashMap<IdHalves, Vec<u32>>, JobError> {
    let mut found: HashMap<IdHalves, Vec<u32>> = HashMap::new();
    let of_officers = complaint_officers::table.filter(complaint_officers::decided_on.gt(day)).select((
        complaint_officers::complaint_id,
        complaint_officers::officer_id,
        complaint_officers::attribution,
        complaint_officers::finding,
    ));
    for_each!(conn, of_officers, (Id, Id, Attribution, Finding), |row| {
        let (id, officer, attribution, finding) = row;
        if let Some(place) = officers.place(officer) {
            found.entry(id.0.as_u64_pair()).or_default().push(word(Some(place), attribution, finding));
        }
    });
    check_cancelled()?;
    let own = complaints::table
        .filter(complaints::decided_on.gt(day))
        .filter(complaints::finding.is_not_null())
        .select((complaints::id, complaints::finding.assume_not_null()));
    for_each!(conn, own, (Id, Finding), |row| {
        found.entry(row.0.0.as_u64_pair()).or_default().push(own_word(row.1));
    });
    check_cancelled()?;
    Ok(found)
}

impl Snapshot {
    /// The snapshot with states and findings as of the end of a day (days since 1970). It still contains complaints
    /// received later; the caller filters them.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    pub fn as_of(&self, day: i32, earlier: &Earlier) -> Result<Self, JobError> {
        let mut facts = self.facts.clone();
        if let Some(states) = &earlier.states {
            facts.with_column(in_chunks_of(&self.facts, &self.states_of(day, states)?)?)?;
        }
        if let Some(findings) = &earlier.findings {
            facts.with_column(in_chunks_of(&self.facts, &self.named_of(findings)?)?)?;
        }
        // Enterprises and days of receipt are unchanged, and so are episodes.
        Ok(Self { facts, pieces: Arc::default(), contents_version: next_contents_version(), ..self.clone() })
    }

    fn states_of(&self, day: i32, earlier: &HashMap<IdHalves, Option<ComplaintState>>) -> PolarsResult<Column> {
        let now = Places::of(&self.facts, "state")?;
        let answered = self.facts.column("answered")?.i32()?;
        let rows = ids(&self.facts)?.into_iter().zip(now.iter()).zip(answered.iter());
        let states = rows.map(|((id, now), answered)| match earlier.get(&id) {
            None => now.unwrap_or(0),
            Some(Some(state)) => state.place(),
            // Imported history has answers and the end of a case, but no changes of state between.
            Some(None) if answered.is_some_and(|on| on <= day) => ComplaintState::Answered.place(),
            Some(None) => ComplaintState::Received.place(),
        });
        Ok(Series::new("state".into(), states.collect::<Vec<u32>>()).into_column())
    }

    fn named_of(&self, later: &HashMap<IdHalves, Vec<u32>>) -> PolarsResult<Column> {
        let named = self.facts.column("named")?.list()?;
        let mut builder =
            ListPrimitiveChunkedBuilder::<UInt32Type>::new("named".into(), named.len(), named.len(), DataType::UInt32);
        let mut own: Vec<u32> = Vec::new();
        for (id, words) in ids(&self.facts)?.into_iter().zip(named.amortized_iter()) {
            own.clear();
            if let Some(words) = words {
                own.extend(words.as_ref().u32()?.iter().flatten());
            }
            for later in later.get(&id).into_iter().flatten() {
                // Two allegations against one officer with the same attribution and finding are interchangeable.
                if let Some(place) = own.iter().position(|word| word == later) {
                    own[place] = undecided(*later);
                }
            }
            builder.append_slice(&own);
        }
        Ok(builder.finish().into_column())
    }
}
