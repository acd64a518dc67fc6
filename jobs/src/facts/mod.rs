//! The facts that recurrence and the comparison of peers read, loaded from the register; and the frames, exposures and
//! text sketches made of them. Live statistics read [`crate::snapshot`] instead.

mod about;
mod allegations;
mod branches;
mod changes;
mod compact_complaints;
pub mod days;
pub mod exposure;
pub mod frames;
pub mod lookback;
pub mod minhash;
pub mod monthly;
mod monthly_workload;
mod numbered;
mod officer_workload;
pub mod present;
pub mod rewind;
mod texts;
mod types;

pub use about::About;
pub use allegations::{AllegationFact, Allegations};
pub use changes::{Change, Changes};
pub use compact_complaints::{ComplaintFact, Complaints};
pub use monthly_workload::{Workload, WorkloadFact, WorkloadRow};
pub use types::{ById, CategoryFact, EnterpriseFact, Facts, Subject};

use crate::JobError;
use crate::row_by_row::for_each;
use chrono::{Months, NaiveDate};
use diesel::connection::DefaultLoadingMode;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use schema::db::cancellation::check_cancelled;
use schema::db::dialect::{KEYS_PER_QUERY, about_rows, current_position};
use schema::domain::calendar::start_of_day;
use schema::enums::CategoryKind;
use schema::models::{Posting, Unit, UnitParent};
use schema::queries::linked_complaints;
use schema::tables::{
    complaint_officers, complaints, enterprises, issue_categories, officers, postings, unit_parents, units, workload,
};
use schema::{Conn, Id, StoreError};
use std::collections::HashSet;

