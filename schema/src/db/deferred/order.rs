//! Orders deferred indexes and constraints, which several connections make at the same time.
//!
//! The index of trigrams of complaints takes as long as all others together, and one connection makes it. It therefore
//! begins as soon as what locks the complaints exclusively is done, which takes moments, and everything else is made
//! meanwhile. What locks the same table waits for its turn here, and not in the database, where its connection would
//! make nothing else.

use super::{CONSTRAINT, Deferred};
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The table whose index of trigrams takes longest.
const LARGEST: &str = "complaints";

/// Indexes and constraints that are to be made, taken by several threads.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    has_longest: bool,
}

struct State {
    /// Waiting statements, in the order of their ranks.
    waiting: Vec<Deferred>,
    under_way: Vec<Deferred>,
}

/// An item that a thread makes. It blocks others until it is dropped, whether or not it could be made.
pub(super) struct Taken<'a> {
    queue: &'a Queue,
    one: Deferred,
    rest: Option<Deferred>,
}

/// Ranks, in the order in which they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Keys of complaints, and of the tables that complaints refer to.
    FirstKey,
    /// Foreign keys that lock the complaints.
    FirstForeignKey,
    Longest,
    Key,
    Trigrams,
    Index,
    ForeignKey,
    Check,
}

/// Kind of object that a statement makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A key or unique index, which makes rows unique.
    Key,
    Index,
    ForeignKey,
    /// The check of a foreign key that is there.
    Check,
}

impl Queue {
    pub(super) fn new(mut all: Vec<Deferred>) -> Self {
        sort(&mut all);
        let has_longest = all.iter().any(Deferred::is_longest);
        let state = State { waiting: all, under_way: Vec::new() };
        Self { state: Mutex::new(state), changed: Condvar::new(), has_longest }
    }

    /// Whether it began with the index that takes as long as all others.
    pub(super) fn has_longest(&self) -> bool {
        self.has_longest
    }

    /// Takes the first item that nothing blocks, and waits for such an item. None if nothing is left.
    pub(super) fn take(&self) -> Option<Taken<'_>> {
        let mut state = self.state();
        loop {
            // What is under way may leave a rest.
            if state.waiting.is_empty() && state.under_way.is_empty() {
                return None;
            }
            if let Some(at) = state.first_free() {
                let one = state.waiting.remove(at);
                state.under_way.push(one.clone());
                return Some(Taken { queue: self, one, rest: None });
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first one that is independent of those before it and of those under way.
    fn first_free(&self) -> Option<usize> {
        self.waiting.iter().enumerate().position(|(at, one)| {
            let mut others = self.waiting[..at].iter().chain(&self.under_way);
            others.all(|other| one.is_independent_of(other))
        })
    }
}

impl Taken<'_> {
    pub(super) fn one(&self) -> &Deferred {
        &self.one
    }

    /// Records that the item is made, except for what is left of it.
    pub(super) fn made(mut self, rest: Option<Deferred>) {
        self.rest = rest;
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.under_way.retain(|other| other.name != self.one.name);
        // A check, which is last in the order.
        state.waiting.extend(self.rest.take());
        self.queue.changed.notify_all();
    }
}

/// Sorts what is to be made into an order in which it can be made.
pub(super) fn sort(all: &mut [Deferred]) {
    let of_largest = all.iter().filter(|one| one.table() == LARGEST);
    let referred = of_largest.filter_map(Deferred::refers_to).chain([LARGEST]);
    let first: BTreeSet<String> = referred.map(str::to_owned).collect();
    all.sort_by_key(|one| one.rank(&first));
}

impl Deferred {
    /// `first`: the tables whose keys come first.
    fn rank(&self, first: &BTreeSet<String>) -> Rank {
        match self.kind() {
            Kind::Key if first.contains(self.table()) => Rank::FirstKey,
            Kind::Key => Rank::Key,
            Kind::ForeignKey if self.locks().any(|table| table == LARGEST) => Rank::FirstForeignKey,
            Kind::ForeignKey => Rank::ForeignKey,
            Kind::Index if self.is_longest() => Rank::Longest,
            Kind::Index if self.has_trigrams() => Rank::Trigrams,
            Kind::Index => Rank::Index,
            Kind::Check => Rank::Check,
        }
    }

    fn kind(&self) -> Kind {
        if !self.made_by.starts_with(CONSTRAINT) {
            Kind::Index
        } else if self.made_by.contains(" VALIDATE CONSTRAINT ") {
            Kind::Check
        } else if self.made_by.contains(" FOREIGN KEY ") {
            Kind::ForeignKey
        } else {
            Kind::Key
        }
    }

    fn has_trigrams(&self) -> bool {
        self.made_by.contains("gin_trgm_ops")
    }

    fn is_longest(&self) -> bool {
        self.has_trigrams() && self.table() == LARGEST
    }

    fn table(&self) -> &str {
        let index = || self.made_by.split_once(" ON ").map_or("", |(_, rest)| rest);
        first_name(self.made_by.strip_prefix(CONSTRAINT).unwrap_or_else(index))
    }

    /// The table that a foreign key refers to.
    fn refers_to(&self) -> Option<&str> {
        self.made_by.split_once(" REFERENCES ").map(|(_, rest)| first_name(rest))
    }

