use crate::graphql::scalars::{Decimal, Moment};
use async_graphql::SimpleObject;
use jobs::analyses::scorecard;
use jobs::snapshot::Snapshot;

/// What the register knows of a unit with everything below it, or of an officer, from the snapshot.
#[derive(SimpleObject)]
pub struct Scorecard {
    /// When the snapshot was taken.
    pub as_of: Moment,
    pub position: i64,
    /// The days looked at, up to the one asked for, or today; null for all.
    pub days: Option<i32>,
    /// Complaints received, of any kind.
    pub complaints: u32,
    /// Complaints about conduct that count, those of one enterprise within a week as one.
    pub episodes: u32,
    /// Enterprises of one owner are one; anonymous complaints are none.
    pub distinct_enterprises: u32,
    pub cost_vnd: Decimal,
    pub delay_hours: f64,
    /// Complaints whose deadline has passed.
    pub due: u32,
    pub answered_in_time: u32,
    /// Of those due; null where there are none.
    pub share_answered_in_time: Option<f64>,
    /// Days until half of the complaints were answered, those still open censored; null where less than
    /// half were.
    pub median_days_to_response: Option<f64>,
    pub open: u32,
    /// Not answered although the deadline has passed.
    pub overdue: u32,
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
        }
    }
}
