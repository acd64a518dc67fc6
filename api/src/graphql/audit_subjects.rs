//! The subjects that an operation shows, for the audit log.

use schema::Id;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

/// The subjects shown by a request: officers and enterprises by identity, officers by file (`files`),
/// complaints by id or content.
#[derive(Debug, Default, Serialize)]
pub struct AuditSubjects {
    #[serde(skip_serializing_if = "ShownIds::is_empty")]
    pub officers: ShownIds,
    #[serde(skip_serializing_if = "ShownIds::is_empty")]
    pub enterprises: ShownIds,
    #[serde(skip_serializing_if = "ShownIds::is_empty")]
    pub files: ShownIds,
    #[serde(skip_serializing_if = "ShownIds::is_empty")]
    pub complaints: ShownIds,
    /// The SQL queries asked.
    #[serde(skip)]
    pub sql: Vec<AskedSql>,
}

/// A SQL query, for the audit log.
#[derive(Debug)]
pub struct AskedSql {
    pub text: String,
    pub began: Instant,
    /// End of the query; None while it runs.
    pub end: Option<EndedSql>,
}

/// Outcome of a SQL query.
#[derive(Debug)]
pub struct EndedSql {
    pub took: Duration,
    /// Rows of the answer, or why there is none.
    pub rows: Result<u64, String>,
}

impl AuditSubjects {
    pub fn is_empty(&self) -> bool {
        [&self.officers, &self.enterprises, &self.files, &self.complaints].into_iter().all(ShownIds::is_empty)
    }

    /// Adds the subjects of another object or operation.
    pub fn extend(&mut self, others: &Self) {
        self.officers.extend(&others.officers);
        self.enterprises.extend(&others.enterprises);
        self.files.extend(&others.files);
        self.complaints.extend(&others.complaints);
    }

    /// Frees the unused capacity of the lists of ids.
    fn shrink_to_fit(&mut self) {
        let lists = [&mut self.officers, &mut self.enterprises, &mut self.files, &mut self.complaints];
        lists.into_iter().for_each(|ids| ids.0.shrink_to_fit());
    }

    /// Bytes of all ids.
    pub fn bytes(&self) -> usize {
        let lists = [&self.officers, &self.enterprises, &self.files, &self.complaints];
        lists.into_iter().map(|ids| ids.0.len() * size_of::<Id>()).sum()
    }

    /// Notes the subjects of an object for [`shown_by`], as [`Self::record`] does.
    pub fn record_all(subjects: &Self) {
        RECORDING.with_borrow_mut(|recording| recording.as_mut().map(|all| all.extend(subjects)));
    }

    /// Notes an id for [`shown_by`], if the future of one polls on this thread.
    pub fn record(kind: impl Fn(&mut Self) -> &mut ShownIds, id: Id) {
        RECORDING.with_borrow_mut(|recording| recording.as_mut().map(|subjects| kind(subjects).add(id)));
    }
}

thread_local! {
    /// The subjects noted by the object that this thread resolves; None while it resolves none to be cached.
    static RECORDING: RefCell<Option<AuditSubjects>> = const { RefCell::new(None) };
}

/// Puts the earlier recording back, after a panic as well: a recording that stays on its thread would grow for ever.
struct RestoreOnDrop(Option<AuditSubjects>);

impl Drop for RestoreOnDrop {
    fn drop(&mut self) {
        RECORDING.set(self.0.take());
    }
}

/// Resolves an object and collects the subjects that it notes. Other objects may be resolved between two polls.
pub async fn shown_by<T>(resolving: impl Future<Output = T>) -> (T, AuditSubjects) {
    let mut resolving = pin!(resolving);
    let mut subjects = AuditSubjects::default();
    let resolved = poll_fn(|context| {
        let restore = RestoreOnDrop(RECORDING.replace(Some(std::mem::take(&mut subjects))));
        let polled = resolving.as_mut().poll(context);
        subjects = RECORDING.take().unwrap_or_default();
        drop(restore);
        polled
    })
    .await;
    // The object may be a part of another one that is recorded.
    RECORDING.with_borrow_mut(|outer| outer.as_mut().map(|outer| outer.extend(&subjects)));
    subjects.shrink_to_fit();
    (resolved, subjects)
}

/// Ids that were shown. Fields of one row note the same id in succession.
#[derive(Debug, Default)]
pub struct ShownIds(Vec<Id>);

/// Most ids of one kind in an audit log entry; beyond it the entry holds the count and the first ones.
const MOST_IDS: usize = 1_000;

impl ShownIds {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds an id.
    pub fn add(&mut self, id: Id) {
        if self.0.last() != Some(&id) {
            self.0.push(id);
        }
    }

    fn extend(&mut self, others: &Self) {
        others.0.iter().for_each(|id| self.add(*id));
    }
}

impl Serialize for ShownIds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all: BTreeSet<&Id> = self.0.iter().collect();
        if all.len() <= MOST_IDS {
            return serializer.collect_seq(all);
        }
        let first: Vec<&Id> = all.iter().take(MOST_IDS).copied().collect();
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("count", &all.len())?;
        map.serialize_entry("first", &first)?;
        map.end()
    }
}
