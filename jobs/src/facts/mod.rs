//! The facts that statistics read, as they stand in the register now.

pub mod exposure;
pub mod frames;
pub mod minhash;
pub mod monthly;
pub mod rewind;

use crate::JobError;
use crate::facts::minhash::TextSketch;
use crate::facts::rewind::Changes;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::cancellation::check_cancelled;
use schema::db::dialect::{KEYS_PER_QUERY, current_position};
use schema::domain::calendar::local_date;
use schema::enums::{Attribution, CategoryKind, ComplaintState, DatePrecision, Finding};
use schema::models::{Posting, Unit, UnitParent};
use schema::tables::{
    complaint_officers, complaints, enterprises, issue_categories, officers, postings, unit_parents, units, workload,
};
use schema::{Conn, Id, Timestamp};
use std::collections::{HashMap, HashSet};

/// A complaint, without what no statistic reads.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ComplaintFact {
    pub id: Id,
    pub received_at: Timestamp,
    pub occurred_at: Option<Timestamp>,
    pub enterprise_id: Option<Id>,
    pub unit_id: Option<Id>,
    pub category_id: Option<Id>,
    pub state: ComplaintState,
    pub state_since: Timestamp,
    /// Of a complaint that names no officer.
    pub finding: Option<Finding>,
    pub decided_on: Option<NaiveDate>,
    pub received_precision: Option<DatePrecision>,
}

/// An allegation against an officer.
#[derive(Debug, Clone, PartialEq, Queryable, serde::Deserialize)]
pub struct AllegationFact {
    #[serde(skip, default = "no_id")]
    pub complaint_id: Id,
    pub officer_id: Id,
    pub ordinal: i32,
    #[serde(default)]
    pub category_id: Option<Id>,
    #[serde(default)]
    pub unit_id: Option<Id>,
    pub attribution: Attribution,
    pub finding: Finding,
    #[serde(default)]
    pub decided_on: Option<NaiveDate>,
}

fn no_id() -> Id {
    Id(uuid::Uuid::nil())
}

#[derive(Debug, Clone, PartialEq)]
pub struct CategoryFact {
    pub kind: CategoryKind,
    pub serious: bool,
}

/// Everything a statistic reads.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// In the order of ids.
    pub complaints: Vec<ComplaintFact>,
    /// By complaint; in the order of (officer, ordinal).
    pub allegations: HashMap<Id, Vec<AllegationFact>>,
    pub units: HashMap<Id, Unit>,
    pub parents: HashMap<Id, Vec<UnitParent>>,
    pub postings: HashMap<Id, Vec<Posting>>,
    pub officer_codes: HashMap<Id, String>,
    /// What an enterprise counts as: its group, else its tax code without a branch.
    pub enterprises: HashMap<Id, EnterpriseFact>,
    pub categories: HashMap<Id, CategoryFact>,
    pub workload: HashMap<Id, WorkloadFact>,
    /// Sketches of the words of complaints about conduct: see [`Facts::load_texts`]. The words themselves are not
    /// kept, since all that is asked of them is whether they are alike.
    pub texts: HashMap<Id, TextSketch>,
    /// The position at which they were read.
    pub position: i64,
}

/// Declarations handled in a month, by a unit or by one officer of it.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct WorkloadFact {
    pub unit_id: Id,
    #[serde(default)]
    pub officer_id: Option<Id>,
    pub month: NaiveDate,
    pub declarations: i64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct EnterpriseFact {
    pub tax_code: String,
    pub group_code: Option<String>,
}

impl EnterpriseFact {
    /// Enterprises that count as one share this.
    pub fn counts_as(&self) -> String {
        match &self.group_code {
            Some(group) => format!("group:{group}"),
            None => schema::domain::tax_code::enterprise_of(&self.tax_code).to_owned(),
        }
    }
}

impl Facts {
    /// Takes out the complaints that name an officer.
    pub fn forget_what_names(&mut self, officer: Id) {
        let naming: HashSet<Id> = self
            .allegations
            .iter()
            .filter(|(_, rows)| rows.iter().any(|row| row.officer_id == officer))
            .map(|(complaint, _)| *complaint)
            .collect();
        self.complaints.retain(|complaint| !naming.contains(&complaint.id));
        self.allegations.retain(|complaint, _| !naming.contains(complaint));
    }

    /// Reads the facts. Call it within one read of the database that sees one state throughout.
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
            position,
        })
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

    /// Reads the words of complaints about conduct received in (`after`, `until`]. Whatever is said of
    /// `changes` may have been about conduct before them: its words are read too.
    pub fn load_texts(
        &mut self,
        conn: &mut Conn,
        after: NaiveDate,
        until: NaiveDate,
        changes: &Changes,
    ) -> Result<(), JobError> {
        let touched: HashSet<Id> = changes.complaints.iter().map(|change| change.id).collect();
        let kinds_changed = changes.reference.iter().any(|change| change.entity == "issue_category");
        let wanted: Vec<Id> = self
            .complaints
            .iter()
            .filter(|fact| {
                let received = local_date(fact.received_at);
                let in_time = after < received && received <= until;
                // Before the changes it may have been received on another day.
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
