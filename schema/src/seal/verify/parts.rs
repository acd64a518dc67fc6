//! Splits the register into parts for verification: each part is read on one snapshot and fits into memory, whatever
//! the size of the register.

use super::derived::{self, Derived};
use super::stored::Stored;
use crate::db::readable::{Readable, nth_readable};
use crate::db::{Conn, StoreError};
use crate::sql_types::Id;
use crate::tables::{complaint_events, complaints};
use diesel::prelude::*;
use std::collections::VecDeque;
use uuid::Uuid;

/// Entities of a part.
const PART: i64 = 2_000;

/// The rows and events that a part verifies.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    Complaints,
    Reference(Derived),
    /// Events of unknown entities.
    Unknown,
    /// The storage of a table's values: an index into [`stored`](super::stored::stored).
    Storage(usize),
}

impl Task {
    /// The main table of the task.
    pub fn table(self, stored: &[Stored]) -> &'static str {
        match self {
            Self::Complaints => "complaints",
            Self::Reference(derived) => derived.table(),
            Self::Unknown => "reference_events",
            Self::Storage(at) => stored.get(at).map_or("a table", |stored| stored.table),
        }
    }
}

/// The entities of a part: a range of ids, both ends included, or a list of ids.
#[derive(Debug)]
pub enum Part {
    Range(Id, Id),
    Ids(Vec<Id>),
}

/// Loads the rows of a part, by the column that holds the entity's id.
macro_rules! of_part {
    ($conn:expr, $part:expr, $column:expr, $query:expr) => {
        match $part {
            $crate::seal::verify::parts::Part::Range(first, last) => {
                $query.filter($column.ge(*first)).filter($column.le(*last)).load($conn)?
            }
            $crate::seal::verify::parts::Part::Ids(ids) => $query.filter($column.eq_any(ids)).load($conn)?,
        }
    };
}
pub(super) use of_part;

/// Rows in the order of ids, taken id by id.
pub struct Run<T> {
    rows: std::iter::Peekable<std::vec::IntoIter<T>>,
    id: fn(&T) -> Id,
}

impl<T> Run<T> {
    pub fn new(rows: Vec<T>, id: fn(&T) -> Id) -> Self {
        Self { rows: rows.into_iter().peekable(), id }
    }

    pub fn head(&mut self) -> Option<Id> {
        self.rows.peek().map(self.id)
    }

    pub fn take(&mut self, id: Id) -> Vec<T> {
        let of = self.id;
        std::iter::from_fn(|| self.rows.next_if(|row| of(row) == id)).collect()
    }
}

const FIRST: Id = Id(Uuid::nil());
const LAST: Id = Id(Uuid::max());

/// The parts that are still to be verified.
pub struct Queue {
    waiting: VecDeque<(Task, Rest)>,
}

enum Rest {
    From(Id),
    Ids(Vec<Id>),
}

impl Queue {
    /// A queue with the storage checks of a number of tables.
    pub fn of_storage(tables: usize) -> Self {
        Self { waiting: (0..tables).map(|at| (Task::Storage(at), Rest::From(FIRST))).collect() }
    }

    /// Adds all entities.
    pub fn then_all(mut self) -> Self {
        let tasks = std::iter::once(Task::Complaints)
            .chain(Derived::ALL.iter().copied().map(Task::Reference))
            .chain(std::iter::once(Task::Unknown));
        self.waiting.extend(tasks.map(|task| (task, Rest::From(FIRST))));
        self
    }

    /// Adds the entities of these lists.
    pub fn then_some(mut self, tasks: impl IntoIterator<Item = (Task, Vec<Id>)>) -> Self {
        self.waiting.extend(tasks.into_iter().map(|(task, ids)| (task, Rest::Ids(ids))));
        self
    }

    /// The next part, or the error in finding it; None if the queue is empty.
    pub fn next(&mut self, conn: &mut Conn) -> Option<(Task, Result<Part, StoreError>)> {
        loop {
            let (task, rest) = self.waiting.pop_front()?;
            match rest {
                Rest::From(first) => {
                    let last = match end_of_part(conn, task, first) {
                        Ok(last) => last.unwrap_or(LAST),
                        Err(error) => return Some((task, Err(error))),
                    };
                    if last != LAST {
                        let next = Id(Uuid::from_u128(last.0.as_u128() + 1));
                        self.waiting.push_front((task, Rest::From(next)));
                    }
                    return Some((task, Ok(Part::Range(first, last))));
                }
                Rest::Ids(mut ids) if !ids.is_empty() => {
                    let rest = ids.split_off(ids.len().min(usize::try_from(PART).unwrap_or(usize::MAX)));
                    self.waiting.push_front((task, Rest::Ids(rest)));
                    return Some((task, Ok(Part::Ids(ids))));
                }
                Rest::Ids(_) => {}
            }
        }
    }

    /// Drops the remaining parts.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// The last id of the part that begins with `first`; None if that part is the last.
fn end_of_part(conn: &mut Conn, task: Task, first: Id) -> Result<Option<Id>, StoreError> {
    Ok(match task {
        Task::Complaints => {
            let of_rows = nth_readable(PART, |at| {
                complaints::table
                    .filter(complaints::id.ge(first))
                    .order(complaints::id)
                    .offset(at)
                    .select(complaints::id)
                    .first::<Readable<Id>>(conn)
                    .optional()
            })?;
            // Limits the events of a part, too, in case the rows were deleted.
            let of_events = nth_readable(PART, |at| {
                complaint_events::table
                    .filter(complaint_events::complaint_id.ge(first))
                    .select(complaint_events::complaint_id)
                    .distinct()
                    .order(complaint_events::complaint_id)
                    .offset(at)
                    .first::<Readable<Id>>(conn)
                    .optional()
            })?;
            of_rows.into_iter().chain(of_events).min()
        }
        Task::Reference(derived) => derived::end_of_part(conn, derived, first, PART)?,
        Task::Unknown | Task::Storage(_) => None,
    })
}