/// A list of columns: a constant needs its type, which has the same words.
macro_rules! columns {
    ($(#[$about:meta])* $name:ident: $($column:path),+ $(,)?) => {
        $(#[$about])*
        const $name: ($($column,)+) = ($($column,)+);
    };
}

columns! {
    /// The columns of a [`ComplaintFact`].
    COMPLAINT:
    complaints::id,
    complaints::received_at,
    complaints::occurred_at,
    complaints::enterprise_id,
    complaints::unit_id,
    complaints::category_id,
    complaints::state,
    complaints::state_since,
    complaints::finding,
    complaints::decided_on,
    complaints::received_precision,
}

columns! {
    /// The columns of an [`AllegationFact`].
    ALLEGATION:
    complaint_officers::complaint_id,
    complaint_officers::officer_id,
    complaint_officers::category_id,
    complaint_officers::unit_id,
    complaint_officers::attribution,
    complaint_officers::finding,
    complaint_officers::decided_on,
}

columns! {
    /// The columns of an [`EnterpriseFact`], and its id.
    ENTERPRISE: enterprises::id, enterprises::tax_code, enterprises::group_code
}

type EnterpriseRow = (Id, String, Option<String>);

fn enterprise_fact((id, tax_code, group_code): EnterpriseRow) -> (Id, EnterpriseFact) {
    (id, EnterpriseFact { tax_code, group_code })
}

columns! {
    /// The columns of a [`WorkloadFact`].
    WORKLOAD: workload::unit_id, workload::officer_id, workload::month, workload::declarations
}

/// The rows of a table; on PostgreSQL about as many, where counting a large table takes long.
macro_rules! rows_of {
    ($conn:ident, $table:ident) => {
        match about_rows($conn, stringify!($table))? {
            Some(rows) => rows,
            None => usize::try_from($table::table.count().get_result::<i64>($conn)?).unwrap_or(0),
        }
    };
}

/// The length to reserve for a list of about so many rows: what is reserved takes no memory before it is used, and a
/// list that grows is copied.
fn room(rows: usize) -> usize {
    rows + rows / 8
}

impl Facts {
    /// Removes the complaints that name an officer.
    pub fn remove_naming(&mut self, officer: Id) {
        let names = |complaint: &Id| self.allegations.of(*complaint).any(|row| row.officer_id == officer);
        let naming: HashSet<Id> = self.allegations.complaints().filter(names).collect();
        self.complaints.retain(|complaint| !naming.contains(&complaint));
        self.allegations.retain(|complaint| !naming.contains(&complaint));
    }

    /// Reads all facts but the texts and the workload. Call it in a read that sees one snapshot of the database.
    ///
    /// # Errors
    /// When the database fails or the work is cancelled.
    pub fn load_without_workload(conn: &mut Conn) -> Result<Self, JobError> {
        let mut facts = Self::load_reference(conn)?;
        facts.load_all_complaints(conn)?;
        Ok(facts)
    }

    /// Reads all complaints with their allegations.
    fn load_all_complaints(&mut self, conn: &mut Conn) -> Result<(), JobError> {
        // Lists that grow row by row would take twice the memory at their end.
        self.complaints.reserve(room(rows_of!(conn, complaints)));
        // SQLite would follow an order by id through the table, page after page for each row.
        for_each!(conn, complaints::table.select(COMPLAINT), ComplaintFact, |row| self.complaints.push(&row));
        check_cancelled()?;
        self.complaints.sort();
        self.allegations = Allegations::with_capacity(room(rows_of!(conn, complaint_officers)));
        let allegations = complaint_officers::table
            .order((complaint_officers::complaint_id, complaint_officers::officer_id, complaint_officers::ordinal))
            .select(ALLEGATION);
        for_each!(conn, allegations, AllegationFact, |row| self.allegations.push(&row));
        check_cancelled()?;
        Ok(())
    }

    /// Reads the workload as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load_workload(conn: &mut Conn) -> Result<Workload, JobError> {
        let mut found = Workload::with_capacity(room(rows_of!(conn, workload)));
        for_each!(conn, workload::table.select(WORKLOAD), WorkloadFact, |row| found.push(&row));
        Ok(found)
    }

    /// Reads the workload with the ids of its rows, by which [`rewind::rewind`] finds what later changes touched.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load_workload_with_ids(conn: &mut Conn) -> Result<Workload, JobError> {
        let mut found = Workload::with_capacity(room(rows_of!(conn, workload)));
        let rows = workload::table.select((workload::id, WORKLOAD));
        for_each!(conn, rows, (Id, WorkloadFact), |row| found.push_with_id(row.0, &row.1));
        Ok(found)
    }

    /// Reads the facts of complaints received on a day or later, without texts and workload.
    ///
    /// # Errors
    /// When the database fails or the work is cancelled.
    pub fn load_since(conn: &mut Conn, day: NaiveDate) -> Result<Self, JobError> {
        let mut facts = Self::load_reference(conn)?;
        let rows: Vec<ComplaintFact> =
            complaints::table.filter(complaints::received_at.ge(start_of_day(day))).select(COMPLAINT).load(conn)?;
        check_cancelled()?;
        rows.iter().for_each(|row| facts.complaints.push(row));
        facts.complaints.sort();
        let ids: Vec<Id> = facts.complaints.ids().collect();
        facts.load_allegations(conn, &ids)?;
        Ok(facts)
    }

    /// Reads the allegations of some complaints.
    fn load_allegations(&mut self, conn: &mut Conn, complaints: &[Id]) -> Result<(), JobError> {
        for chunk in complaints.chunks(KEYS_PER_QUERY) {
            let rows: Vec<AllegationFact> = complaint_officers::table
                .filter(complaint_officers::complaint_id.eq_any(chunk))
                .order((complaint_officers::complaint_id, complaint_officers::officer_id, complaint_officers::ordinal))
                .select(ALLEGATION)
                .load(conn)?;
            check_cancelled()?;
            rows.iter().for_each(|row| self.allegations.push(row));
        }
        Ok(())
    }

    /// Reads what is of no single complaint, except the workload.
    fn load_reference(conn: &mut Conn) -> Result<Self, JobError> {
        let mut facts = Self::load_organisation(conn)?;
        facts.load_officer_codes(conn)?;
        facts.load_all_enterprises(conn)?;
        Ok(facts)
    }

    /// Reads the codes of all officers.
    fn load_officer_codes(&mut self, conn: &mut Conn) -> Result<(), JobError> {
        self.officer_codes.reserve(rows_of!(conn, officers));
        let officer_codes = officers::table.select((officers::id, officers::code));
        for_each!(conn, officer_codes, (Id, String), |row| self.officer_codes.extend([row]));
        Ok(())
    }

    /// Reads all enterprises.
    fn load_all_enterprises(&mut self, conn: &mut Conn) -> Result<(), JobError> {
        self.enterprises.reserve(rows_of!(conn, enterprises));
        let rows = enterprises::table.select(ENTERPRISE);
        for_each!(conn, rows, EnterpriseRow, |row| self.enterprises.extend([enterprise_fact(row)]));
        Ok(())
    }

    /// Reads units, postings, categories and links between complaints.
    fn load_organisation(conn: &mut Conn) -> Result<Self, JobError> {
        let position = current_position(conn)?;
        let unit_rows: Vec<Unit> = units::table.select(Unit::as_select()).load(conn)?;
        let mut parents: ById<Vec<UnitParent>> = ById::default();
        let parent_rows: Vec<UnitParent> = unit_parents::table.select(UnitParent::as_select()).load(conn)?;
        for row in parent_rows {
            parents.entry(row.unit_id).or_default().push(row);
        }
        let mut posted: ById<Vec<Posting>> = ById::default();
        for_each!(conn, postings::table.select(Posting::as_select()), Posting, |row| {
            posted.entry(row.officer_id).or_default().push(row);
        });
        // Most officers have one posting or two, and a list that grows has room for four.
        posted.values_mut().for_each(Vec::shrink_to_fit);
        let category_rows = issue_categories::table
            .select((issue_categories::id, issue_categories::kind, issue_categories::serious))
            .load::<(Id, CategoryKind, bool)>(conn)?;
        Ok(Self {
            units: unit_rows.into_iter().map(|unit| (unit.id, unit)).collect(),
            parents,
            postings: posted,
            categories: category_rows
                .into_iter()
                .map(|(id, kind, serious)| (id, CategoryFact { kind, serious }))
                .collect(),
            duplicates: linked_complaints(conn)?.into_iter().collect(),
            position,
            ..Self::default()
        })
    }

    /// Reads only what exposures of officers between two days are made of: their postings, and their workload from a
    /// year before `from` on, because a month without workload takes the rate of an earlier one.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load_work(conn: &mut Conn, from: NaiveDate, until: NaiveDate) -> Result<Self, StoreError> {
        let since = from.checked_sub_months(Months::new(12)).unwrap_or(from);
        let mut facts = Self::default();
        let posting_rows: Vec<Posting> = postings::table.select(Posting::as_select()).load(conn)?;
        for row in posting_rows {
            facts.postings.entry(row.officer_id).or_default().push(row);
        }
        let handled: Vec<WorkloadFact> = workload::table
            .filter(workload::officer_id.is_not_null())
            .filter(workload::month.ge(since))
            .filter(workload::month.le(until))
            .select(WORKLOAD)
            .load(conn)?;
        handled.iter().for_each(|row| facts.workload.push(row));
        Ok(facts)
    }

    /// Whether every officer whom an allegation names has a code.
    pub fn names_known_officers(&self) -> bool {
        self.allegations.officers().all(|officer| self.officer_codes.contains_key(&officer))
    }

    /// Whether a complaint, or an allegation in it, is about conduct.
    pub fn is_about_conduct(&self, fact: &ComplaintFact) -> bool {
        let is_conduct = |category: Option<Id>| {
            category
                .and_then(|id| self.categories.get(&id))
                .is_some_and(|category| category.kind == CategoryKind::Conduct)
        };
        is_conduct(fact.category_id) || self.allegations.of(fact.id).any(|row| is_conduct(row.category_id))
    }
}
