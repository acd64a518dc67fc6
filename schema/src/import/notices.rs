//! What an import takes and a person should look at: told, and nothing rejected.

use super::kinds::Kind;
use super::looks::{Codes, without_hidden};
use super::row::{Columns, Row};
use crate::db::{Db, StoreError};
use crate::tables::{issue_categories, officers, units};
use csv::StringRecord;
use diesel::prelude::*;

/// Tells the first of them, and counts the rest.
pub struct Notices<'a> {
    tell: Box<dyn FnMut(&str) + 'a>,
    told: u64,
}

const TOLD: u64 = 20;

impl<'a> Notices<'a> {
    pub fn new(tell: impl FnMut(&str) + 'a) -> Self {
        Self { tell: Box::new(tell), told: 0 }
    }

    pub(super) fn notice(&mut self, message: &str) {
        self.told += 1;
        if self.told <= TOLD {
            (self.tell)(message);
        }
    }

    /// How many were not told.
    pub fn untold(&self) -> u64 {
        self.told.saturating_sub(TOLD)
    }
}

/// What a code names.
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

/// Looks at every row of a file for signs in codes that nobody sees, and for codes that look alike.
pub struct Watch {
    /// Fields that hold codes of something.
    fields: Vec<(usize, Named)>,
    codes: [Codes; 3],
    /// The field of the day received, where some of its formats name no day, and the rows that give a month alone.
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

    /// Takes signs that nobody sees out of cells that are no free text, and tells them.
    pub fn see(columns: &Columns<'_>, header: &[String], row: &mut Row, notices: &mut Notices<'_>) {
        if row.record.as_slice().is_ascii() {
            return;
        }
        let mut seen: Option<Vec<String>> = None;
        for place in columns.exact() {
            let Some((rest, hidden)) = row.record.get(*place).and_then(without_hidden) else { continue };
            notices.notice(&format!(
                "row {}, column {:?}: {hidden} cannot be seen and was left out: {:?} was read",
                row.line,
                header.get(*place).map(String::as_str).unwrap_or_default(),
                rest.trim()
            ));
            seen.get_or_insert_with(|| row.record.iter().map(str::to_owned).collect())[*place] = rest;
        }
        if let Some(cells) = seen {
            row.record = StringRecord::from(cells);
        }
    }

    /// Notes the codes of a row.
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

    /// Tells rows that give a month alone, and codes of the file that look like others of the file or of the register.
    pub fn tell(&self, columns: &Columns<'_>, db: &Db, notices: &mut Notices<'_>) -> Result<(), StoreError> {
        if let Some((field, rows @ 1..)) = self.by_month {
            notices.notice(&format!(
                "column {:?}: {rows} rows give the month of receipt without its day. They count on the day that the mapping says \
                 (month_means), and windows shorter than 90 days are left out for whom they are about",
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
