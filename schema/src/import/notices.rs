//! Notices: findings that reject no row, but that the author of the mapping should check.

use super::kinds::Kind;
use super::looks::{Codes, without_hidden};
use super::row::{Columns, Row};
use crate::db::{Db, StoreError};
use crate::tables::{issue_categories, officers, units};
use csv::StringRecord;
use diesel::prelude::*;

/// Reports the first 20 notices through a callback, and counts the rest.
pub struct Notices<'a> {
    report: Box<dyn FnMut(&str) + 'a>,
    reported: u64,
}

const MOST_REPORTED: u64 = 20;

impl<'a> Notices<'a> {
    pub fn new(report: impl FnMut(&str) + 'a) -> Self {
        Self { report: Box::new(report), reported: 0 }
    }

    pub(super) fn notice(&mut self, message: &str) {
        self.reported += 1;
        if self.reported <= MOST_REPORTED {
            (self.report)(message);
        }
    }

    /// Number of notices that were not reported.
    pub fn unreported(&self) -> u64 {
        self.reported.saturating_sub(MOST_REPORTED)
    }
}

/// The kind of entity that a code identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Unit,
    Officer,
    Category,
}

impl Named {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Unit, "unit"), (Self::Officer, "officer"), (Self::Category, "category")];

    fn of(kind: Kind, field: &str) -> Option<Self> {
        match (kind, field) {
            (Kind::Units, "code" | "parent") | (_, "unit" | "owner") => Some(Self::Unit),
            (Kind::Officers, "code") | (_, "officer") => Some(Self::Officer),
            (Kind::Categories, "code" | "parent") | (_, "category") => Some(Self::Category),
            _ => None,
        }
    }
}

/// Watches every row of a file for invisible characters, for codes that look alike, and for times of receipt that
/// give only a month.
pub struct Watch {
    /// Mapped fields that hold codes of units, officers or categories.
    fields: Vec<(usize, Named)>,
    codes: [Codes; 3],
    /// The field `received`, where its format may lack the day, and the number of rows that give only a month.
    by_month: Option<(usize, u64)>,
}

impl Watch {
    pub fn new(kind: Kind, columns: &Columns<'_>) -> Self {
        let fields = kind
            .fields()
            .iter()
            .enumerate()
            .filter(|(field, _)| columns.mapping.has(*field))
            .filter_map(|(field, spec)| Some((field, Named::of(kind, spec.name)?)))
            .collect();
        let received = kind.fields().iter().position(|spec| kind == Kind::Complaints && spec.name == "received");
        let rule = |field: &usize| columns.mapping.fields[*field].as_ref();
        let by_month = received.filter(|field| rule(field).is_some_and(|rule| rule.dates.may_be_by_month()));
        Self { fields, codes: Default::default(), by_month: by_month.map(|field| (field, 0)) }
    }

    /// Removes invisible characters from all mapped cells but free text, with a notice for each cell.
    pub fn strip_hidden(columns: &Columns<'_>, header: &[String], row: &mut Row, notices: &mut Notices<'_>) {
        if row.record.as_slice().is_ascii() {
            return;
        }
        let mut stripped: Option<Vec<String>> = None;
        for index in columns.exact() {
            let Some((rest, hidden)) = row.record.get(*index).and_then(without_hidden) else { continue };
            notices.notice(&format!(
                "row {}, column {:?}: {hidden} cannot be seen and was left out: {:?} was read",
                row.line,
                header.get(*index).map(String::as_str).unwrap_or_default(),
                rest.trim()
            ));
            stripped.get_or_insert_with(|| row.record.iter().map(str::to_owned).collect())[*index] = rest;
        }
        if let Some(cells) = stripped {
            row.record = StringRecord::from(cells);
        }
    }

    /// Records the codes of a row, and whether it gives only the month of receipt.
    pub fn note(&mut self, columns: &Columns<'_>, row: &Row) {
        let cells = columns.of(row);
        for (field, named) in &self.fields {
            if let Ok(Some(code)) = cells.text(*field) {
                self.codes[*named as usize].note(&code, row.line, columns.column_of(*field));
            }
        }
        if let Some((field, rows)) = &mut self.by_month {
            *rows += u64::from(cells.is_by_month(*field));
        }
    }

    /// Reports how many rows give only a month, and codes of the file that look like another code of the file or of
    /// the register.
    ///
    /// # Errors
    /// If the codes of the register cannot be read.
    pub fn report(&self, columns: &Columns<'_>, db: &Db, notices: &mut Notices<'_>) -> Result<(), StoreError> {
        if let Some((field, rows @ 1..)) = self.by_month {
            notices.notice(&format!(
                "column {:?}: {rows} rows give the month of receipt without its day. They count on the day that month_means sets \
                 in the mapping, and the officers and units concerned get no windows shorter than 90 days",
                columns.column_of(field)
            ));
        }
        for (named, what) in Named::ALL {
            let codes = &self.codes[named as usize];
            if codes.is_empty() {
                continue;
            }
            let register: Vec<String> = db.read(|conn| {
                Ok(match named {
                    Named::Unit => units::table.select(units::code).load(conn)?,
                    Named::Officer => officers::table.select(officers::code).load(conn)?,
                    Named::Category => issue_categories::table.select(issue_categories::code).load(conn)?,
                })
            })?;
            for message in codes.look_alikes(what, &register) {
                notices.notice(&message);
            }
        }
        Ok(())
    }
}
