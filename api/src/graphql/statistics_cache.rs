//! A cache of what is computed from the snapshot: a statistic that is asked again while its rows are the same costs
//! nothing, and one that many ask for at the same time is computed once.
//!
//! It keeps numbers and places, not answers: resolvers make each answer of them as if they had just been computed, so
//! that the audit log, the limits and the time of the snapshot are those of the request that asks. [`StatisticKey`] has
//! everything that the numbers depend on.

use crate::access::Viewer;
use async_graphql::{Context, Result};
use chrono::NaiveDate;
use jobs::analyses::category_trends::CategoryTrend;
use jobs::analyses::scorecard::Scorecard;
use jobs::analyses::timeliness::UnitTimeliness;
use jobs::analyses::trends::TrendsDocument;
use jobs::snapshot::Snapshot;
use jobs::statistics::{Answer, GroupResult};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use sha2::{Digest, Sha256};
use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// A hash of everything that a statistic depends on. The limits are those of the role, and the keys of pseudonyms and
/// noise those of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatisticKey([u8; 32]);

/// The days that a statistic may depend on besides its arguments.
#[derive(Clone, Copy)]
struct Days {
    /// The day of the snapshot: the default of `asOf`.
    of_snapshot: NaiveDate,
    /// The day by the clock: which units are below another one, and what is overdue.
    today: NaiveDate,
}

impl StatisticKey {
    /// The key of the field of a context. `today` was read before anything that depends on the day; `more` has what the
    /// numbers depend on besides the field's name and arguments, such as the object that it belongs to.
    ///
    /// None if the statistic must be computed: a new day has begun meanwhile, or a variable has no value.
    pub fn of(ctx: &Context<'_>, snapshot: &Snapshot, viewer: &Viewer, today: NaiveDate, more: String) -> Option<Self> {
        let field = ctx.field();
        let arguments = field.arguments().ok()?;
        // Texts are in quotes and without line breaks, so that no two questions have the same lines.
        let mut asked = vec![field.name().to_owned()];
        asked.extend(arguments.iter().map(|(name, value)| format!("{name}: {value}")));
        asked.push(more);
        let days = Days { of_snapshot: local_date(snapshot.as_of), today };
        (local_date(Timestamp::now()) == today).then(|| Self::new(snapshot.contents_version, days, viewer, &asked))
    }

    fn new(contents_version: u64, days: Days, viewer: &Viewer, asked: &[String]) -> Self {
        let rights = (viewer.role, viewer.unit_id, viewer.officer_id, viewer.outside);
        let Days { of_snapshot, today } = days;
        let all = format!("{contents_version} {of_snapshot} {today} {rights:?}\n{}", asked.join("\n"));
        Self(Sha256::digest(all).into())
    }
}

/// A value that the cache can keep.
pub trait Weighed: Send + Sync + Sized + 'static {
    /// The memory that it takes, about.
    fn bytes(&self) -> usize;
}

impl Weighed for Answer {
    fn bytes(&self) -> usize {
        fn of_group(group: &GroupResult) -> usize {
            let below = group.before.as_deref().map_or(0, of_group);
            size_of::<GroupResult>() + size_of_val(group.places.as_slice()) + below
        }
        let totals = self.totals.iter().chain(&self.totals_before);
        size_of::<Self>() + self.groups.iter().chain(totals).map(of_group).sum::<usize>()
    }
}

/// The number of rows of a list.
impl Weighed for i64 {
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Weighed for Vec<UnitTimeliness> {
    fn bytes(&self) -> usize {
        let of_unit = |unit: &UnitTimeliness| {
            size_of::<UnitTimeliness>()
                + unit.code.len()
                + unit.name_vi.len()
                + unit.name_en.as_ref().map_or(0, String::len)
        };
        size_of::<Self>() + self.iter().map(of_unit).sum::<usize>()
    }
}

impl Weighed for Scorecard {
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.waiting.as_slice()) + size_of_val(self.still_waiting.as_slice())
    }
}

impl Weighed for TrendsDocument {
    fn bytes(&self) -> usize {
        let of_category = |one: &CategoryTrend| {
            let texts = [one.parent.as_ref(), one.name_en.as_ref(), Some(&one.code), Some(&one.name_vi)];
            size_of::<CategoryTrend>() + texts.into_iter().flatten().map(String::len).sum::<usize>()
        };
        let events = self.events.keys().map(|kind| kind.len() + size_of::<(String, i64)>());
        size_of::<Self>() + self.categories.iter().map(of_category).sum::<usize>() + events.sum::<usize>()
    }
}

/// A statistic, and the bytes that it counts.
#[derive(Clone)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    bytes: u32,
}

/// Bytes of an entry besides its statistic.
const ENTRY_OVERHEAD: usize = 300;

/// The cache drops a statistic that no request has used for this long: most likely its rows have changed.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// A statistic may take at most this part of the memory.
const LARGEST_PART: u64 = 16;

