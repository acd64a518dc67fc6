//! The facts that statistics read, loaded from the register; and the frames, exposures and text sketches made of
//! them.

mod changes;
pub mod days;
pub mod exposure;
pub mod frames;
pub mod lookback;
pub mod minhash;
pub mod monthly;
pub mod rewind;
mod types;

pub use changes::{Change, Changes};
pub use types::{AllegationFact, CategoryFact, ComplaintFact, EnterpriseFact, Facts, Subject, WorkloadFact};

use crate::JobError;
use crate::facts::minhash::TextSketch;
use chrono::{Months, NaiveDate};
use diesel::prelude::*;
use schema::db::cancellation::check_cancelled;
use schema::db::dialect::{KEYS_PER_QUERY, current_position};
use schema::domain::calendar::local_date;
use schema::enums::CategoryKind;
use schema::events::Entity;
use schema::models::{Posting, Unit, UnitParent};
use schema::queries::linked_complaints;
use schema::tables::{
    complaint_officers, complaints, enterprises, issue_categories, officers, postings, unit_parents, units, workload,
};
use schema::{Conn, Id, StoreError};
use std::collections::{HashMap, HashSet};

impl Facts {
    /// Removes the complaints that name an officer.
    pub fn remove_naming(&mut self, officer: Id) {
        let naming: HashSet<Id> = self
            .allegations
            .iter()
            .filter(|(_, rows)| rows.iter().any(|row| row.officer_id == officer))
            .map(|(complaint, _)| *complaint)
            .collect();
        self.complaints.retain(|complaint| !naming.contains(&complaint.id));
        self.allegations.retain(|complaint, _| !naming.contains(complaint));
    }

    /// Reads all facts but the texts. Call it in a read that sees one snapshot of the database.
    ///
    /// # Errors
    /// When the database fails or the work is cancelled.
    pub fn load(conn: &mut Conn) -> Result<Self, JobError> {
        let position = current_position(conn)?;
        let complaint_rows = complaints::table
            .order(complaints::id)
            .select((
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
            ))
            .load(conn)?;
        check_cancelled()?;
        let allegation_rows: Vec<AllegationFact> = complaint_officers::table
            .order((complaint_officers::complaint_id, complaint_officers::officer_id, complaint_officers::ordinal))
            .select((
                complaint_officers::complaint_id,
                complaint_officers::officer_id,
                complaint_officers::ordinal,
                complaint_officers::category_id,
                complaint_officers::unit_id,
                complaint_officers::attribution,
                complaint_officers::finding,
                complaint_officers::decided_on,
            ))
            .load(conn)?;
        check_cancelled()?;
        let mut allegations: HashMap<Id, Vec<AllegationFact>> = HashMap::new();
        for row in allegation_rows {
            allegations.entry(row.complaint_id).or_default().push(row);
        }
        let unit_rows: Vec<Unit> = units::table.select(Unit::as_select()).load(conn)?;
        let mut parents: HashMap<Id, Vec<UnitParent>> = HashMap::new();
        let parent_rows: Vec<UnitParent> = unit_parents::table.select(UnitParent::as_select()).load(conn)?;
        for row in parent_rows {
            parents.entry(row.unit_id).or_default().push(row);
        }
        let mut posted: HashMap<Id, Vec<Posting>> = HashMap::new();
        let posting_rows: Vec<Posting> = postings::table.select(Posting::as_select()).load(conn)?;
        for row in posting_rows {
            posted.entry(row.officer_id).or_default().push(row);
        }
        let officer_codes = officers::table.select((officers::id, officers::code)).load::<(Id, String)>(conn)?;
        let enterprise_rows = enterprises::table
            .select((enterprises::id, enterprises::tax_code, enterprises::group_code))
            .load::<(Id, String, Option<String>)>(conn)?;
        let category_rows = issue_categories::table
            .select((issue_categories::id, issue_categories::kind, issue_categories::serious))
            .load::<(Id, CategoryKind, bool)>(conn)?;
        let workload_rows = workload::table
            .select((workload::id, workload::unit_id, workload::officer_id, workload::month, workload::declarations))
            .load::<(Id, Id, Option<Id>, NaiveDate, i64)>(conn)?;
        Ok(Self {
            complaints: complaint_rows,
            allegations,
            units: unit_rows.into_iter().map(|unit| (unit.id, unit)).collect(),
            parents,
            postings: posted,
            officer_codes: officer_codes.into_iter().collect(),
            enterprises: enterprise_rows
                .into_iter()
                .map(|(id, tax_code, group_code)| (id, EnterpriseFact { tax_code, group_code }))
                .collect(),
            categories: category_rows
                .into_iter()
                .map(|(id, kind, serious)| (id, CategoryFact { kind, serious }))
                .collect(),
            workload: workload_rows
                .into_iter()
                .map(|(id, unit_id, officer_id, month, declarations)| {
                    (id, WorkloadFact { unit_id, officer_id, month, declarations })
                })
                .collect(),
            texts: HashMap::new(),
            duplicates: linked_complaints(conn)?.into_iter().collect(),
            position,
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
        let workload_rows = workload::table
            .filter(workload::officer_id.is_not_null())
            .filter(workload::month.ge(since))
            .filter(workload::month.le(until))
            .select((workload::id, workload::unit_id, workload::officer_id, workload::month, workload::declarations))
            .load::<(Id, Id, Option<Id>, NaiveDate, i64)>(conn)?;
        let fact = |(id, unit_id, officer_id, month, declarations)| {
            (id, WorkloadFact { unit_id, officer_id, month, declarations })
        };
        facts.workload = workload_rows.into_iter().map(fact).collect();
        Ok(facts)
    }

    /// Whether a complaint, or an allegation in it, is about conduct.
    pub fn is_about_conduct(&self, fact: &ComplaintFact) -> bool {
        let is_conduct = |category: Option<Id>| {
            category
                .and_then(|id| self.categories.get(&id))
                .is_some_and(|category| category.kind == CategoryKind::Conduct)
        };
        is_conduct(fact.category_id)
            || self.allegations.get(&fact.id).into_iter().flatten().any(|row| is_conduct(row.category_id))
    }

    /// Reads and sketches the texts of complaints about conduct received in (`after`, `until`], and of all complaints
    /// in `changes`, which may have been about conduct before the change. After a change of a category it reads all
    /// texts received in the period.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load_texts(
        &mut self,
        conn: &mut Conn,
        after: NaiveDate,
        until: NaiveDate,
        changes: &Changes,
    ) -> Result<(), JobError> {
        let touched: HashSet<Id> = changes.complaints.iter().map(|change| change.id).collect();
        let kinds_changed = changes.reference.iter().any(|change| change.entity == Entity::Category.as_str());
        let wanted: Vec<Id> = self
            .complaints
            .iter()
            .filter(|fact| {
                let received = local_date(fact.received_at);
                let in_time = after < received && received <= until;
                // A change may have moved the day of receipt.
                touched.contains(&fact.id) || in_time && (kinds_changed || self.is_about_conduct(fact))
            })
            .map(|fact| fact.id)
            .collect();
        for chunk in wanted.chunks(KEYS_PER_QUERY) {
            let rows = complaints::table
                .filter(complaints::id.eq_any(chunk))
                .select((complaints::id, complaints::text))
                .load::<(Id, Option<String>)>(conn)?;
            self.texts.extend(rows.into_iter().filter_map(|(id, text)| Some((id, TextSketch::of(&text?)))));
        }
        Ok(())
    }
}
