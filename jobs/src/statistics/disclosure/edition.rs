//! The state of the register that readers of aggregates alone are shown, with what their noise is made of.

use super::super::measures::NOBODY;
use super::shared::{NoiseKey, words};
use crate::JobError;
use crate::snapshot::{Snapshot, SnapshotStore};
use polars::prelude::{Column, IntoColumn, NamedFrom, Series, UInt32Chunked};
use schema::{Id, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};

/// The columns that an edition has beside those of a snapshot.
pub const CELL_KEY: &str = "cell_key";
pub const ATTRIBUTES: [&str; 2] = ["attributes_high", "attributes_low"];
pub const DECISION_WEIGHT: &str = "decision_weight";
pub const NOISED_COST: &str = "noised_cost";
pub const NOISED_DELAY: &str = "noised_delay";

/// Its position is said in steps of so many, so that it does not count what was written between two editions.
const POSITIONS: i64 = 100;

/// What each complaint counts in sums: more or less than it has by a share between these.
const LEAST_NOISE: f64 = 0.25;
const MOST_NOISE: f64 = 0.5;

/// Day of the register begins at midnight in Vietnam, and so does an edition of a day.
const MIDNIGHT: i64 = 7 * 3_600 * 1_000_000;

/// The editions of a node: 44 bytes for each complaint, beside the columns that it shares with the snapshot until these
/// change. One stays until its time is over, whatever is written meanwhile. The first is made when somebody asks, each
/// following one when its time begins, so that nobody chooses by a question which state of the register it shows.
pub struct Editions {
    secret: [u8; 32],
    held: Mutex<Option<Held>>,
}

struct Held {
    number: i64,
    snapshot: Arc<Snapshot>,
}