/// The request that computes a statistic holds its lock, for which only requests for the same statistic wait.
type ComputeLock = tokio::sync::Mutex<()>;

/// The cache of a node.
pub struct StatisticsCache {
    /// None if the configuration gives it no memory.
    entries: Option<Cache<StatisticKey, Entry>>,
    /// Bytes of the largest statistic that is kept.
    largest: u64,
    /// The statistics that are being computed.
    compute_locks: Mutex<HashMap<StatisticKey, Weak<ComputeLock>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl StatisticsCache {
    /// A cache that takes at most this much memory, in megabytes; 0 disables it.
    pub fn new(megabytes: u32) -> Self {
        let capacity = u64::from(megabytes) * 1024 * 1024;
        let entries = (megabytes > 0).then(|| {
            // LRU: a statistic of old rows is never asked for again, however often it was.
            let entries = Cache::builder().max_capacity(capacity).eviction_policy(EvictionPolicy::lru());
            entries.time_to_idle(KEPT_FOR).weigher(|_: &StatisticKey, entry: &Entry| entry.bytes).build()
        });
        let (compute_locks, hits, misses) = Default::default();
        Self { entries, largest: capacity / LARGEST_PART, compute_locks, hits, misses }
    }

    /// The statistic of a key: the one that is kept, or else what `computing` gives, which also says whether it may be
    /// kept. Those that ask the same meanwhile wait for it without a thread. If it fails or is given up, the next of
    /// them computes; a failure is not kept.
    ///
    /// # Errors
    /// Returns the error of `computing`.
    pub async fn get_or_compute<T: Weighed>(
        &self,
        key: StatisticKey,
        computing: impl Future<Output = Result<(T, bool)>>,
    ) -> Result<Arc<T>> {
        let Some(entries) = &self.entries else { return Ok(Arc::new(computing.await?.0)) };
        if let Some(found) = self.found(entries, &key) {
            return Ok(found);
        }
        let compute_lock = self.compute_lock(key);
        let _own = compute_lock.lock().await;
        if let Some(found) = self.found(entries, &key) {
            return Ok(found);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let (computed, keeps) = computing.await?;
        let computed = Arc::new(computed);
        let bytes = ENTRY_OVERHEAD + computed.bytes();
        if keeps && bytes as u64 <= self.largest {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            entries.insert(key, Entry { value: Arc::clone(&computed) as Arc<dyn Any + Send + Sync>, bytes });
        }
        Ok(computed)
    }

    fn found<T: Weighed>(&self, entries: &Cache<StatisticKey, Entry>, key: &StatisticKey) -> Option<Arc<T>> {
        let found = entries.get(key)?.value.downcast::<T>().ok()?;
        self.hits.fetch_add(1, Ordering::Relaxed);
        Some(found)
    }

    /// The lock of the requests that ask for a statistic now.
    fn compute_lock(&self, key: StatisticKey) -> Arc<ComputeLock> {
        let mut compute_locks = self.compute_locks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compute_lock) = compute_locks.get(&key).and_then(Weak::upgrade) {
            return compute_lock;
        }
        // No request computes these statistics or waits for them any more.
        compute_locks.retain(|_, compute_lock| compute_lock.strong_count() > 0);
        let compute_lock = Arc::new(ComputeLock::default());
        compute_locks.insert(key, Arc::downgrade(&compute_lock));
        compute_lock
    }

    /// (hits, misses) since the start of the node. A request that waited for another one's statistic is a hit.
    pub fn uses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Id;
    use schema::enums::Role;

    fn viewer() -> Viewer {
        let id = Id(uuid::Uuid::from_u128(1));
        Viewer {
            token_id: id,
            principal_id: id,
            name: "Lan".into(),
            role: Role::Board,
            unit_id: None,
            officer_id: None,
            outside: false,
            expires_at: None,
            day: None,
        }
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
    }

    fn asked(word: &str) -> Vec<String> {
        vec!["complaintStatistics".into(), word.into()]
    }

    fn key(word: &str) -> StatisticKey {
        let days = Days { of_snapshot: day(1), today: day(1) };
        StatisticKey::new(7, days, &viewer(), &asked(word))
    }

    #[test]
    fn other_rows_days_rights_and_questions_have_keys_of_their_own() {
        let days = Days { of_snapshot: day(1), today: day(1) };
        let id = Some(Id(uuid::Uuid::from_u128(7)));
        let word = asked("first: 10");
        let of = |viewer: &Viewer| StatisticKey::new(7, days, viewer, &word);
        let mut keys = vec![
            key("first: 10"),
            key("first: 11"),
            StatisticKey::new(8, days, &viewer(), &word),
            // After midnight more is overdue, and other units may be below one.
            StatisticKey::new(7, Days { today: day(2), ..days }, &viewer(), &word),
            StatisticKey::new(7, Days { of_snapshot: day(2), ..days }, &viewer(), &word),
            of(&Viewer { role: Role::UnitHead, ..viewer() }),
            of(&Viewer { unit_id: id, ..viewer() }),
            of(&Viewer { officer_id: id, ..viewer() }),
            of(&Viewer { outside: true, ..viewer() }),
        ];
        // Two with the same rights share.
        assert_eq!(keys[0], of(&Viewer { name: "Hoa".into(), token_id: Id(uuid::Uuid::from_u128(2)), ..viewer() }));
        let number = keys.len();
        keys.sort_by_key(|key| key.0);
        keys.dedup();
        assert_eq!(keys.len(), number);
    }

    /// A scorecard with a number of complaints.
    fn card(complaints: u32) -> Scorecard {
        let mut card = Scorecard::default();
        card.handled.complaints = complaints;
        card
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime")
    }

    /// Returns the cached value, or caches `computed`.
    async fn given(cache: &StatisticsCache, word: &str, computed: u32) -> u32 {
        let found = cache.get_or_compute(key(word), async move { Ok((card(computed), true)) }).await;
        found.expect("a statistic").handled.complaints
    }

    #[test]
    fn a_statistic_is_computed_once() {
        runtime().block_on(async {
            let cache = StatisticsCache::new(1);
            assert_eq!((given(&cache, "a", 1).await, given(&cache, "a", 2).await), (1, 1));
            assert_eq!((given(&cache, "b", 3).await, cache.uses()), (3, (1, 2)));
            let count = |number: i64, keeps| cache.get_or_compute(key("c"), async move { Ok((number, keeps)) });
            let counted = [count(1, false).await, count(2, true).await, count(3, true).await];
            assert_eq!(counted.map(|number| *number.expect("a number")), [1, 2, 2], "what must not be kept is not");
            let off = StatisticsCache::new(0);
            assert_eq!((given(&off, "a", 1).await, given(&off, "a", 2).await, off.uses()), (1, 2, (0, 0)));
        });
    }

    #[test]
    fn those_that_ask_at_the_same_time_wait_for_one_computation() {
        runtime().block_on(async {
            let cache = Arc::new(StatisticsCache::new(1));
            let (computed, began) = (Arc::new(AtomicU64::new(0)), Arc::new(tokio::sync::Notify::new()));
            let end = Arc::new(tokio::sync::Notify::new());
            let ask = || {
                let (cache, computed) = (Arc::clone(&cache), Arc::clone(&computed));
                let (began, end) = (Arc::clone(&began), Arc::clone(&end));
                tokio::spawn(async move {
                    let computing = async move {
                        computed.fetch_add(1, Ordering::SeqCst);
                        began.notify_one();
                        end.notified().await;
                        Ok((card(5), true))
                    };
                    cache.get_or_compute(key("a"), computing).await.expect("a statistic").handled.complaints
                })
            };
            let first = ask();
            began.notified().await;
            let others = [ask(), ask(), ask()];
            // Another question does not wait.
            assert_eq!(given(&cache, "b", 2).await, 2);
            end.notify_one();
            assert_eq!(first.await.expect("no panic"), 5);
            for other in others {
                assert_eq!(other.await.expect("no panic"), 5);
            }
            assert_eq!((computed.load(Ordering::SeqCst), cache.uses()), (1, (3, 2)));
        });
    }

    #[test]
    fn after_a_failure_or_a_client_that_left_the_next_request_computes() {
        runtime().block_on(async {
            let cache = Arc::new(StatisticsCache::new(1));
            let failing = async { Err::<(Scorecard, bool), _>(async_graphql::Error::new("too many groups")) };
            assert!(cache.get_or_compute(key("a"), failing).await.is_err());
            let leaving = cache.get_or_compute(key("a"), std::future::pending::<Result<(Scorecard, bool)>>());
            assert!(tokio::time::timeout(Duration::from_millis(20), leaving).await.is_err());
            assert_eq!((given(&cache, "a", 4).await, given(&cache, "a", 5).await), (4, 4));
            given(&cache, "b", 1).await;
            assert_eq!(cache.compute_locks.lock().unwrap().len(), 1, "locks that no request holds are forgotten");
        });
    }

    #[test]
    fn memory_is_bounded() {
        runtime().block_on(async {
            let cache = StatisticsCache::new(1);
            let waits = |number: usize| async move {
                Ok((Scorecard { still_waiting: vec![1; number], ..Scorecard::default() }, true))
            };
            for _ in 0..2 {
                let large = cache.get_or_compute(key("large"), waits(20_000)).await.expect("a statistic");
                assert_eq!(large.still_waiting.len(), 20_000);
            }
            assert_eq!(cache.uses(), (0, 2), "one statistic takes no more than a sixteenth");
            for number in 0..200 {
                cache.get_or_compute(key(&format!("{number}")), waits(5_000)).await.expect("a statistic");
            }
            let entries = cache.entries.as_ref().expect("a cache with memory");
            entries.run_pending_tasks();
            assert!(entries.weighted_size() <= 1024 * 1024, "{}", entries.weighted_size());
            assert!((40..=52).contains(&entries.entry_count()), "{}", entries.entry_count());
        });
    }
}
