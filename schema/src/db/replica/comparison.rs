//! The results of comparisons of a replica with its primary, and whether it may answer a reader.

use super::{LagBounds, ReplicaState, Server, Unfit};
use std::collections::VecDeque;
use std::time::Instant;

/// The most readings of the primary that wait for the replica.
const MOST_READINGS: usize = 256;

/// The results of the comparisons.
pub(super) struct Comparison {
    pub state: ReplicaState,
    /// Everything that was committed on the primary before is on the replica.
    pub complete_until: Option<Instant>,
    replayed: i64,
    pub position: i64,
    pub position_of_primary: i64,
    /// Whether the primary keeps rows that statements of the replica read.
    pub keeps_rows: bool,
    /// Readings of the primary that the replica has not replayed yet, the oldest first.
    readings: VecDeque<Reading>,
}

/// A reading of the primary's position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Commits that others saw before are in the log up to `log`.
    pub at: Instant,
    pub log: i64,
    pub position: i64,
}

impl Comparison {
    pub fn nothing() -> Self {
        Self {
            state: ReplicaState::Away,
            complete_until: None,
            replayed: 0,
            position: 0,
            position_of_primary: 0,
            keeps_rows: false,
            readings: VecDeque::new(),
        }
    }

    /// Forgets how far the replica was: one that comes back may be another, which is behind.
    pub fn lose(&mut self, state: ReplicaState) {
        *self = Self { state, ..Self::nothing() };
    }

    /// Notes a reading of the primary, and what the replica said after it.
    pub fn note(&mut self, reading: Reading, replica: &Server) {
        if replica.log < self.replayed || replica.position < self.position {
            self.lose(ReplicaState::Usable);
        }
        self.state = ReplicaState::Usable;
        self.replayed = replica.log;
        self.position = replica.position;
        self.position_of_primary = reading.position;
        self.keeps_rows = replica.keeps_rows;
        // While the replica does not replay, the newest reading takes the place of the one before.
        if self.readings.len() >= MOST_READINGS {
            self.readings.pop_back();
        }
        self.readings.push_back(reading);
        let is_replayed = |reading: &Reading| reading.log <= replica.log && reading.position <= replica.position;
        while let Some(reading) = self.readings.front().copied().filter(is_replayed) {
            self.complete_until = Some(reading.at);
            self.readings.pop_front();
        }
    }

    /// Checks whether the replica may answer a read.
    ///
    /// # Errors
    /// The reason why the read must go to the primary.
    pub fn check(&self, bounds: LagBounds, wrote_at: Option<Instant>, at_least: i64) -> Result<(), Unfit> {
        if self.state != ReplicaState::Usable {
            return Err(Unfit::Away);
        }
        let behind = self.position_of_primary - self.position;
        let complete_until = self.complete_until.filter(|until| until.elapsed() <= bounds.time).ok_or(Unfit::Lags)?;
        if bounds.positions.is_some_and(|most| behind > most) {
            return Err(Unfit::Lags);
        }
        match wrote_at.is_some_and(|at| at >= complete_until) || self.position < at_least {
            true => Err(Unfit::Behind),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const BOUNDS: LagBounds = LagBounds { time: Duration::from_secs(5), positions: Some(10) };

    fn replica(log: i64, position: i64) -> Server {
        let (system, database, register, unflushed_ms) = (1, 2, 3, 0);
        Server { system, database, register, position, log, unflushed_ms, is_standby: true, keeps_rows: true }
    }

    fn reading(seconds_ago: u64, log: i64, position: i64) -> Reading {
        let at = Instant::now().checked_sub(Duration::from_secs(seconds_ago)).expect("a time");
        Reading { at, log, position }
    }

    #[test]
    fn a_replica_is_complete_up_to_the_last_reading_that_it_has_replayed() {
        let mut comparison = Comparison::nothing();
        assert_eq!(comparison.check(BOUNDS, None, 0), Err(Unfit::Away));
        comparison.note(reading(4, 100, 7), &replica(90, 6));
        assert_eq!(comparison.check(BOUNDS, None, 0), Err(Unfit::Lags), "it never held all");
        comparison.note(reading(2, 200, 9), &replica(150, 8));
        assert_eq!(comparison.check(BOUNDS, None, 8), Ok(()));
        assert_eq!(comparison.check(BOUNDS, None, 9), Err(Unfit::Behind), "a position that it does not have");
        let wrote = |seconds_ago| Some(reading(seconds_ago, 0, 0).at);
        assert_eq!(comparison.check(BOUNDS, wrote(5), 0), Ok(()));
        assert_eq!(comparison.check(BOUNDS, wrote(3), 0), Err(Unfit::Behind), "written after the first reading");
        comparison.note(reading(1, 200, 9), &replica(200, 9));
        assert_eq!(comparison.check(BOUNDS, wrote(3), 9), Ok(()));
        assert!(comparison.readings.is_empty());
    }

    #[test]
    fn a_replica_that_lags_too_far_or_went_back_does_not_answer() {
        let mut comparison = Comparison::nothing();
        comparison.note(reading(6, 100, 7), &replica(100, 7));
        assert_eq!(comparison.check(BOUNDS, None, 0), Err(Unfit::Lags), "for too long");
        comparison.note(reading(0, 100, 7), &replica(100, 7));
        assert_eq!(comparison.check(BOUNDS, None, 0), Ok(()));
        comparison.note(reading(0, 300, 18), &replica(100, 7));
        assert_eq!(comparison.check(BOUNDS, None, 0), Err(Unfit::Lags), "by too many positions");
        comparison.note(reading(0, 300, 18), &replica(300, 18));
        assert_eq!(comparison.check(BOUNDS, None, 18), Ok(()));
        comparison.note(reading(0, 300, 18), &replica(200, 12));
        assert_eq!(comparison.check(BOUNDS, None, 0), Err(Unfit::Lags), "another replica took its place");
        comparison.lose(ReplicaState::Away);
        assert_eq!(comparison.check(BOUNDS, None, 0), Err(Unfit::Away));
    }

    #[test]
    fn readings_of_a_replica_that_stands_still_are_bounded() {
        let mut comparison = Comparison::nothing();
        for log in 0..1_000 {
            comparison.note(reading(0, 100 + log, 7), &replica(50, 7));
        }
        assert_eq!(comparison.readings.len(), MOST_READINGS);
        comparison.note(reading(0, 1_100, 7), &replica(1_100, 7));
        assert!(comparison.readings.is_empty() && comparison.complete_until.is_some());
    }
}
