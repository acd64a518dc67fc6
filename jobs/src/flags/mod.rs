//! Flags on officers and branches: one for each subject, updated by every run of the recurrence job, with one
//! assessment per run; their evidence, and reviews by the Board.

mod corrected;
mod evidence;
mod past_runs;
mod review;

pub use evidence::{EnterpriseOf, EvidenceOf, SourceOf, evidence};
pub use past_runs::{document_of_run, latest, latest_for, of_run};
pub use review::{Decision, explain, review, reviews};

use crate::analyses::recurrence::{Assessed, Assessment, Rules, reason, rule_of};
use crate::facts::frames::Frames;
use crate::run_hash::numbers;
use chrono::NaiveDate;
use diesel::prelude::*;
use polars::prelude::{IntoLazy, PolarsResult, col, lit};
use schema::db::dialect::{KEYS_PER_QUERY, rows_per_insert};
use schema::db::{StoreError, WriteTx};
use schema::each;
use schema::enums::{ComplaintEventKind, FlagState, Proposed, SubjectKind, Tier};
use schema::models::{Flag, FlagAssessment, FlagReview, JobRun};
use schema::register::complaints::CONTENT_HASH;
use schema::states::{StateTable, pair};
use schema::tables::{complaint_events, flag_assessments, flag_reviews, flags, officers, units};
use schema::{Conn, Id, JsonValue, Timestamp};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The id of the flag of a subject, derived from it (UUID v5).
pub fn flag_id(kind: SubjectKind, subject: Id) -> Id {
    Id(Uuid::new_v5(&subject.0, kind.as_str().as_bytes()))
}

/// The complaints of the longest window that count against each subject, flagged or not.
#[derive(Debug, Clone, Default)]
pub struct CountedComplaints {
    /// Whether the attribution of each complaint counts as CONFIRMED, by subject and complaint.
    by_subject: HashMap<(SubjectKind, Id), HashMap<Id, bool>>,
    /// All complaints received in the window.
    received: HashSet<Id>,
}

impl CountedComplaints {
    /// Collects the complaints from the assessments of both kinds.
    ///
    /// # Errors
    /// When a frame lacks a column.
    pub fn new(frames: &Frames, officers: &Assessed, branches: &Assessed) -> PolarsResult<Self> {
        let since = frames.spans.first().map_or(i32::MAX, |span| span.from);
        let mut by_subject: HashMap<(SubjectKind, Id), HashMap<Id, bool>> = HashMap::new();
        let kinds =
            [(SubjectKind::Officer, officers, &frames.officers), (SubjectKind::Branch, branches, &frames.branches)];
        for (kind, assessed, subjects) in kinds {
            let wanted = ["subject", "complaint", "confirmed"].map(col);
            let rows = assessed.rows.clone().lazy().filter(col("day").gt_eq(lit(since))).select(wanted).collect()?;
            let confirmed = rows.column("confirmed")?.bool()?;
            for ((subject, complaint), confirmed) in
                rows.column("subject")?.u32()?.iter().zip(rows.column("complaint")?.u32()?.iter()).zip(confirmed.iter())
            {
                let subject = subject.and_then(|index| subjects.get(index as usize));
                let complaint = complaint.and_then(|index| frames.complaints.get(index as usize));
                let (Some(subject), Some(complaint)) = (subject, complaint) else { continue };
                by_subject.entry((kind, subject.id)).or_default().insert(*complaint, confirmed == Some(true));
            }
        }
        let recent = col("day").gt_eq(lit(since));
        let all = frames.allegations.clone().lazy().filter(recent).select([col("complaint")]).collect()?;
        let received =
            all.column("complaint")?.u32()?.iter().filter_map(|index| frames.complaints.get(index? as usize).copied());
        Ok(Self { by_subject, received: received.collect() })
    }

    /// Whether a complaint of the evidence lies in the window but no longer counts against the subject. With
    /// `only_confirmed`, an attribution that is no longer CONFIRMED does not count either.
    fn was_corrected(&self, kind: SubjectKind, subject: Id, evidence: &[Id], only_confirmed: bool) -> bool {
        let counts = self.by_subject.get(&(kind, subject));
        let counts = |id: &Id| counts.and_then(|counts| counts.get(id)).is_some_and(|sure| *sure || !only_confirmed);
        evidence.iter().any(|id| self.received.contains(id) && !counts(id))
    }
}

