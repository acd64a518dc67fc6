//! Flags: one for each subject, kept up by every run, with what each run said of it.

use crate::canonical::numbers;
use crate::recurrence::{Assessment, Rules, reason};
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::rows_per_insert;
use schema::db::{StoreError, WriteTx};
use schema::each;
use schema::enums::{FlagState, RunState, SubjectKind, Tier};
use schema::models::{Flag, FlagAssessment};
use schema::tables::{flag_assessments, flags, job_runs, officers, units};
use schema::{Conn, Id, JsonValue};
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// The id of the flag of a subject.
pub fn flag_id(kind: SubjectKind, subject: Id) -> Id {
    Id(Uuid::new_v5(&subject.0, kind.as_str().as_bytes()))
}

/// Stores what a run found: a flag is opened, changed or expires. A run as of a day before that of an
/// earlier run changes no flag; whom it alone finds gets one that has expired. Returns how many of each.
pub fn store(
    tx: &mut WriteTx<'_>,
    run_id: Id,
    as_of: NaiveDate,
    rules: &Rules,
    assessments: &[Assessment],
) -> Result<Value, StoreError> {
    // A look back says what a run of then would have said; the flags of today stay.
    let newest: Option<NaiveDate> = job_runs::table
        .filter(job_runs::job.eq(crate::work::recurrence::NAME))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .select(diesel::dsl::max(job_runs::as_of))
        .first(tx.conn)?;
    let looks_back = newest.is_some_and(|newest| newest > as_of);
    let before: Vec<Flag> = flags::table.select(Flag::as_select()).load(tx.conn)?;
    let mut before: HashMap<Id, Flag> = before.into_iter().map(|flag| (flag.id, flag)).collect();
    let mut opened = Vec::new();
    let (mut changed, mut expired) = (0, 0);
    let mut rows = Vec::with_capacity(assessments.len());
    for assessment in assessments {
        let id = flag_id(assessment.kind, assessment.subject.id);
        match before.remove(&id) {
            None => opened.push(Flag {
                id,
                subject_kind: assessment.kind,
                officer_id: (assessment.kind == SubjectKind::Officer).then_some(assessment.subject.id),
                unit_id: (assessment.kind == SubjectKind::Branch).then_some(assessment.subject.id),
                tier: assessment.tier,
                state: if looks_back { FlagState::Expired } else { FlagState::Open },
                run_id,
                opened_at: tx.now,
                changed_at: tx.now,
            }),
            Some(_) if looks_back => {}
            Some(mut flag) => {
                let reopens = matches!(flag.state, FlagState::Expired | FlagState::Retracted);
                if reopens || flag.tier != assessment.tier {
                    changed += 1;
                    flag.changed_at = tx.now;
                }
                if reopens {
                    flag.state = FlagState::Open;
                }
                flag.tier = assessment.tier;
                flag.run_id = run_id;
                update(tx.conn, &flag)?;
            }
        }
        let reason = reason(assessment, as_of, rules);
        rows.push(FlagAssessment {
            flag_id: id,
            run_id,
            tier: assessment.tier,
            numbers: JsonValue(numbers(assessment)),
            reason_vi: reason.vi,
            reason_en: reason.en,
            evidence: JsonValue(json!(assessment.evidence)),
        });
    }
    let gone = if looks_back { HashMap::new() } else { before };
    for mut flag in gone.into_values() {
        if matches!(flag.state, FlagState::Open | FlagState::Acknowledged | FlagState::UnderReview) {
            expired += 1;
            flag.state = FlagState::Expired;
            flag.changed_at = tx.now;
            update(tx.conn, &flag)?;
        }
    }
    for chunk in opened.chunks(rows_per_insert(9)) {
        each!(&mut *tx.conn, c => diesel::insert_into(flags::table).values(chunk).execute(c)?);
    }
    for chunk in rows.chunks(rows_per_insert(7)) {
        each!(&mut *tx.conn, c => diesel::insert_into(flag_assessments::table).values(chunk).execute(c)?);
    }
    let of = |tier: Tier| assessments.iter().filter(|assessment| assessment.tier == tier).count();
    Ok(json!({
        "flagged": assessments.len(),
        "looksBack": looks_back,
        "opened": opened.len(),
        "changed": changed,
        "expired": expired,
        "watch": of(Tier::Watch),
        "review": of(Tier::Review),
        "suspensionReview": of(Tier::SuspensionReview),
    }))
}

fn update(conn: &mut Conn, flag: &Flag) -> Result<(), StoreError> {
    each!(conn, c => diesel::update(flags::table.find(flag.id)).set(flag).execute(c)?);
    Ok(())
}

/// A flag as a run stored it, with its subject's code.
#[derive(Debug, Clone)]
pub struct Stored {
    pub flag: Flag,
    pub code: String,
    pub assessment: FlagAssessment,
    /// In the form that is hashed.
    pub output: Value,
}

/// All flags with the assessment of the last run that flagged them, in the order of (kind, code).
pub fn all(conn: &mut Conn) -> Result<Vec<Stored>, StoreError> {
    let rows: Vec<(Flag, FlagAssessment)> = flags::table
        .inner_join(
            flag_assessments::table
                .on(flag_assessments::flag_id.eq(flags::id).and(flag_assessments::run_id.eq(flags::run_id))),
        )
        .select((Flag::as_select(), FlagAssessment::as_select()))
        .load(conn)?;
    with_codes(conn, rows)
}

/// What one run found, in the order of (kind, code).
pub fn of_run(conn: &mut Conn, run_id: Id) -> Result<Vec<Stored>, StoreError> {
    let rows: Vec<(Flag, FlagAssessment)> = flag_assessments::table
        .inner_join(flags::table.on(flags::id.eq(flag_assessments::flag_id)))
        .filter(flag_assessments::run_id.eq(run_id))
        .select((Flag::as_select(), FlagAssessment::as_select()))
        .load(conn)?;
    with_codes(conn, rows)
}

fn with_codes(conn: &mut Conn, rows: Vec<(Flag, FlagAssessment)>) -> Result<Vec<Stored>, StoreError> {
    let officer_codes: HashMap<Id, String> =
        officers::table.select((officers::id, officers::code)).load::<(Id, String)>(conn)?.into_iter().collect();
    let unit_codes: HashMap<Id, String> =
        units::table.select((units::id, units::code)).load::<(Id, String)>(conn)?.into_iter().collect();
    let mut found: Vec<Stored> = rows
        .into_iter()
        .map(|(flag, assessment)| {
            let officer = flag.officer_id.and_then(|id| officer_codes.get(&id));
            let code = officer.or_else(|| flag.unit_id.and_then(|id| unit_codes.get(&id))).cloned().unwrap_or_default();
            let output = json!({
                "kind": flag.subject_kind,
                "code": code,
                "tier": assessment.tier,
                "numbers": assessment.numbers.0,
                "evidence": assessment.evidence.0,
            });
            Stored { flag, code, assessment, output }
        })
        .collect();
    found.sort_by(|a, b| (a.flag.subject_kind, &a.code).cmp(&(b.flag.subject_kind, &b.code)));
    Ok(found)
}
