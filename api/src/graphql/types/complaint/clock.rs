//! The legal clock of a complaint: its rounds, whether it is overdue, and to whom it was escalated.

use super::Complaint;
use crate::graphql::context::snapshot;
use crate::graphql::execute::Inline;
use crate::graphql::loaders::{ClocksKey, EscalationsKey, UnitKey, loaders, one, reference_row};
use crate::graphql::types::{Escalation, Unit};
use async_graphql::{Context, Result, SimpleObject};
use chrono::NaiveDate;
use schema::domain::calendar::local_date;
use schema::domain::legal_clock::RoundClock;
use schema::models::ComplaintClock;
use schema::register::{round_clock, stops_of};
use schema::{Id, Timestamp};

/// A round of the legal clock: from receipt or from a reopening on, with a deadline of its own.
#[derive(SimpleObject)]
pub struct ComplaintRound {
    /// The number of the round, from 1.
    number: i32,
    started_on: NaiveDate,
    /// The last day to accept the complaint; null for FEEDBACK, which is not accepted.
    acceptance_due_on: Option<NaiveDate>,
    accepted_on: Option<NaiveDate>,
    /// Whether the longer term of remote areas applies.
    remote_area: bool,
    /// How often the deadline was extended, and by how many days altogether.
    extensions: i32,
    extended_days: i32,
    /// The periods in which the clock did not run, in order of time.
    stops: Vec<ClockStop>,
    /// The last day to answer; null without a deadline.
    due_on: Option<NaiveDate>,
    answered_on: Option<NaiveDate>,
}

/// A period in which the clock did not run.
#[derive(SimpleObject)]
pub struct ClockStop {
    /// The first day.
    from: NaiveDate,
    /// The day from which it ran again; null while it is stopped.
    to: Option<NaiveDate>,
}

pub(super) fn today() -> NaiveDate {
    local_date(Timestamp::now())
}

/// The stored rounds of a complaint.
///
/// # Errors
/// If the database cannot be read.
pub(super) async fn clocks_of(ctx: &Context<'_>, complaint: Id) -> Result<Vec<ComplaintClock>> {
    Ok(one(loaders(ctx)?, ClocksKey(complaint)).await?.unwrap_or_default())
}

/// The rounds of a complaint, of which there is at least one.
///
/// # Errors
/// If the database cannot be read.
pub(super) async fn rounds_of(ctx: &Context<'_>, complaint: &Complaint) -> Result<Vec<ComplaintRound>> {
    let row = &complaint.0;
    let rules = snapshot(ctx)?.reference.clock_rules.clone();
    let stored = clocks_of(ctx, row.id).await?;
    let mut rounds: Vec<ComplaintRound> = stored
        .iter()
        .map(|of| {
            let clock = round_clock(of);
            let stops = stops_of(of).into_iter().map(|stop| ClockStop { from: stop.from, to: stop.to });
            ComplaintRound {
                number: of.round,
                started_on: clock.started_on,
                acceptance_due_on: rules.acceptance_due_on(row.legal_form, &clock),
                accepted_on: of.accepted_on,
                remote_area: of.remote_area,
                extensions: of.extensions,
                extended_days: of.extended_days,
                stops: stops.collect(),
                due_on: of.due_on,
                answered_on: of.answered_on,
            }
        })
        .collect();
    if rounds.is_empty() {
        let clock = RoundClock::begun(local_date(row.received_at));
        rounds.push(ComplaintRound {
            number: 1,
            started_on: clock.started_on,
            acceptance_due_on: rules.acceptance_due_on(row.legal_form, &clock),
            accepted_on: None,
            remote_area: false,
            extensions: 0,
            extended_days: 0,
            stops: Vec::new(),
            due_on: None,
            answered_on: None,
        });
    }
    if let Some(present) = rounds.last_mut() {
        (present.due_on, present.answered_on) = (row.due_on, row.answered_on);
    }
    Ok(rounds)
}

/// The escalations of a complaint.
///
/// # Errors
/// If the database cannot be read.
pub(super) async fn escalations_of(ctx: &Context<'_>, complaint: Id) -> Result<Vec<Inline<Escalation>>> {
    let rows = one(loaders(ctx)?, EscalationsKey(complaint)).await?.unwrap_or_default();
    Ok(rows.into_iter().map(Escalation::from).map(Inline).collect())
}

/// The unit that the latest escalation of the present round names.
///
/// # Errors
/// If the database cannot be read.
pub(super) async fn escalated_to(ctx: &Context<'_>, complaint: Id) -> Result<Option<Inline<Unit>>> {
    let rows = one(loaders(ctx)?, EscalationsKey(complaint)).await?.unwrap_or_default();
    let round = clocks_of(ctx, complaint).await?.last().map_or(1, |row| row.round);
    let latest = rows.last().filter(|row| row.level > 2 * (round - 1));
    let Some(unit) = latest.and_then(|row| row.unit_id) else { return Ok(None) };
    Ok(reference_row(ctx, UnitKey(unit)).await?.map(Unit).map(Inline))
}
