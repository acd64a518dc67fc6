//! The facts about one officer or branch as of an earlier register position. They are found by keys, so that a question
//! about one subject reads few rows of a large register.

use crate::JobError;
use crate::facts::frames::COMPARED_TEXTS;
use crate::facts::rewind::rewind;
use crate::facts::{COMPLAINT, Change, Changes, ComplaintFact, ENTERPRISE, EnterpriseRow, Facts, enterprise_fact};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::cancellation::check_cancelled;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::enums::SubjectKind;
use schema::events::Entity;
use schema::tables::{complaint_events, complaint_officers, complaints, enterprises};
use schema::{Conn, Id, JsonValue};
use serde_json::Value;
use std::collections::HashSet;
use uuid::Uuid;

/// Positions whose events are read at once.
const POSITIONS: i64 = 256;

/// The subject whose complaints are asked for, and the day and position as of which.
#[derive(Debug, Clone, Copy)]
pub struct About {
    pub kind: SubjectKind,
    pub subject: Id,
    /// The register position.
    pub as_of_position: i64,
    /// The as-of day, for the texts.
    pub as_of: NaiveDate,
}

impl Facts {
    /// Reads the facts of all complaints that may count against a subject, and of others that may concern it otherwise,
    /// restored as of the position. Of enterprises it reads those of these complaints, and the one of `tax_code`; it
    /// reads no code of an officer and no workload. Call it in a read that sees one snapshot of the database.
    ///
    /// # Errors
    /// `History` when later events cannot be undone; when the database fails or the work is cancelled.
    pub fn load_about(conn: &mut Conn, about: About, tax_code: &str) -> Result<Self, JobError> {
        let About { kind, subject, as_of_position, as_of } = about;
        let mut facts = Self::load_organisation(conn)?;
        let is_of = |change: &Change, entity: Entity| change.entity == entity.as_str();
        let (mut of_enterprises, mut reference): (Vec<_>, Vec<_>) = Changes::load_reference(conn, as_of_position)?
            .into_iter()
            .partition(|change| is_of(change, Entity::Enterprise));
        reference.retain(|change| !is_of(change, Entity::Workload));
        let mut changes = Changes { complaints: Vec::new(), reference };
        rewind(&mut facts, &changes)?;

        let meant = Meant::of(&facts, kind, subject);
        let mut ids = meant.now(conn)?;
        ids.extend(meant.before(conn, as_of_position, facts.position)?);
        let ids: Vec<Id> = ids.into_iter().collect();
        facts.load_complaints(conn, &ids)?;
        changes.complaints = Changes::load_of(conn, as_of_position, &ids)?;
        facts.load_texts(conn, as_of - COMPARED_TEXTS, as_of, &changes)?;
        rewind(&mut facts, &Changes { complaints: changes.complaints, reference: Vec::new() })?;

        facts.load_enterprises(conn, tax_code)?;
        of_enterprises.retain(|change| facts.enterprises.contains_key(&change.id));
        rewind(&mut facts, &Changes { complaints: Vec::new(), reference: of_enterprises })?;
        Ok(facts)
    }

    /// Reads some complaints with all their allegations.
    fn load_complaints(&mut self, conn: &mut Conn, ids: &[Id]) -> Result<(), JobError> {
        for chunk in ids.chunks(KEYS_PER_QUERY) {
            let rows: Vec<ComplaintFact> =
                complaints::table.filter(complaints::id.eq_any(chunk)).select(COMPLAINT).load(conn)?;
            rows.iter().for_each(|row| self.complaints.push(row));
            check_cancelled()?;
        }
        self.complaints.sort();
        self.load_allegations(conn, ids)
    }

    /// Reads the enterprises of the complaints, and the one of a tax code.
    fn load_enterprises(&mut self, conn: &mut Conn, tax_code: &str) -> Result<(), JobError> {
        let ids: HashSet<Id> = self.complaints.iter().filter_map(|fact| fact.enterprise_id).collect();
        let ids: Vec<Id> = ids.into_iter().collect();
        for chunk in ids.chunks(KEYS_PER_QUERY) {
            let rows: Vec<EnterpriseRow> =
                enterprises::table.filter(enterprises::id.eq_any(chunk)).select(ENTERPRISE).load(conn)?;
            self.enterprises.extend(rows.into_iter().map(enterprise_fact));
            check_cancelled()?;
        }
        let of_code: Vec<EnterpriseRow> =
            enterprises::table.filter(enterprises::tax_code.eq(tax_code)).select(ENTERPRISE).load(conn)?;
        self.enterprises.extend(of_code.into_iter().map(enterprise_fact));
        Ok(())
    }
}

