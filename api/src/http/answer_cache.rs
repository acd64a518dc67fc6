//! A cache of whole answers: a page that is asked again while nothing was written costs no statement of its own.
//!
//! An answer is kept with the register's position, if that was the same before its first statement and after its
//! last. Every change of what such an answer holds is an event ([`schema::db::WriteTx`]), so that it is exact while
//! the position is the same, whichever node writes. A request gets it only if the position that is read after the
//! request arrived is still this one ([`PositionReader`]). Names and the tree of units come from the snapshot of the
//! node, by its `names_version`. [`COMPLAINT_LISTS`] names the queries; the viewers of a key have the same rights.
//!
//! A database that went back to an earlier position, such as a standby that lagged, empties the cache. If it was
//! written on up to the same position before this node read any other, the snapshot notices, and its names get another
//! version. A row that is changed around the program has no position: its answers end with the next write, or after
//! ten minutes.
//!
//! [`COMPLAINT_LISTS`]: crate::graphql::COMPLAINT_LISTS

use super::persisted::Validity;
use crate::access::{Viewer, Weight};
use crate::budget::Counted;
use crate::graphql::position_reader::PositionReader;
use bytes::Bytes;
use chrono::NaiveDate;
use jobs::snapshot::Snapshot;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::enums::{Locale, Role};
use schema::{Db, Id, JsonText, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// Everything that an answer depends on besides the register and the snapshot. The limits are those of the role, and
/// the keys of pseudonyms and cursors those of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AnswerKey {
    /// The text of the document, the name of the operation and the variables.
    operation: Validity,
    role: Role,
    unit: Option<Id>,
    officer: Option<Id>,
    outside: bool,
    locale: Locale,
    /// Conditions may ask what is overdue today.
    today: NaiveDate,
}

impl AnswerKey {
    pub fn new(operation: Validity, viewer: &Viewer, locale: Locale) -> Self {
        Self {
            operation,
            role: viewer.role,
            unit: viewer.unit_id,
            officer: viewer.officer_id,
            outside: viewer.outside,
            locale,
            today: local_date(Timestamp::now()),
        }
    }
}

/// The state of the register and of the names that an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAt {
    pub position: i64,
    /// See [`Snapshot::names_version`].
    pub names_version: u64,
}

impl ReadAt {
    pub fn from_snapshot(snapshot: &Snapshot) -> Self {
        Self { position: snapshot.position, names_version: snapshot.names_version }
    }
}

/// An answer without errors, and what is recorded of it each time it is given.
#[derive(Debug)]
pub struct KeptAnswer {
    pub read_at: ReadAt,
    pub json: Bytes,
    /// The content of the audit entry; None if the answer needs none.
    pub look: Option<JsonText>,
    /// The name of the operation.
    pub name: String,
    pub weight: Weight,
    /// The bytes that it counted against the limit of the answer.
    pub counted: Counted,
}

/// Bytes of an entry besides its texts.
const ENTRY_OVERHEAD: usize = 400;

impl KeptAnswer {
    fn bytes(&self) -> usize {
        ENTRY_OVERHEAD + self.json.len() + self.look.as_ref().map_or(0, |look| look.as_str().len()) + self.name.len()
    }
}

/// The entry of an operation in the cache.
#[derive(Clone)]
enum Entry {
    /// Seen once at this position.
    Asked(i64),
    Kept(Arc<KeptAnswer>),
}

/// The result of a look-up in the cache.
#[derive(Debug)]
pub enum Found {
    Answer(Arc<KeptAnswer>),
    /// The operation has to run. `keeps` is true on the second request at one position, so one-off queries cost neither
    /// statements nor memory.
    Nothing {
        keeps: bool,
    },
}

/// An answer is kept this long.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// An answer may take at most this part of the memory.
const LARGEST_PART: u64 = 16;

/// The cache of a node.
pub struct AnswerCache {
    /// None if the configuration gives it no memory.
    enabled: Option<Arc<Answers>>,
    positions: Arc<PositionReader>,
    /// Bytes of the largest answer that is kept.
    largest: u64,
    hits: AtomicU64,
    misses: AtomicU64,
}

struct Answers {
    entries: Cache<AnswerKey, Entry>,
    /// The latest position that this node knows of.
    latest: AtomicI64,
    /// The position of the last read.
    last_read: AtomicI64,
}

impl AnswerCache {
    /// A cache of answers from a database that takes at most this much memory, in megabytes; 0 disables it.
    pub fn over(db: &Db, megabytes: u32) -> Self {
        let db = db.clone();
        Self::new(megabytes, move || {
            let read = db.read(current_position);
            read.inspect_err(|error| tracing::debug!(%error, "the register's position cannot be read")).ok()
        })
    }