impl Editions {
    /// `secret` has to stay the same for as long as the register: other noise for the same cells could be averaged.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, held: Mutex::new(None) }
    }

    /// The key of the noise of cells.
    pub fn noise_key(&self) -> NoiseKey {
        NoiseKey(self.secret)
    }

    /// The edition of now, each of which lasts so many minutes.
    ///
    /// # Errors
    /// Where the columns of the snapshot cannot be read.
    pub fn current(&self, store: &SnapshotStore, minutes: u32, now: Timestamp) -> Result<Arc<Snapshot>, JobError> {
        let mut held = self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let number = number(minutes, now);
        if let Some(held) = held.as_ref().filter(|held| held.number == number) {
            return Ok(Arc::clone(&held.snapshot));
        }
        let snapshot = Arc::new(self.edition(&store.current())?);
        *held = Some(Held { number, snapshot: Arc::clone(&snapshot) });
        Ok(snapshot)
    }

    /// Makes the edition of now where there is one of before. Where nobody has asked for any, none is made: it takes memory.
    ///
    /// # Errors
    /// Where the columns of the snapshot cannot be read.
    pub fn renew(&self, store: &SnapshotStore, minutes: u32, now: Timestamp) -> Result<(), JobError> {
        let is_asked_for = self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some();
        if is_asked_for {
            self.current(store, minutes, now)?;
        }
        Ok(())
    }

    /// The edition of now, if it is made already.
    pub fn made(&self, minutes: u32, now: Timestamp) -> Option<Arc<Snapshot>> {
        let held = self.held.try_lock().ok()?;
        let number = number(minutes, now);
        held.as_ref().filter(|held| held.number == number).map(|held| Arc::clone(&held.snapshot))
    }

    /// A snapshot with the keys of its complaints, and with their costs and delays as they count in sums.
    ///
    /// # Errors
    /// Where its columns cannot be read.
    pub fn edition(&self, of: &Snapshot) -> Result<Snapshot, JobError> {
        let column = |name: &str| of.facts.column(name);
        let (high, low) = (column("id_high")?.u64()?, column("id_low")?.u64()?);
        let (enterprise, cost) = (column("enterprise")?.u32()?, column("cost")?.i64()?);
        let (delay, confidential) = (column("delay")?.f64()?, column("confidential")?.bool()?);
        let drawn = |digest: [u8; 32], at: usize| {
            (digest[at] & 1 == 1, u32::from_le_bytes(std::array::from_fn(|n| digest[at + 1 + n])))
        };
        // Complaints of one enterprise are all counted for more or all for less: else those of one that has many would
        // come to what they are. So do they weigh where it is decided whether a sum is one enterprise's.
        let of_enterprises: Vec<(bool, u32)> =
            (0u32..).map_while(|place| of.enterprises.at(place)).map(|id| drawn(self.digest(b"e", id), 0)).collect();
        let rows = of.facts.height();
        let mut weights = Vec::with_capacity(rows);
        let (mut keys, mut costs, mut delays) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        let sums = cost.iter().zip(delay.iter()).zip(confidential.iter());
        let facts = high.iter().zip(low.iter()).zip(enterprise.iter()).zip(sums);
        for (((high, low), enterprise), ((cost, delay), confidential)) in facts {
            let id = uuid::Uuid::from_u64_pair(high.unwrap_or_default(), low.unwrap_or_default());
            let digest = self.digest(b"c", Id(id));
            let part = |at: usize| u64::from_le_bytes(std::array::from_fn(|n| digest[at + n]));
            let of_enterprise = of_enterprises.get(enterprise.unwrap_or(NOBODY) as usize).copied();
            let (is_above, weight) = of_enterprise.unwrap_or_else(|| drawn(digest, 24));
            let factor = |at: usize| {
                let share = LEAST_NOISE + (MOST_NOISE - LEAST_NOISE) * (part(at) >> 11) as f64 / (1u64 << 53) as f64;
                // What is confidential is in no sum, so that no sum tells a head who knows all the rest of it.
                if confidential == Some(true) {
                    0.0
                } else if is_above {
                    1.0 + share
                } else {
                    1.0 - share
                }
            };
            keys.push(part(0));
            weights.push(weight);
            costs.push((cost.unwrap_or_default() as f64 * factor(8)).round() as i64);
            delays.push(delay.unwrap_or_default() * factor(16));
        }
        let [high, low] = halves(&words(&of.facts)?);
        let columns = [
            Column::from(Series::new(CELL_KEY.into(), keys)),
            Column::from(Series::new(ATTRIBUTES[0].into(), high)),
            Column::from(Series::new(ATTRIBUTES[1].into(), low)),
            Column::from(Series::new(DECISION_WEIGHT.into(), weights)),
            Column::from(Series::new(NOISED_COST.into(), costs)),
            Column::from(Series::new(NOISED_DELAY.into(), delays)),
        ];
        let mut facts = of.facts.drop_many(["id_high", "id_low", "named"]).hstack(&columns)?;
        // Whose confidential complaints are is asked for nowhere here: no enterprise is counted for them, and no cell shown.
        let enterprises = enterprise.iter().zip(confidential.iter());
        let enterprises: UInt32Chunked =
            enterprises.map(|(enterprise, secret)| enterprise.filter(|_| secret == Some(false))).collect();
        facts.replace("enterprise", enterprises.with_name("enterprise".into()).into_column())?;
        Ok(of.with(facts, of.position / POSITIONS * POSITIONS))
    }

    /// A keyed hash of an id: all of it fits into one block of SHA-256, so that nothing can be hung on.
    fn digest(&self, kind: &[u8; 1], id: Id) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(kind);
        hash.update(id.0.as_bytes());
        hash.finalize().into()
    }
}

/// Words of 128 bits as two columns.
fn halves(words: &[u128]) -> [Vec<u64>; 2] {
    [words.iter().map(|word| (word >> 64) as u64).collect(), words.iter().map(|word| *word as u64).collect()]
}

/// Which edition a moment belongs to.
fn number(minutes: u32, now: Timestamp) -> i64 {
    (now.micros() + MIDNIGHT).div_euclid(i64::from(minutes.max(1)) * 60_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_of_a_day_begins_at_midnight_in_vietnam() {
        let at = |text: &str| Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().expect("a time"));
        let [before, midnight, evening, next] =
            ["2026-03-01T16:59:59Z", "2026-03-01T17:00:00Z", "2026-03-02T16:59:59Z", "2026-03-02T17:00:00Z"]
                .map(|text| number(24 * 60, at(text)));
        assert_eq!((midnight - before, evening - midnight, next - evening), (1, 0, 1));
    }
}