/// Stores the assessments of a run and updates flags: a flag opens, changes, expires, or is retracted when its
/// evidence was corrected away. A dismissed or upheld flag reopens only on evidence that is new since that decision. A
/// run for an earlier day than the newest run changes no flag; its assessments are stored with the run alone.
/// Returns the summary of the run.
///
/// # Errors
/// When the database fails.
pub fn store(
    tx: &mut WriteTx<'_>,
    run: &JobRun,
    as_of: NaiveDate,
    rules: &Rules,
    assessments: &[Assessment],
    counted: &CountedComplaints,
) -> Result<Value, StoreError> {
    if past_runs::is_for_past_day(tx.conn, as_of)? {
        past_runs::store(tx, run, as_of, rules, assessments)?;
        return Ok(summary(assessments, true, &Changed::default()));
    }
    let run_id = run.id;
    // Locks all flags on PostgreSQL, so that no review runs concurrently; SQLite has one writer.
    if let Conn::Pg(c) = &mut *tx.conn {
        flags::table.order(flags::id).select(flags::id).for_no_key_update().load::<Id>(c)?;
    }
    let before: Vec<Flag> = flags::table.select(Flag::as_select()).load(tx.conn)?;
    let mut before: HashMap<Id, Flag> = before.into_iter().map(|flag| (flag.id, flag)).collect();
    let decided = decisions(tx.conn)?;
    let changes = last_changes(tx.conn, assessments, &decided)?;
    let mut opened = Vec::new();
    // Most flags are found again as they were: only their run changes.
    let mut found_again: Vec<Id> = Vec::new();
    let mut count = Changed::default();
    let mut rows = Vec::with_capacity(assessments.len());
    for assessment in assessments {
        let id = flag_id(assessment.kind, assessment.subject.id);
        let new_evidence = decided.get(&id).map(|decision| decision.not_known_then(&changes, &assessment.evidence));
        match before.remove(&id) {
            None => opened.push(Flag {
                id,
                subject_kind: assessment.kind,
                officer_id: (assessment.kind == SubjectKind::Officer).then_some(assessment.subject.id),
                unit_id: (assessment.kind == SubjectKind::Branch).then_some(assessment.subject.id),
                tier: assessment.tier,
                state: FlagState::Open,
                run_id,
                opened_at: tx.now,
                changed_at: tx.now,
            }),
            Some(mut flag) => {
                let again = match flag.state {
                    FlagState::Dismissed | FlagState::Upheld => {
                        new_evidence.as_ref().is_some_and(|evidence| !evidence.is_empty())
                    }
                    _ => false,
                };
                count.reopened += u32::from(again);
                // A flag that was dismissed and has expired since does not reopen on the same evidence.
                let lapsed = matches!(flag.state, FlagState::Expired | FlagState::Retracted)
                    && new_evidence.as_ref().is_none_or(|evidence| !evidence.is_empty());
                let reopens = again || lapsed;
                if reopens || flag.tier != assessment.tier {
                    count.changed += 1;
                    flag.changed_at = tx.now;
                    if reopens {
                        flag.state = FlagState::Open;
                        flag.opened_at = tx.now;
                    }
                    flag.tier = assessment.tier;
                    flag.run_id = run_id;
                    update(tx, &flag)?;
                } else {
                    found_again.push(id);
                }
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
            new_evidence: new_evidence.map(|evidence| JsonValue(json!(evidence))),
        });
    }
    for chunk in found_again.chunks(KEYS_PER_QUERY) {
        diesel::update(flags::table.filter(flags::id.eq_any(chunk))).set(flags::run_id.eq(run_id)).execute(tx.conn)?;
        chunk.iter().for_each(|id| tx.record_state(StateTable::Flags, id));
    }
    for mut flag in before.into_values() {
        let is_active = matches!(flag.state, FlagState::Open | FlagState::Acknowledged | FlagState::UnderReview);
        // An upheld flag does not expire, but it is retracted when its evidence was wrong.
        if !is_active && flag.state != FlagState::Upheld {
            continue;
        }
        let evidence = evidence_of(tx.conn, &flag)?;
        let subject = flag.officer_id.or(flag.unit_id).unwrap_or(flag.id);
        let only_confirmed = rule_of(rules, flag.tier).confirmed;
        if counted.was_corrected(flag.subject_kind, subject, &evidence, only_confirmed)
            || corrected::since_run(tx.conn, flag.run_id, &evidence)?
        {
            count.retracted += 1;
            flag.state = FlagState::Retracted;
        } else if is_active {
            count.expired += 1;
            flag.state = FlagState::Expired;
        } else {
            continue;
        }
        flag.changed_at = tx.now;
        update(tx, &flag)?;
    }
    for chunk in opened.chunks(rows_per_insert(9)) {
        each!(&mut *tx.conn, c => diesel::insert_into(flags::table).values(chunk).execute(c)?);
        chunk.iter().for_each(|flag| tx.record_state(StateTable::Flags, &flag.id));
    }
    for chunk in rows.chunks(rows_per_insert(8)) {
        each!(&mut *tx.conn, c => diesel::insert_into(flag_assessments::table).values(chunk).execute(c)?);
        chunk.iter().for_each(|row| tx.record_state(StateTable::FlagAssessments, &pair(row.flag_id, row.run_id)));
    }
    count.opened = opened.len();
    Ok(summary(assessments, false, &count))
}