    /// `read` reads the register's position; None if it fails.
    fn new(megabytes: u32, read: impl Fn() -> Option<i64> + Send + Sync + 'static) -> Self {
        let capacity = u64::from(megabytes) * 1024 * 1024;
        let weigh = |_: &AnswerKey, entry: &Entry| match entry {
            Entry::Asked(_) => u32::try_from(ENTRY_OVERHEAD).unwrap_or(u32::MAX),
            Entry::Kept(answer) => u32::try_from(answer.bytes()).unwrap_or(u32::MAX),
        };
        let enabled = (megabytes > 0).then(|| {
            // LRU: an answer of an old position is never given again, however often it was.
            let entries = Cache::builder().max_capacity(capacity).eviction_policy(EvictionPolicy::lru());
            Arc::new(Answers {
                entries: entries.time_to_live(KEPT_FOR).weigher(weigh).build(),
                latest: AtomicI64::new(i64::MIN),
                last_read: AtomicI64::new(i64::MIN),
            })
        });
        let noting = enabled.clone();
        let positions = PositionReader::new(move || {
            let position = read()?;
            if let Some(answers) = &noting {
                answers.note_read(position);
            }
            Some(position)
        });
        Self {
            enabled,
            positions: Arc::new(positions),
            largest: capacity / LARGEST_PART,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Reads the register's position for other code: the cache has to know of each read.
    pub fn positions(&self) -> Arc<PositionReader> {
        Arc::clone(&self.positions)
    }

    /// Looks for the answer to a request that has arrived. `now`: the present snapshot.
    pub async fn find(&self, key: &AnswerKey, now: ReadAt) -> Found {
        let Some(answers) = &self.enabled else { return Found::Nothing { keeps: false } };
        answers.latest.fetch_max(now.position, Ordering::Relaxed);
        let entry = answers.entries.get(key);
        if let Some(Entry::Kept(answer)) = &entry
            && answer.read_at.names_version == now.names_version
            // Without a statement: it may be known that the register has changed.
            && answer.read_at.position == answers.latest()
            && self.positions.read().await == Some(answer.read_at.position)
        {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Found::Answer(Arc::clone(answer));
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        let latest = answers.latest();
        let asked_at = entry.map(|entry| match entry {
            Entry::Asked(position) => position,
            Entry::Kept(answer) => answer.read_at.position,
        });
        let keeps = asked_at == Some(latest);
        if !keeps {
            answers.entries.insert(*key, Entry::Asked(latest));
        }
        Found::Nothing { keeps }
    }

    /// Keeps the answer to an operation that ran.
    pub fn keep(&self, key: AnswerKey, answer: KeptAnswer) {
        let Some(answers) = &self.enabled else { return };
        answers.latest.fetch_max(answer.read_at.position, Ordering::Relaxed);
        if answer.bytes() as u64 <= self.largest {
            answers.entries.insert(key, Entry::Kept(Arc::new(answer)));
        }
    }

    /// (hits, misses) since the start of the node, of operations whose answers may be kept.
    pub fn uses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}

impl Answers {
    fn latest(&self) -> i64 {
        self.latest.load(Ordering::Relaxed)
    }

    /// Notes a position of the database. The reads are one after another, so that a lower one means that the database
    /// went back.
    fn note_read(&self, position: i64) {
        if self.last_read.swap(position, Ordering::Relaxed) > position {
            self.entries.invalidate_all();
            self.latest.store(position, Ordering::Relaxed);
        } else {
            self.latest.fetch_max(position, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use crate::config::Limits;

    const BOARD: AnswerKey = AnswerKey {
        operation: [1; 32],
        role: Role::Board,
        unit: None,
        officer: None,
        outside: false,
        locale: Locale::Vi,
        today: NaiveDate::MIN,
    };

    /// A cache over a register, whose position is the number.
    fn cache(megabytes: u32) -> (AnswerCache, Arc<AtomicI64>) {
        let position = Arc::new(AtomicI64::new(10));
        let read = Arc::clone(&position);
        (AnswerCache::new(megabytes, move || Some(read.load(Ordering::SeqCst))), position)
    }

    fn at(position: i64, names_version: u64) -> ReadAt {
        ReadAt { position, names_version }
    }

    fn answer(json: &str, read_at: ReadAt) -> KeptAnswer {
        KeptAnswer {
            read_at,
            json: Bytes::copy_from_slice(json.as_bytes()),
            look: None,
            name: "anonymous".into(),
            weight: Weight::default(),
            counted: Budget::new(&Limits::default()).counted(),
        }
    }

    /// The answer that the cache gives, or whether the next one is worth keeping.
    fn found(cache: &AnswerCache, key: AnswerKey, now: ReadAt) -> Result<String, bool> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        match runtime.block_on(cache.find(&key, now)) {
            Found::Answer(answer) => Ok(String::from_utf8_lossy(&answer.json).into_owned()),
            Found::Nothing { keeps } => Err(keeps),
        }
    }

    #[test]
    fn an_answer_is_kept_when_it_is_asked_again_and_given_while_the_position_is_the_same() {
        let (cache, position) = cache(1);
        assert_eq!(found(&cache, BOARD, at(10, 1)), Err(false));
        assert_eq!(found(&cache, BOARD, at(10, 1)), Err(true));
        cache.keep(BOARD, answer("a", at(10, 1)));
        assert_eq!(found(&cache, BOARD, at(10, 1)), Ok("a".into()));
        // A snapshot that lags behind does not matter.
        assert_eq!(found(&cache, BOARD, at(9, 1)), Ok("a".into()));
        position.store(11, Ordering::SeqCst);
        assert_eq!(found(&cache, BOARD, at(10, 1)), Err(false), "another node wrote");
        assert_eq!(found(&cache, BOARD, at(10, 1)), Err(true));
        cache.keep(BOARD, answer("b", at(11, 1)));
        assert_eq!(found(&cache, BOARD, at(11, 2)), Err(true), "a unit has another name");
        cache.keep(BOARD, answer("c", at(11, 2)));
        assert_eq!(found(&cache, BOARD, at(11, 2)), Ok("c".into()));
        assert_eq!(found(&cache, BOARD, at(12, 2)), Err(false), "the snapshot knows of a write");
        assert_eq!(cache.uses(), (3, 6));
    }

    #[test]
    fn other_rights_and_other_words_get_answers_of_their_own() {
        let (cache, _) = cache(1);
        cache.keep(BOARD, answer("a", at(10, 1)));
        let id = Some(Id(uuid::Uuid::from_u128(7)));
        for other in [
            AnswerKey { operation: [2; 32], ..BOARD },
            AnswerKey { role: Role::UnitHead, ..BOARD },
            AnswerKey { unit: id, ..BOARD },
            AnswerKey { officer: id, ..BOARD },
            AnswerKey { outside: true, ..BOARD },
            AnswerKey { locale: Locale::En, ..BOARD },
            AnswerKey { today: NaiveDate::MAX, ..BOARD },
        ] {
            assert_eq!(found(&cache, other, at(10, 1)), Err(false), "{other:?}");
        }
        assert_eq!(found(&cache, BOARD, at(10, 1)), Ok("a".into()));
    }

    #[test]
    fn a_register_that_went_back_has_no_answers() {
        let (cache, position) = cache(1);
        let other = AnswerKey { operation: [2; 32], ..BOARD };
        cache.keep(BOARD, answer("a", at(9, 1)));
        cache.keep(other, answer("b", at(10, 1)));
        assert_eq!(found(&cache, other, at(8, 1)), Ok("b".into()));
        position.store(9, Ordering::SeqCst);
        assert_eq!(found(&cache, other, at(8, 1)), Err(false));
        assert_eq!(found(&cache, BOARD, at(8, 1)), Err(false), "an answer of this position, but of what is lost");
    }

    #[test]
    fn a_position_that_cannot_be_read_gives_nothing() {
        let cache = AnswerCache::new(1, || None);
        cache.keep(BOARD, answer("a", at(10, 1)));
        assert_eq!(found(&cache, BOARD, at(10, 1)), Err(true));
    }

    #[test]
    fn memory_is_bounded_and_a_cache_without_memory_keeps_nothing() {
        let (none, _) = cache(0);
        none.keep(BOARD, answer("a", at(10, 1)));
        assert_eq!((found(&none, BOARD, at(10, 1)), none.uses()), (Err(false), (0, 0)));
        let (cache, _) = cache(1);
        cache.keep(BOARD, answer(&"x".repeat(70_000), at(10, 1)));
        assert_eq!(found(&cache, BOARD, at(10, 1)), Err(false), "one answer takes no more than a sixteenth");
        for number in 0..200 {
            cache.keep(AnswerKey { operation: [number; 32], ..BOARD }, answer(&"x".repeat(20_000), at(10, 1)));
        }
        let answers = cache.enabled.as_ref().expect("a cache with memory");
        answers.entries.run_pending_tasks();
        assert!(answers.entries.weighted_size() <= 1024 * 1024, "{}", answers.entries.weighted_size());
        assert!((40..=51).contains(&answers.entries.entry_count()), "{}", answers.entries.entry_count());
    }
}
