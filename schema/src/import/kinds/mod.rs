//! The kinds of import, one for each kind of entity (complaints, units, ...). A kind defines its fields, the key by
//! which rows are grouped into entities, and how a batch of entities is stored.

mod categories;
mod complaints;
mod context;
mod enterprises;
mod incidents;
mod officers;
mod postings;
mod reference_resolver;
mod responses;
mod units;
mod workload;

use super::field::{FieldSpec, KindSpec};
use super::row::{Cells, Columns, Row};
use super::stage::Group;
use super::{ImportError, Mapping, Reject};
use crate::db::{StoreError, WriteTx};
use crate::register::reference::{Change, Stored, upsert_keeping};
use complaints::ParsedBatch;
pub(super) use context::Context;
use std::path::Path;

/// The kind of entity that a file holds.
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

/// The result of importing one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    Imported,
    Updated,
    Unchanged,
    Rejected(Vec<Reject>),
}

impl From<Change> for RowOutcome {
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

    /// The key that all rows of one entity share.
    ///
    /// # Errors
    /// A reject where a part of the key is blank or cannot be read.
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

    /// Whether the whole file is one transaction: units and categories refer to one another across the file.
    pub(super) fn is_one_transaction(self) -> bool {
        matches!(self, Self::Units | Self::Categories)
    }

    /// Reads the entities of a batch as far as the register is not needed for it. Kinds other than complaints read
    /// them while they store them: their files are shorter.
    pub(super) fn parse(self, columns: &Columns<'_>, groups: Vec<Group>) -> Batch {
        let parsed_batch = match self {
            Self::Complaints => complaints::parse(columns, &groups),
            _ => ParsedBatch::default(),
        };
        Batch { groups, parsed_batch }
    }

    /// Stores a batch; it may be stored again, where its transaction fails.
    ///
    /// # Errors
    /// If the database fails. A row that breaks a rule is rejected, and is no error.
    pub(super) fn apply(
        self,
        tx: &mut WriteTx<'_>,
        context: &Context<'_>,
        batch: &mut Batch,
    ) -> Result<Vec<RowOutcome>, StoreError> {
        let Batch { groups, parsed_batch } = batch;
        match self {
            Self::Complaints => complaints::apply(tx, context, groups, parsed_batch),
            Self::Units => units::apply(tx, context, groups),
            Self::Officers => officers::apply(tx, context, groups),
            Self::Postings => postings::apply(tx, context, groups),
            Self::Enterprises => enterprises::apply(tx, context, groups),
            Self::Categories => categories::apply(tx, context, groups),
            Self::Workload => workload::apply(tx, context, groups),
            Self::Incidents => incidents::apply(tx, context, groups),
            Self::Responses => responses::apply(tx, context, groups),
        }
    }
}

/// Entities that are ready to be stored.
pub(super) struct Batch {
    pub groups: Vec<Group>,
    parsed_batch: ParsedBatch,
}

impl Mapping {
    /// Reads the mapping of a file.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no mapping for this kind.
    pub fn load(path: &Path, kind: Kind) -> Result<Self, ImportError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ImportError::Open { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string(), kind)
    }

    /// Reads a mapping from a text; `path` is what errors call it.
    ///
    /// # Errors
    /// If it is not a mapping for this kind.
    pub fn parse(text: &str, path: &str, kind: Kind) -> Result<Self, ImportError> {
        let has_several_rows = kind == Kind::Complaints;
        Self::checked(text, path, &KindSpec { name: kind.name(), fields: kind.fields(), has_several_rows })
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("{name:?} is not a kind of import: use one of {}", names.join(", "))
        })
    }
}

/// A code that must not be blank.
fn required(cells: &Cells<'_>, field: usize) -> Result<String, Reject> {
    cells.code(field)?.ok_or_else(|| cells.reject(field, "is blank"))
}

/// The row of an entity that takes exactly one row. Identical repeated rows count as one; differing rows are an error.
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

/// Stores entities that are one row of one table each, except those that were rejected. `keep(new, stored)` restores
/// the stored values that the mapping does not fill.
fn store<M: Stored>(
    tx: &mut WriteTx<'_>,
    read: Vec<Result<M, Vec<Reject>>>,
    keep: impl Fn(&mut M, &M),
) -> Result<Vec<RowOutcome>, StoreError> {
    let rows = read.iter().flatten().cloned().collect();
    let mut changes = upsert_keeping(tx, rows, keep)?.into_iter();
    Ok(read
        .into_iter()
        .map(|row| match row {
            Ok(_) => changes.next().map_or(RowOutcome::Unchanged, RowOutcome::from),
            Err(rejects) => RowOutcome::Rejected(rejects),
        })
        .collect())
}

/// Reads entities that take one row each.
fn read_each<M>(
    context: &Context<'_>,
    batch: &[Group],
    mut read: impl FnMut(&Cells<'_>) -> Result<M, Reject>,
) -> Vec<Result<M, Vec<Reject>>> {
    batch.iter().map(|group| only_row(context, group).and_then(|cells| read(&cells).map_err(|e| vec![e]))).collect()
}

/// Rejects entities for which `problem` returns a field and a reason, such as a reference to an unknown unit.
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

/// Builds the `keep` of [`store`]: fields that the mapping does not fill keep their stored values.
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

/// A reject of a whole row, without a column.
fn against(row: &Row, reason: impl Into<String>) -> Reject {
    Reject { row: row.line, column: String::new(), reason: reason.into() }
}
