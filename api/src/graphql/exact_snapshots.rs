//! Whether the snapshot holds exactly what the database holds, so that a page may come from its columns.

use super::position_reader::PositionReader;
use jobs::snapshot::{Snapshot, SnapshotStore};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The source of a page of complaints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageSource {
    /// The answer comes from the snapshot and the cache of objects, without the executor.
    Memory,
    /// The ids of its rows, from the snapshot; rows that the cache of objects lacks, from the database.
    Snapshot,
    /// The ids of its rows, from the database.
    Database,
}

impl PageSource {
    const ALL: [Self; 3] = [Self::Memory, Self::Snapshot, Self::Database];

    const fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Snapshot => "snapshot",
            Self::Database => "database",
        }
    }
}

/// Compares the snapshot with the register's position, and counts pages by what they came from.
pub struct ExactSnapshots {
    /// None if pages never come from the snapshot.
    positions: Option<Arc<PositionReader>>,
    pages: [AtomicU64; PageSource::ALL.len()],
}

impl ExactSnapshots {
    pub fn new(positions: Option<Arc<PositionReader>>) -> Self {
        Self { positions, pages: Default::default() }
    }

    /// The snapshot, if it is at the register's position, which is read after this call. None if it lags behind: then
    /// the database answers at once, because the end of the next refresh is not known.
    pub async fn now(&self, snapshots: &SnapshotStore) -> Option<Arc<Snapshot>> {
        let position = self.position().await?;
        Some(snapshots.current()).filter(|snapshot| snapshot.position == position)
    }

    /// The register's position, read after this call. None if it cannot be read in time, or nothing may depend on it.
    pub async fn position(&self) -> Option<i64> {
        self.positions.as_ref()?.read().await
    }

    /// Counts a page of a list of complaints.
    pub fn count_page(&self, source: PageSource) {
        self.pages[source as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The pages since the start of the node, by what they came from.
    pub fn pages(&self) -> impl Iterator<Item = (&'static str, u64)> {
        PageSource::ALL
            .into_iter()
            .map(move |source| (source.word(), self.pages[source as usize].load(Ordering::Relaxed)))
    }
}