/// The number of flags that a run changed, by kind of change.
#[derive(Default)]
struct Changed {
    opened: usize,
    changed: u32,
    reopened: u32,
    expired: u32,
    retracted: u32,
}

fn summary(assessments: &[Assessment], is_for_past_day: bool, count: &Changed) -> Value {
    let of = |tier: Tier| assessments.iter().filter(|assessment| assessment.tier == tier).count();
    // Flags of the highest tier on branches.
    let inspection = assessments.iter().filter(|one| one.tier.proposed(one.kind) == Proposed::Inspection).count();
    json!({
        "flagged": assessments.len(),
        "looksBack": is_for_past_day,
        "opened": count.opened,
        "changed": count.changed,
        "reopened": count.reopened,
        "expired": count.expired,
        "retracted": count.retracted,
        "watch": of(Tier::Watch),
        "review": of(Tier::Review),
        "suspensionReview": of(Tier::SuspensionReview),
        "inspection": inspection,
    })
}

/// The evidence on which a flag was ever dismissed or upheld, and the time of the last such decision.
struct Decisions {
    evidence: HashSet<Id>,
    last: Timestamp,
}

impl Decisions {
    /// The complaints of this evidence that no decision has considered.
    fn unseen<'e>(&'e self, evidence: &'e [Id]) -> impl Iterator<Item = Id> + 'e {
        evidence.iter().filter(|id| !self.evidence.contains(id)).copied()
    }

    /// The new complaints of this evidence: received or changed since the last decision, and not considered in any. A
    /// complaint that existed then, but only counts for another tier, is not new.
    fn not_known_then(&self, changes: &HashMap<Id, Timestamp>, evidence: &[Id]) -> Vec<Id> {
        self.unseen(evidence).filter(|id| changes.get(id).is_some_and(|changed| *changed > self.last)).collect()
    }
}

/// The kinds of events that may make a complaint count, or count otherwise.
const CHANGING: [ComplaintEventKind; 3] =
    [ComplaintEventKind::Received, ComplaintEventKind::Updated, ComplaintEventKind::Corrected];

/// When each complaint that no decision has considered was received or last changed.
fn last_changes(
    conn: &mut Conn,
    assessments: &[Assessment],
    decided: &HashMap<Id, Decisions>,
) -> Result<HashMap<Id, Timestamp>, StoreError> {
    let unseen: HashSet<Id> = assessments
        .iter()
        .filter_map(|one| Some((decided.get(&flag_id(one.kind, one.subject.id))?, one)))
        .flat_map(|(decision, one)| decision.unseen(&one.evidence))
        .collect();
    let unseen: Vec<Id> = unseen.into_iter().collect();
    let mut changes = HashMap::new();
    for chunk in unseen.chunks(KEYS_PER_QUERY) {
        let rows = complaint_events::table
            .filter(complaint_events::complaint_id.eq_any(chunk))
            .filter(complaint_events::kind.eq_any(CHANGING))
            .order(complaint_events::recorded_at)
            .select((complaint_events::complaint_id, complaint_events::recorded_at, complaint_events::after))
            .load::<(Id, Timestamp, Option<JsonValue>)>(conn)?;
        // An import of the same content in another form changes only the content hash: that is not a change.
        let changed = rows.into_iter().filter(|(_, _, after)| !says_only_a_hash(after.as_ref()));
        changes.extend(changed.map(|(id, at, _)| (id, at)));
    }
    Ok(changes)
}

