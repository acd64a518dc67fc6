//! Editions: the states of the register for readers who see only aggregates, with the keys and noise of
//! disclosure control.

use super::super::columns::NO_ENTERPRISE;
use super::shared_attributes::{NoiseKey, attribute_words};
use crate::JobError;
use crate::snapshot::{Snapshot, SnapshotStore, in_chunks_of};
use polars::prelude::{Column, IntoColumn, NamedFrom, PolarsResult, Series, UInt32Chunked};
use schema::{Id, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex};

/// The columns that an edition adds to those of a snapshot: u64 record key, two u64 halves of the attribute
/// word, u32 weight for dominance, and noised cost (i64, VND) and delay (f64, hours).
pub const CELL_KEY: &str = "cell_key";
pub const ATTRIBUTES: [&str; 2] = ["attributes_high", "attributes_low"];
pub const DECISION_WEIGHT: &str = "decision_weight";
pub const NOISED_COST: &str = "noised_cost";
pub const NOISED_DELAY: &str = "noised_delay";

/// The position of an edition is rounded down to a multiple of this, so that it does not reveal how much was
/// written between two editions.
const POSITIONS: i64 = 100;

/// The noise of sums: each complaint counts with its value times 1 plus or minus a share between these two.
const LEAST_NOISE: f64 = 0.25;
const MOST_NOISE: f64 = 0.5;

/// UTC offset of Vietnam in microseconds: a daily edition begins at midnight there, like a day of the register.
const MIDNIGHT: i64 = 7 * 3_600 * 1_000_000;

/// The current edition of a node. It takes 44 bytes for each complaint for its own columns and 4 for a copy
/// of `enterprise`; it shares all other columns with the snapshot until these change. An edition stays until
/// its period ends, whatever is written meanwhile. The first one is built by the first request, each later
/// one when its period begins, so that a reader cannot choose by the time of a request which state is shown.
pub struct Editions {
    secret: [u8; 32],
    cached: Mutex<Option<CachedEdition>>,
}

struct CachedEdition {
    number: i64,
    snapshot: Arc<Snapshot>,
}