/// The criteria by which the complaints about a subject are found. They may find others, too.
struct Meant {
    /// The officer itself; of a branch, all that were ever posted in it or below it.
    officers: HashSet<Id>,
    /// A branch with all units that were ever below it; empty for an officer.
    units: HashSet<Id>,
}

impl Meant {
    fn of(facts: &Facts, kind: SubjectKind, subject: Id) -> Self {
        if kind == SubjectKind::Officer {
            return Self { officers: HashSet::from([subject]), units: HashSet::new() };
        }
        let units = facts.tree().ever_below(subject);
        let posted = facts.postings.iter();
        let posted = posted.filter(|(_, postings)| postings.iter().any(|posting| units.contains(&posting.unit_id)));
        Self { officers: posted.map(|(officer, _)| *officer).collect(), units }
    }

    /// The complaints that are found as they are now.
    fn now(&self, conn: &mut Conn) -> Result<HashSet<Id>, JobError> {
        let mut found = HashSet::new();
        let officers: Vec<Id> = self.officers.iter().copied().collect();
        for chunk in officers.chunks(KEYS_PER_QUERY) {
            let rows: Vec<(Id, Option<Id>)> = complaint_officers::table
                .filter(complaint_officers::officer_id.eq_any(chunk))
                .select((complaint_officers::complaint_id, complaint_officers::unit_id))
                .load(conn)?;
            // The posting of an officer says which branch is meant only where the allegation names no unit.
            let meant = rows.into_iter().filter(|(_, unit)| self.units.is_empty() || unit.is_none());
            found.extend(meant.map(|(complaint, _)| complaint));
            check_cancelled()?;
        }
        let units: Vec<Id> = self.units.iter().copied().collect();
        for chunk in units.chunks(KEYS_PER_QUERY) {
            let about: Vec<Id> =
                complaints::table.filter(complaints::unit_id.eq_any(chunk)).select(complaints::id).load(conn)?;
            let accusing: Vec<Id> = complaint_officers::table
                .filter(complaint_officers::unit_id.eq_any(chunk))
                .select(complaint_officers::complaint_id)
                .load(conn)?;
            found.extend(about.into_iter().chain(accusing));
            check_cancelled()?;
        }
        Ok(found)
    }

    /// The complaints that an event after `as_of_position` changed, and that were found before it.
    fn before(&self, conn: &mut Conn, as_of_position: i64, now: i64) -> Result<HashSet<Id>, JobError> {
        let mut found = HashSet::new();
        let mut after = as_of_position;
        while after < now {
            let until = now.min(after.saturating_add(POSITIONS));
            let rows: Vec<(Id, Option<JsonValue>)> = complaint_events::table
                .filter(complaint_events::position.gt(after))
                .filter(complaint_events::position.le(until))
                .filter(complaint_events::before.is_not_null())
                .select((complaint_events::complaint_id, complaint_events::before))
                .load(conn)?;
            let meant =
                rows.into_iter().filter(|(_, before)| before.as_ref().is_some_and(|fields| self.is_in(&fields.0)));
            found.extend(meant.map(|(complaint, _)| complaint));
            check_cancelled()?;
            after = until;
        }
        Ok(found)
    }

    /// Whether the fields of a complaint name an officer or a unit that is meant.
    fn is_in(&self, fields: &Value) -> bool {
        let names = |field: &Value, ids: &HashSet<Id>| {
            field.as_str().and_then(|text| text.parse::<Uuid>().ok()).is_some_and(|id| ids.contains(&Id(id)))
        };
        let is_meant = |row: &Value| names(&row["officer_id"], &self.officers) || names(&row["unit_id"], &self.units);
        names(&fields["unit_id"], &self.units) || fields["officers"].as_array().into_iter().flatten().any(is_meant)
    }
}
