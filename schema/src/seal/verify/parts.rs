//! The register, part by part: each part is read at one state of the database, and fits into memory whatever the size
//! of the register is.

use super::derived::{self, Derived};
use crate::db::{Conn, StoreError};
use crate::sql_types::Id;
use crate::tables::{complaint_events, complaints};
use diesel::prelude::*;
use std::collections::VecDeque;
use uuid::Uuid;

/// Things of a part.
const PART: i64 = 2_000;

/// What is verified.
#[derive(Debug, Clone, Copy)]
pub enum Task {
    Complaints,
    Reference(Derived),
    /// Events of entities that the program does not know.
    Unknown,
}

/// Which things of it: those of a range of ids, both ends included, or those of a list.
#[derive(Debug)]
pub enum Part {
    Range(Id, Id),
    Ids(Vec<Id>),
}

/// Rows of a part, by the column that holds the id.
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

/// Parts that wait to be verified.
pub struct Queue {
    waiting: VecDeque<(Task, Rest)>,
}

enum Rest {
    From(Id),
    Ids(Vec<Id>),
}

impl Queue {
    /// Everything.
    pub fn of_all() -> Self {
        let tasks = std::iter::once(Task::Complaints)
            .chain(Derived::ALL.iter().copied().map(Task::Reference))
            .chain(std::iter::once(Task::Unknown));
        Self { waiting: tasks.map(|task| (task, Rest::From(FIRST))).collect() }
    }

    /// Some things of each kind.
    pub fn of_some(tasks: impl IntoIterator<Item = (Task, Vec<Id>)>) -> Self {
        Self { waiting: tasks.into_iter().map(|(task, ids)| (task, Rest::Ids(ids))).collect() }
    }

    /// The next part; None where nothing is left.
    pub fn next(&mut self, conn: &mut Conn) -> Result<Option<(Task, Part)>, StoreError> {
        loop {
            let Some((task, rest)) = self.waiting.pop_front() else { return Ok(None) };
            match rest {
                Rest::From(first) => {
                    let last = end_of_part(conn, task, first)?.unwrap_or(LAST);
                    if last != LAST {
                        let next = Id(Uuid::from_u128(last.0.as_u128() + 1));
                        self.waiting.push_front((task, Rest::From(next)));
                    }
                    return Ok(Some((task, Part::Range(first, last))));
                }
                Rest::Ids(mut ids) if !ids.is_empty() => {
                    let rest = ids.split_off(ids.len().min(usize::try_from(PART).unwrap_or(usize::MAX)));
                    self.waiting.push_front((task, Rest::Ids(rest)));
                    return Ok(Some((task, Part::Ids(ids))));
                }
                Rest::Ids(_) => {}
            }
        }
    }

    /// Leaves the rest.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// The last id of the part that begins with an id; None where that part is the last.
fn end_of_part(conn: &mut Conn, task: Task, first: Id) -> Result<Option<Id>, StoreError> {
    Ok(match task {
        Task::Complaints => {
            let of_rows = complaints::table
                .filter(complaints::id.ge(first))
                .order(complaints::id)
                .offset(PART - 1)
                .select(complaints::id)
                .first::<Id>(conn)
                .optional()?;
            // Also where the rows were removed, their events come in parts.
            let of_events = complaint_events::table
                .filter(complaint_events::complaint_id.ge(first))
                .select(complaint_events::complaint_id)
                .distinct()
                .order(complaint_events::complaint_id)
                .offset(PART - 1)
                .first::<Id>(conn)
                .optional()?;
            of_rows.into_iter().chain(of_events).min()
        }
        Task::Reference(derived) => derived::end_of_part(conn, derived, first, PART)?,
        Task::Unknown => None,
    })
}