    /// The tables whose lock another statement may wait for. A check of a foreign key reads the table that it refers
    /// to, as anybody may.
    fn locks(&self) -> impl Iterator<Item = &str> {
        [Some(self.table()), self.refers_to()].into_iter().flatten()
    }

    /// Whether both can be made at the same time, and each before the other. Indexes of one table can.
    fn is_independent_of(&self, other: &Self) -> bool {
        let are_indexes = self.kind() == Kind::Index && other.kind() == Kind::Index;
        are_indexes || !self.locks().any(|table| other.locks().any(|its| its == table))
    }
}

/// The name with which a text begins, without its schema.
fn first_name(text: &str) -> &str {
    let name = text.split([' ', '(']).next().unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A primary key.
    fn key(table: &str) -> Deferred {
        constraint(table, "pkey", "PRIMARY KEY (id)")
    }

    fn foreign_key(table: &str, to: &str) -> Deferred {
        constraint(table, to, &format!("FOREIGN KEY (x) REFERENCES {to}(id)"))
    }

    fn constraint(table: &str, name: &str, what: &str) -> Deferred {
        Deferred {
            name: format!("{table}.{name}"),
            made_by: format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} {what}"),
        }
    }

    fn index(table: &str, what: &str) -> Deferred {
        Deferred { name: format!("{table} {what}"), made_by: format!("CREATE INDEX i ON public.{table} USING {what}") }
    }

    const TRIGRAMS: &str = "gin (phananh_plain(text) gin_trgm_ops)";

    fn queue() -> Queue {
        Queue::new(vec![
            foreign_key("complaint_events", "complaints"),
            key("complaint_events"),
            key("complaints"),
            foreign_key("complaints", "enterprises"),
            index("complaints", "btree (received_at)"),
            index("complaints", TRIGRAMS),
            key("enterprises"),
            foreign_key("enterprise_groups", "enterprises"),
            key("workload"),
        ])
    }

    /// The next one, without waiting.
    fn next(queue: &Queue) -> Option<Taken<'_>> {
        let is_free = queue.state().first_free().is_some();
        if is_free { queue.take() } else { None }
    }

    fn names(taken: &[Taken<'_>]) -> Vec<String> {
        taken.iter().map(|taken| taken.one().name.clone()).collect()
    }

    fn finish(taken: Taken<'_>) {
        let rest = taken.one().checked_by().map(|made_by| Deferred { name: taken.one().name.clone(), made_by });
        taken.made(rest);
    }

    #[test]
    fn the_longest_begins_after_what_locks_its_table_and_the_others_are_made_beside_it() {
        let queue = queue();
        let mut taken: Vec<_> = std::iter::from_fn(|| next(&queue)).collect();
        // The key of events waits for their foreign key, which waits for the key of complaints.
        assert_eq!(names(&taken), ["complaints.pkey", "enterprises.pkey", "workload.pkey"]);
        taken.drain(..2).for_each(finish);
        let foreign_key = next(&queue).unwrap();
        assert_eq!(foreign_key.one().name, "complaint_events.complaints");
        finish(foreign_key);
        finish(next(&queue).unwrap());
        taken.extend(std::iter::from_fn(|| next(&queue)));
        assert_eq!(
            names(&taken)[1..],
            [
                format!("complaints {TRIGRAMS}").as_str(),
                "complaint_events.pkey",
                "complaints btree (received_at)",
                "enterprise_groups.enterprises",
            ]
        );
        // The check of the events begins when their key is there, and that of the complaints after their indexes.
        finish(taken.remove(2));
        let check = next(&queue).unwrap();
        assert_eq!(check.one().made_by, "ALTER TABLE complaint_events VALIDATE CONSTRAINT complaints");
        finish(check);
        assert!(next(&queue).is_none());
        taken.into_iter().for_each(finish);
        let checks: Vec<_> = std::iter::from_fn(|| next(&queue)).collect();
        assert_eq!(names(&checks), ["complaints.enterprises", "enterprise_groups.enterprises"]);
        checks.into_iter().for_each(finish);
        assert!(queue.take().is_none());
    }

    #[test]
    fn one_after_another_each_finds_the_keys_that_it_needs() {
        let queue = queue();
        let mut made: Vec<String> = Vec::new();
        while let Some(taken) = queue.take() {
            if taken.one().kind() == Kind::ForeignKey {
                let needed = format!("{}.pkey", taken.one().refers_to().unwrap());
                assert!(made.contains(&needed), "{needed} before {:?}", taken.one());
            }
            made.push(taken.one().name.clone());
            finish(taken);
        }
        assert_eq!(made.len(), 12, "{made:?}");
    }

    #[test]
    fn one_that_fails_leaves_the_others_to_whom_goes_on() {
        let queue = queue();
        drop(queue.take());
        let others = std::iter::from_fn(|| queue.take().map(finish)).count();
        assert_eq!(others, 11);
    }

    #[test]
    fn tables_are_found_in_the_statements_of_both_databases() {
        let of_sqlite = Deferred { name: "i".into(), made_by: "CREATE INDEX i ON complaints(received_at, id)".into() };
        assert_eq!(of_sqlite.table(), "complaints");
        assert_eq!(index("complaints", TRIGRAMS).table(), "complaints");
        let foreign_key = foreign_key("register.complaints", "register.units");
        assert_eq!((foreign_key.table(), foreign_key.refers_to()), ("complaints", Some("units")));
    }
}
