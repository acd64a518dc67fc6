//! Scorecards of units and officers.

use crate::graphql::scalars::{Decimal, Moment};
use async_graphql::SimpleObject;
use jobs::analyses::scorecard;
use jobs::snapshot::Snapshot;

/// Complaints that a unit or one below it has to answer, or complaints about an officer, computed from the snapshot.
#[derive(SimpleObject)]
pub struct Scorecard {
    /// The time of the snapshot.
    pub as_of: Moment,
    /// The position of the register that the snapshot holds.
    pub position: i64,
    /// Length of the window in days; it ends on the day asked for, or today. Null for the whole history.
    pub days: Option<i32>,
    /// Complaints received, of any kind.
    pub complaints: u32,
    /// Episodes: complaints about conduct that were not withdrawn or rejected. Those of one enterprise within a
    /// week count as one.
    pub episodes: u32,
    /// Enterprises that complained. Enterprises of one group count as one; anonymous complaints count as none.
    pub distinct_enterprises: u32,
    /// Sum of the costs that the enterprises stated, in VND.
    pub cost_vnd: Decimal,
    /// Sum of the delays that the enterprises stated, in hours.
    pub delay_hours: f64,
    /// Complaints whose deadline has passed. A complaint withdrawn or rejected without an answer is left out.
    pub due: u32,
    /// Complaints of `due` that were answered by their deadline.
    pub answered_in_time: u32,
    /// `answeredInTime` / `due`, from 0 to 1; null if `due` is 0.
    pub share_answered_in_time: Option<f64>,
    /// Median days to the first response (Kaplan and Meier; complaints without a response are censored); null
    /// if the estimate never reaches half.
    pub median_days_to_response: Option<f64>,
    /// Complaints not closed, withdrawn or rejected.
    pub open: u32,
    /// Open complaints without an answer whose deadline has passed.
    pub overdue: u32,
    /// The share of complaints that still wait for a first response, after each number of days with one (Kaplan and
    /// Meier; complaints without a response are censored).
    pub waiting: Vec<WaitingStep>,
    /// The days that the complaints without a response have waited, each number once, in order.
    pub still_waiting_days: Vec<i32>,
}

/// A step of the curve of waiting times.
#[derive(SimpleObject)]
pub struct WaitingStep {
    /// Days since receipt.
    pub days: f64,
    /// The share that still waits after them, from 0 to 1.
    pub share: f64,
}

impl Scorecard {
    pub fn new(snapshot: &Snapshot, days: Option<i32>, card: &scorecard::Scorecard) -> Self {
        Self {
            as_of: snapshot.as_of.into(),
            position: snapshot.position,
            days,
            complaints: card.handled.complaints,
            episodes: card.episodes,
            distinct_enterprises: card.distinct_enterprises,
            cost_vnd: Decimal(card.cost_vnd),
            delay_hours: card.delay_hours,
            due: card.handled.due,
            answered_in_time: card.handled.in_time,
            share_answered_in_time: card.handled.share_in_time(),
            median_days_to_response: card.handled.median_days,
            open: card.handled.open,
            overdue: card.handled.overdue,
            waiting: card.waiting.iter().map(|(days, share)| WaitingStep { days: *days, share: *share }).collect(),
            still_waiting_days: card.still_waiting.clone(),
        }
    }
}
