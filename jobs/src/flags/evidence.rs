//! The complaints behind a flag, in readable form and as the register has them now.

use super::Stored;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::domain::calendar::local_date;
use schema::domain::ids::human_reference;
use schema::enums::{Finding, SubjectKind};
use schema::models::Complaint;
use schema::tables::complaints;
use schema::{Conn, Id, StoreError, queries};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashMap;

/// A complaint behind a flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidenceOf {
    pub id: Id,
    pub received_on: NaiveDate,
    pub reference: String,
    /// Its references in other registers.
    pub sources: Vec<SourceOf>,
    /// The code of its unit.
    pub unit: Option<String>,
    /// None for an anonymous complaint.
    pub enterprise: Option<EnterpriseOf>,
    /// The findings about the officer; for a branch, about all officers whom the complaint names. Without any, the
    /// complaint's own finding.
    pub findings: Vec<Finding>,
    pub text: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceOf {
    pub source: String,
    pub reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnterpriseOf {
    pub tax_code: String,
    pub name: Option<String>,
}

/// The complaints behind a flag, latest first.
///
/// # Errors
/// When the database fails; `Rule` when the evidence of the flag cannot be parsed.
pub fn evidence(conn: &mut Conn, stored: &Stored) -> Result<Vec<EvidenceOf>, StoreError> {
    let ids: Vec<Id> = serde_json::from_value(stored.assessment.evidence.0.clone()).map_err(|e| {
        StoreError::Rule(format!("the evidence of flag {} cannot be parsed: {e}", stored.assessment.flag_id))
    })?;
    let mut rows: Vec<Complaint> = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(KEYS_PER_QUERY) {
        rows.extend(
            complaints::table
                .filter(complaints::id.eq_any(chunk))
                .select(Complaint::as_select())
                .load::<Complaint>(conn)?,
        );
    }
    rows.sort_by_key(|row| Reverse((row.received_at, row.id)));
    let named = |of: fn(&Complaint) -> Option<Id>| {
        let mut ids: Vec<Id> = rows.iter().filter_map(of).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let units = queries::units_by_id(conn, &named(|row| row.unit_id))?;
    let enterprises = queries::enterprises_by_id(conn, &named(|row| row.enterprise_id))?;
    let mut sources = queries::sources_of(conn, &ids)?;
    let findings = findings(conn, stored, &ids)?;
    let all = rows.into_iter().map(|row| EvidenceOf {
        id: row.id,
        received_on: local_date(row.received_at),
        reference: human_reference(row.id),
        sources: sources
            .remove(&row.id)
            .unwrap_or_default()
            .into_iter()
            .map(|one| SourceOf { source: one.source, reference: one.reference })
            .collect(),
        unit: row.unit_id.and_then(|id| Some(units.get(&id)?.code.clone())),
        enterprise: row
            .enterprise_id
            .and_then(|id| enterprises.get(&id))
            .map(|one| EnterpriseOf { tax_code: one.tax_code.clone(), name: one.name.clone() }),
        findings: findings.get(&row.id).cloned().unwrap_or_else(|| row.finding.into_iter().collect()),
        text: row.text,
    });
    Ok(all.collect())
}

/// The distinct findings in each complaint about the subject of a flag.
fn findings(conn: &mut Conn, stored: &Stored, ids: &[Id]) -> Result<HashMap<Id, Vec<Finding>>, StoreError> {
    let officer = (stored.kind == SubjectKind::Officer).then_some(stored.subject);
    let mut found: HashMap<Id, Vec<Finding>> = HashMap::new();
    for (complaint, allegations) in queries::allegations_of(conn, ids)? {
        let about = allegations.iter().filter(|one| officer.is_none_or(|own| own == one.officer_id));
        let mut all: Vec<Finding> = about.map(|one| one.finding).collect();
        all.sort_unstable_by_key(|finding| finding.as_str());
        all.dedup();
        if !all.is_empty() {
            found.insert(complaint, all);
        }
    }
    Ok(found)
}
