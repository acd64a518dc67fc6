//! The kinds of things that can be imported. A kind is a list of fields, the key that brings its
//! rows together, and how a batch of things is stored.

mod categories;
mod complaints;
mod enterprises;
mod incidents;
mod officers;
mod postings;
mod reference_resolver;
mod responses;
mod units;
mod workload;

use super::field::FieldSpec;
use super::row::Cells;
use super::run::Context;
use super::stage::Group;
use super::{Reject, row::Row};
use crate::db::{StoreError, WriteTx};
use crate::register::reference::{Change, Stored, upsert_keeping};

/// What a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Complaints,
    Units,
    Officers,
    Postings,
    Enterprises,
    Categories,
    Workload,
    Incidents,
    Responses,
}

/// What became of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Imported,
    Updated,
    Unchanged,
    Rejected(Vec<Reject>),
}

impl From<Change> for Outcome {
    fn from(change: Change) -> Self {
        match change {
            Change::Created => Self::Imported,
            Change::Updated => Self::Updated,
            Change::Unchanged => Self::Unchanged,
        }
    }
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Complaints,
        Self::Units,
        Self::Officers,
        Self::Postings,
        Self::Enterprises,
        Self::Categories,
        Self::Workload,
        Self::Incidents,
        Self::Responses,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Complaints => "complaints",
            Self::Units => "units",
            Self::Officers => "officers",
            Self::Postings => "postings",
            Self::Enterprises => "enterprises",
            Self::Categories => "categories",
            Self::Workload => "workload",
            Self::Incidents => "incidents",
            Self::Responses => "responses",
        }
    }

    pub fn fields(self) -> &'static [FieldSpec] {
        match self {
            Self::Complaints => complaints::FIELDS,
            Self::Units => units::FIELDS,
            Self::Officers => officers::FIELDS,
            Self::Postings => postings::FIELDS,
            Self::Enterprises => enterprises::FIELDS,
            Self::Categories => categories::FIELDS,
            Self::Workload => workload::FIELDS,
            Self::Incidents => incidents::FIELDS,
            Self::Responses => responses::FIELDS,
        }
    }

    /// What the rows of one thing have in common.
    pub(super) fn key(self, cells: &Cells<'_>) -> Result<String, Reject> {
        match self {
            Self::Complaints => required(cells, complaints::REFERENCE),
            Self::Units => required(cells, units::CODE),
            Self::Officers => required(cells, officers::CODE),
            Self::Postings => required(cells, postings::OFFICER),
            Self::Enterprises => enterprises::key(cells),
            Self::Categories => required(cells, categories::CODE),
            Self::Workload => workload::key(cells),
            Self::Incidents => required(cells, incidents::REFERENCE),
            Self::Responses => responses::key(cells),
        }
    }

    /// Units and categories refer to one another across the whole file.
    pub(super) fn is_one_transaction(self) -> bool {
        matches!(self, Self::Units | Self::Categories)
    }

    pub(super) fn apply(
        self,
        tx: &mut WriteTx<'_>,
        context: &Context<'_>,
        batch: &[Group],
    ) -> Result<Vec<Outcome>, StoreError> {
        match self {
            Self::Complaints => complaints::apply(tx, context, batch),
            Self::Units => units::apply(tx, context, batch),
            Self::Officers => officers::apply(tx, context, batch),
            Self::Postings => postings::apply(tx, context, batch),
            Self::Enterprises => enterprises::apply(tx, context, batch),
            Self::Categories => categories::apply(tx, context, batch),
            Self::Workload => workload::apply(tx, context, batch),
            Self::Incidents => incidents::apply(tx, context, batch),
            Self::Responses => responses::apply(tx, context, batch),
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("{name:?} is no kind of import: write one of {}", known.join(", "))
        })
    }
}

/// A code without which a row is nothing.
fn required(cells: &Cells<'_>, field: usize) -> Result<String, Reject> {
    cells.code(field)?.ok_or_else(|| cells.reject(field, "is blank"))
}

/// The one row of a thing that is written on one row. Rows that repeat it word for word are one.
fn only_row<'g>(context: &'g Context<'_>, group: &'g Group) -> Result<Cells<'g>, Vec<Reject>> {
    let first = &group.rows[0];
    let other = group.rows.iter().find(|row| row.record != first.record);
    match other {
        None => Ok(context.columns.of(first)),
        Some(other) => Err(vec![Reject {
            row: other.line.max(first.line),
            column: String::new(),
            reason: format!("says of {:?} something else than row {}", group.name(), other.line.min(first.line)),
        }]),
    }
}

/// Stores things that are each one row of one table, where they could be read. `keep` puts back
/// what a mapping does not speak of and the register has.
fn store<M: Stored>(
    tx: &mut WriteTx<'_>,
    read: Vec<Result<M, Vec<Reject>>>,
    keep: impl Fn(&mut M, &M),
) -> Result<Vec<Outcome>, StoreError> {
    let rows = read.iter().flatten().cloned().collect();
    let mut changes = upsert_keeping(tx, rows, keep)?.into_iter();
    Ok(read
        .into_iter()
        .map(|row| match row {
            Ok(_) => changes.next().map_or(Outcome::Unchanged, Outcome::from),
            Err(rejects) => Outcome::Rejected(rejects),
        })
        .collect())
}

/// Reads things that are each written on one row.
fn read_each<M>(
    context: &Context<'_>,
    batch: &[Group],
    mut read: impl FnMut(&Cells<'_>) -> Result<M, Reject>,
) -> Vec<Result<M, Vec<Reject>>> {
    batch.iter().map(|group| only_row(context, group).and_then(|cells| read(&cells).map_err(|e| vec![e]))).collect()
}

/// Refuses things that refer to what the register does not know.
fn refuse<M>(
    context: &Context<'_>,
    batch: &[Group],
    read: &mut [Result<M, Vec<Reject>>],
    problem: impl Fn(&M) -> Option<(usize, &'static str)>,
) {
    for (group, row) in batch.iter().zip(read) {
        if let Some((field, reason)) = row.as_ref().ok().and_then(&problem) {
            *row = Err(vec![context.columns.of(&group.rows[0]).reject(field, reason)]);
        }
    }
}

/// Keeps fields that the mapping does not fill as the register has them.
macro_rules! keep_unmapped {
    ($model:ty, $context:expr, $($field:ident => $stored:ident),+ $(,)?) => {
        |row: &mut $model, stored: &$model| {
            $(if !$context.mapping.has($field) {
                row.$stored.clone_from(&stored.$stored);
            })+
        }
    };
}
use keep_unmapped;

/// A reason against a whole row.
fn against(row: &Row, reason: impl Into<String>) -> Reject {
    Reject { row: row.line, column: String::new(), reason: reason.into() }
}
