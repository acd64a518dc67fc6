//! The facts that statistics read, as they stand in the register now.

use crate::JobError;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::current_position;
use schema::enums::{Attribution, CategoryKind, ComplaintState, Finding};
use schema::models::{Posting, Unit, UnitParent};
use schema::tables::{
    complaint_officers, complaints, enterprises, issue_categories, officers, postings, unit_parents, units,
};
use schema::{Conn, Id, Timestamp};
use std::collections::HashMap;

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
    /// The position at which they were read.
    pub position: i64,
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
            ))
            .load(conn)?;
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
            position,
        })
    }
}