fn says_only_a_hash(after: Option<&JsonValue>) -> bool {
    let fields = after.and_then(|after| after.0.as_object());
    fields.is_some_and(|fields| fields.len() == 1 && fields.contains_key(CONTENT_HASH))
}

/// The decisions about each flag that was ever dismissed or upheld.
fn decisions(conn: &mut Conn) -> Result<HashMap<Id, Decisions>, StoreError> {
    let rows: Vec<FlagReview> = flag_reviews::table
        .filter(flag_reviews::to_state.eq_any([FlagState::Dismissed, FlagState::Upheld]))
        .order(flag_reviews::reviewed_at)
        .select(FlagReview::as_select())
        .load(conn)?;
    let mut found: HashMap<Id, Decisions> = HashMap::new();
    for row in rows {
        let decisions =
            found.entry(row.flag_id).or_insert_with(|| Decisions { evidence: HashSet::new(), last: row.reviewed_at });
        decisions.evidence.extend(ids(&row.evidence));
        decisions.last = row.reviewed_at;
    }
    Ok(found)
}

/// The evidence of the last run that flagged a subject.
///
/// # Errors
/// If the database cannot be read.
pub fn evidence_of(conn: &mut Conn, flag: &Flag) -> Result<Vec<Id>, StoreError> {
    let evidence: Option<JsonValue> = flag_assessments::table
        .find((flag.id, flag.run_id))
        .select(flag_assessments::evidence)
        .first(conn)
        .optional()?;
    Ok(evidence.as_ref().map(ids).unwrap_or_default())
}

fn ids(document: &JsonValue) -> Vec<Id> {
    serde_json::from_value(document.0.clone()).unwrap_or_default()
}

fn update(tx: &mut WriteTx<'_>, flag: &Flag) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::update(flags::table.find(flag.id)).set(flag).execute(c)?);
    tx.record_state(StateTable::Flags, &flag.id);
    Ok(())
}

/// A run's assessment of a subject, with the subject's code.
#[derive(Debug, Clone)]
pub struct Stored {
    pub kind: SubjectKind,
    pub subject: Id,
    pub code: String,
    /// The current flag; None when only runs for past days flagged the subject.
    pub flag: Option<Flag>,
    pub assessment: FlagAssessment,
    /// The assessment in the form that is hashed.
    pub output: Value,
}

/// All flags with the assessment of the last run that flagged them, ordered by kind and code.
///
/// # Errors
/// If the database cannot be read.
pub fn all(conn: &mut Conn) -> Result<Vec<Stored>, StoreError> {
    let rows: Vec<(Flag, FlagAssessment)> = flags::table
        .inner_join(
            flag_assessments::table
                .on(flag_assessments::flag_id.eq(flags::id).and(flag_assessments::run_id.eq(flags::run_id))),
        )
        .select((Flag::as_select(), FlagAssessment::as_select()))
        .load(conn)?;
    with_codes(conn, rows.into_iter().map(with_flag))
}

/// Kind and id of a subject, its flag, and a run's assessment.
type SubjectAssessment = (SubjectKind, Id, Option<Flag>, FlagAssessment);

fn with_flag((flag, assessment): (Flag, FlagAssessment)) -> SubjectAssessment {
    let subject = flag.officer_id.or(flag.unit_id).unwrap_or(flag.id);
    (flag.subject_kind, subject, Some(flag), assessment)
}

fn with_codes(conn: &mut Conn, rows: impl Iterator<Item = SubjectAssessment>) -> Result<Vec<Stored>, StoreError> {
    let officer_codes: HashMap<Id, String> =
        officers::table.select((officers::id, officers::code)).load::<(Id, String)>(conn)?.into_iter().collect();
    let unit_codes: HashMap<Id, String> =
        units::table.select((units::id, units::code)).load::<(Id, String)>(conn)?.into_iter().collect();
    let mut found: Vec<Stored> = rows
        .map(|(kind, subject, flag, assessment)| {
            let codes = match kind {
                SubjectKind::Officer => &officer_codes,
                SubjectKind::Branch => &unit_codes,
            };
            let code = codes.get(&subject).cloned().unwrap_or_default();
            let output = json!({
                "kind": kind,
                "code": code,
                "tier": assessment.tier,
                "numbers": assessment.numbers.0,
                "evidence": assessment.evidence.0,
            });
            Stored { kind, subject, code, flag, assessment, output }
        })
        .collect();
    found.sort_by(|a, b| (a.kind, &a.code).cmp(&(b.kind, &b.code)));
    Ok(found)
}