impl Editions {
    /// `secret` must stay the same for the lifetime of the register: fresh noise for the same cells could be
    /// averaged away.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, cached: Mutex::new(None) }
    }

    /// The key of the noise that depends on shared attributes.
    pub fn noise_key(&self) -> NoiseKey {
        NoiseKey(self.secret)
    }

    /// The edition of the current period, built if there is none. Each period lasts `minutes`.
    ///
    /// # Errors
    /// `Polars` if the snapshot lacks a column.
    pub fn current(&self, store: &SnapshotStore, minutes: u32, now: Timestamp) -> Result<Arc<Snapshot>, JobError> {
        let mut cached = self.cached.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let number = number(minutes, now);
        if let Some(cached) = cached.as_ref().filter(|cached| cached.number == number) {
            return Ok(Arc::clone(&cached.snapshot));
        }
        let snapshot = Arc::new(self.edition(&store.current())?);
        *cached = Some(CachedEdition { number, snapshot: Arc::clone(&snapshot) });
        Ok(snapshot)
    }

    /// Builds the edition of the current period if there is one of an earlier period. Without any request so
    /// far none is built, to save memory.
    ///
    /// # Errors
    /// `Polars` if the snapshot lacks a column.
    pub fn renew(&self, store: &SnapshotStore, minutes: u32, now: Timestamp) -> Result<(), JobError> {
        let is_asked_for = self.cached.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some();
        if is_asked_for {
            self.current(store, minutes, now)?;
        }
        Ok(())
    }

    /// The edition of the current period if it is already built. Does not block: None while another thread
    /// builds it.
    pub fn current_if_built(&self, minutes: u32, now: Timestamp) -> Option<Arc<Snapshot>> {
        let cached = self.cached.try_lock().ok()?;
        let number = number(minutes, now);
        cached.as_ref().filter(|cached| cached.number == number).map(|cached| Arc::clone(&cached.snapshot))
    }

    /// Builds the edition of a snapshot: adds the columns of disclosure control, and drops ids, versions and named
    /// officers.
    ///
    /// # Errors
    /// `Polars` if the snapshot lacks a column.
    pub fn edition(&self, snapshot: &Snapshot) -> Result<Snapshot, JobError> {
        let column = |name: &str| snapshot.facts.column(name);
        let (high, low) = (column("id_high")?.u64()?, column("id_low")?.u64()?);
        let (enterprise, cost) = (column("enterprise")?.u32()?, column("cost")?.i64()?);
        let (delay, confidential) = (column("delay")?.f64()?, column("confidential")?.bool()?);
        let drawn = |digest: [u8; 32], at: usize| {
            (digest[at] & 1 == 1, u32::from_le_bytes(std::array::from_fn(|n| digest[at + 1 + n])))
        };
        // All complaints of an enterprise share the sign of the noise: otherwise it would cancel out for an
        // enterprise with many complaints. They also share the weight in the dominance rule.
        let of_enterprises: Vec<(bool, u32)> = (0u32..)
            .map_while(|index| snapshot.enterprises.at(index))
            .map(|id| drawn(self.digest(b"e", id), 0))
            .collect();
        let rows = snapshot.facts.height();
        let mut weights = Vec::with_capacity(rows);
        let (mut keys, mut costs, mut delays) =
            (Vec::with_capacity(rows), Vec::with_capacity(rows), Vec::with_capacity(rows));
        let sums = cost.iter().zip(delay.iter()).zip(confidential.iter());
        let facts = high.iter().zip(low.iter()).zip(enterprise.iter()).zip(sums);
        for (((high, low), enterprise), ((cost, delay), confidential)) in facts {
            let id = uuid::Uuid::from_u64_pair(high.unwrap_or_default(), low.unwrap_or_default());
            let digest = self.digest(b"c", Id(id));
            let part = |at: usize| u64::from_le_bytes(std::array::from_fn(|n| digest[at + n]));
            let of_enterprise = of_enterprises.get(enterprise.unwrap_or(NO_ENTERPRISE) as usize).copied();
            let (is_above, weight) = of_enterprise.unwrap_or_else(|| drawn(digest, 24));
            let factor = |at: usize| {
                let share = LEAST_NOISE + (MOST_NOISE - LEAST_NOISE) * (part(at) >> 11) as f64 / (1u64 << 53) as f64;
                // Confidential complaints are in no sum: a unit head who knows all other complaints could
                // derive them by subtraction.
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
        let [high, low] = halves(&attribute_words(&snapshot.facts)?);
        let columns = [
            Column::from(Series::new(CELL_KEY.into(), keys)),
            Column::from(Series::new(ATTRIBUTES[0].into(), high)),
            Column::from(Series::new(ATTRIBUTES[1].into(), low)),
            Column::from(Series::new(DECISION_WEIGHT.into(), weights)),
            Column::from(Series::new(NOISED_COST.into(), costs)),
            Column::from(Series::new(NOISED_DELAY.into(), delays)),
        ];
        let columns = columns.iter().map(|column| in_chunks_of(&snapshot.facts, column));
        let columns = columns.collect::<PolarsResult<Vec<_>>>()?;
        let mut facts = snapshot.facts.drop_many(["id_high", "id_low", "version", "named"]).hstack(&columns)?;
        // Confidential complaints must neither count as an enterprise nor make a cell reach the threshold of
        // enterprises.
        let enterprises = enterprise.iter().zip(confidential.iter());
        let enterprises: UInt32Chunked =
            enterprises.map(|(enterprise, secret)| enterprise.filter(|_| secret == Some(false))).collect();
        let enterprises = enterprises.with_name("enterprise".into()).into_column();
        facts.replace("enterprise", in_chunks_of(&snapshot.facts, &enterprises)?)?;
        Ok(snapshot.with(&facts, snapshot.position / POSITIONS * POSITIONS))
    }

    /// A keyed hash of an id. The input has a fixed length of 49 bytes, one block of SHA-256, so that length
    /// extension does not apply.
    fn digest(&self, kind: &[u8; 1], id: Id) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(kind);
        hash.update(id.0.as_bytes());
        hash.finalize().into()
    }
}

/// The high and low halves of 128-bit words, as two columns.
fn halves(words: &[u128]) -> [Vec<u64>; 2] {
    [words.iter().map(|word| (word >> 64) as u64).collect(), words.iter().map(|word| *word as u64).collect()]
}

/// The number of the period that an instant belongs to.
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
