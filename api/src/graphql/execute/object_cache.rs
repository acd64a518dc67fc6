//! A cache of the JSON of objects in lists, by selection, id and version.
//!
//! Optimistic locking gives a complaint a new version with each change of its row, its allegations and its responses,
//! so an object of the current version is never stale, whichever node wrote the version. [`super::list_node`] says what
//! else an object may depend on.
//!
//! `docs/benchmarks.md` says what it gains ("Pages").

use crate::graphql::audit_subjects::AuditSubjects;
use bytes::Bytes;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use schema::Id;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A hash of a selection, and of everything except the row that its JSON depends on.
pub type SelectionHash = [u8; 16];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    pub selection: SelectionHash,
    pub id: Id,
    pub version: i32,
}

/// The JSON of an object.
#[derive(Debug)]
pub struct CachedObject {
    pub json: Bytes,
    /// Bytes that its values count against the limit of the answer.
    pub resolved_bytes: u64,
    /// The people that it shows.
    pub subjects: AuditSubjects,
}

/// Bytes of an entry besides its JSON and its subjects.
const ENTRY_OVERHEAD: usize = 600;

/// Selections remembered as cached.
const SELECTIONS: u64 = 10_000;

/// The cache of a node.
#[derive(Debug)]
pub struct ObjectCache {
    /// None if the configuration gives it no memory.
    objects: Option<Cache<ObjectKey, Arc<CachedObject>>>,
    /// Selections of which objects were inserted.
    selections: Cache<SelectionHash, ()>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl ObjectCache {
    /// A cache that takes at most this much memory, in megabytes; 0 disables it.
    pub fn new(megabytes: u32) -> Self {
        let weigh = |_: &ObjectKey, object: &Arc<CachedObject>| {
            u32::try_from(ENTRY_OVERHEAD + object.json.len() + object.subjects.bytes()).unwrap_or(u32::MAX)
        };
        let capacity = u64::from(megabytes) * 1024 * 1024;
        // LRU: an object of an old version is never asked for again, however often it was.
        let cache = || Cache::builder().max_capacity(capacity).eviction_policy(EvictionPolicy::lru());
        let objects = (megabytes > 0).then(|| cache().weigher(weigh).build());
        let selections = Cache::builder().max_capacity(SELECTIONS).build();
        Self { objects, selections, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    pub fn is_enabled(&self) -> bool {
        self.objects.is_some()
    }

    /// Whether objects of a selection were inserted before; from now on they were.
    pub fn has_selection(&self, selection: SelectionHash) -> bool {
        let has = self.selections.contains_key(&selection);
        if !has {
            self.selections.insert(selection, ());
        }
        has
    }

    pub fn get(&self, key: &ObjectKey) -> Option<Arc<CachedObject>> {
        let found = self.look_up(key);
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Like [`Self::get`], for a page that may have to be made in another way: then nothing is counted.
    pub fn look_up(&self, key: &ObjectKey) -> Option<Arc<CachedObject>> {
        self.objects.as_ref().and_then(|objects| objects.get(key))
    }

    /// Counts objects that were looked up and shown.
    pub fn count_hits(&self, number: u64) {
        self.hits.fetch_add(number, Ordering::Relaxed);
    }

    pub fn insert(&self, key: ObjectKey, object: CachedObject) {
        if let Some(objects) = &self.objects {
            objects.insert(key, Arc::new(object));
        }
    }

    /// (hits, misses) since the start of the node, in objects.
    pub fn uses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}
