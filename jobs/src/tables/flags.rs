//! The tables `flags`, `flag_evidence` and `reviews`.

use super::names::Context;
use super::withheld::WithheldFlags;
use crate::JobError;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::db::dialect::KEYS_PER_QUERY;
use schema::models::{Flag, FlagAssessment};
use schema::tables::{flag_assessments, flags, job_runs};
use schema::{Conn, Id};
use std::collections::HashMap;

/// A flag that the reader may see, under its pseudonym.
pub(super) struct Shown {
    pub name: String,
    pub flag: Flag,
    /// The day of the run that assessed its subject last.
    pub as_of: Option<NaiveDate>,
}

/// The flags that the reader may see, by the day on which they opened, then by pseudonym.
///
/// # Errors
/// When the database fails.
pub(super) fn shown(of: &Context<'_>, conn: &mut Conn) -> Result<Vec<Shown>, JobError> {
    // Before those that are withheld: a flag that opens meanwhile is in neither list.
    let stored: Vec<Flag> = flags::table.select(Flag::as_select()).load(conn)?;
    let mut runs: Vec<Id> = stored.iter().map(|flag| flag.run_id).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut days: HashMap<Id, Option<NaiveDate>> = HashMap::new();
    for chunk in runs.chunks(KEYS_PER_QUERY) {
        let found: Vec<(Id, Option<NaiveDate>)> =
            job_runs::table.filter(job_runs::id.eq_any(chunk)).select((job_runs::id, job_runs::as_of)).load(conn)?;
        days.extend(found);
    }
    let withheld = WithheldFlags::of(of, conn)?;
    let shown = stored.into_iter().filter(|flag| !withheld.has(flag.id));
    let mut shown: Vec<Shown> = shown
        .map(|flag| Shown { name: of.flag(flag.id), as_of: days.get(&flag.run_id).copied().flatten(), flag })
        .collect();
    shown.sort_unstable_by(|a, b| (a.flag.opened_at, &a.name).cmp(&(b.flag.opened_at, &b.name)));
    Ok(shown)
}

/// The assessments that made flags what they are, in the order of the flags.
///
/// # Errors
/// When the database fails.
pub(super) fn present<'s>(shown: &'s [Shown], conn: &mut Conn) -> Result<Vec<(&'s Shown, FlagAssessment)>, JobError> {
    let mut runs: Vec<Id> = shown.iter().map(|one| one.flag.run_id).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut found: HashMap<(Id, Id), FlagAssessment> = HashMap::new();
    for chunk in runs.chunks(KEYS_PER_QUERY) {
        let rows: Vec<FlagAssessment> = flag_assessments::table
            .filter(flag_assessments::run_id.eq_any(chunk))
            .select(FlagAssessment::as_select())
            .load(conn)?;
        found.extend(rows.into_iter().map(|row| ((row.flag_id, row.run_id), row)));
    }
    let of = |one: &'s Shown| Some((one, found.remove(&(one.flag.id, one.flag.run_id))?));
    Ok(shown.iter().filter_map(of).collect())
}

pub(super) mod flags_table {
    use crate::JobError;
    use crate::tables::columns::{Day, Instant, Text, declare_table};
    use crate::tables::names::{Context, Emit};
    use schema::Conn;

    declare_table! {
        "flags": "Flags on officers and branches, one row for each subject, as they are now."
        {
            flag: Text = "Pseudonym of the flag.",
            subject_kind: Text = "OFFICER or BRANCH.",
            officer: Option<Text> = "Pseudonym of the officer; null for a branch.",
            unit: Option<Text> = "Code of the branch; null for an officer.",
            tier: Text = "WATCH, REVIEW or SUSPENSION_REVIEW.",
            state: Text = "OPEN, ACKNOWLEDGED, UNDER_REVIEW, UPHELD, DISMISSED, EXPIRED or RETRACTED.",
            opened_at: Instant = "Time at which the flag opened, or reopened.",
            proposed: Text = "What the flag proposes: its tier, for branches INSPECTION instead of SUSPENSION_REVIEW.",
            changed_at: Instant = "Time of the last change of tier or state.",
            as_of: Option<Day> = "Day of the run that assessed the subject last.",
        }
    }

    /// The flags, the first to open first.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::tables) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
        let shown = super::shown(of, conn)?;
        let mut rows = Rows::new(shown.len());
        for one in &shown {
            let flag = &one.flag;
            rows.push(Row {
                flag: &one.name,
                subject_kind: flag.subject_kind.as_str(),
                officer: flag.officer_id.map(|id| of.officer(id)).as_deref(),
                unit: flag.unit_id.and_then(|id| of.unit(id)),
                tier: flag.tier.as_str(),
                state: flag.state.as_str(),
                opened_at: flag.opened_at,
                proposed: flag.tier.proposed(flag.subject_kind).as_str(),
                changed_at: flag.changed_at,
                as_of: one.as_of,
            });
        }
        emit(rows.finish()?)
    }
}

pub(super) mod evidence {
    use crate::JobError;
    use crate::tables::columns::{Text, declare_table};
    use crate::tables::names::{Context, Emit};
    use crate::tables::piece_rows::complaint;
    use schema::{Conn, Id, StoreError};

    declare_table! {
        "flag_evidence": "The complaints behind each flag, as the run that assessed its subject last counted them."
        {
            flag: Text = "Pseudonym of the flag.",
            complaint: Text = "Pseudonym of the complaint.",
        }
    }

    /// The evidence of the flags, in the order of pseudonyms.
    ///
    /// # Errors
    /// When the database fails, or the evidence of a flag cannot be parsed.
    pub(in crate::tables) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
        let shown = super::shown(of, conn)?;
        let mut found: Vec<(&str, String)> = Vec::new();
        for (flag, assessment) in super::present(&shown, conn)? {
            let evidence: Vec<Id> = serde_json::from_value(assessment.evidence.0).map_err(|e| {
                StoreError::Rule(format!("the evidence of flag {} cannot be parsed: {e}", flag.flag.id))
            })?;
            for id in evidence {
                if let Some(complaint) = complaint(of, id)? {
                    found.push((flag.name.as_str(), complaint));
                }
            }
        }
        found.sort_unstable();
        let mut rows = Rows::new(found.len());
        for (flag, complaint) in &found {
            rows.push(Row { flag, complaint });
        }
        emit(rows.finish()?)
    }
}

pub(super) mod reviews {
    use crate::JobError;
    use crate::tables::columns::{Day, Flag, Instant, Text, declare_table};
    use crate::tables::names::{Context, Emit};
    use diesel::prelude::*;
    use schema::Conn;
    use schema::models::FlagReview;
    use schema::tables::flag_reviews;
    use std::collections::HashMap;

    declare_table! {
        "reviews": "The Board's decisions about flags, without reasons and explanations."
        {
            flag: Text = "Pseudonym of the flag.",
            reviewed_at: Instant = "Time of the decision.",
            from_state: Text = "State of the flag before.",
            to_state: Text = "State of the flag after.",
            notified_on: Option<Day> = "Day on which the officer was told of the flag.",
            explained: Flag = "Whether the officer's explanation was recorded.",
        }
    }

    /// The reviews, the earliest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::tables) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
        let shown = super::shown(of, conn)?;
        let names: HashMap<_, &str> = shown.iter().map(|one| (one.flag.id, one.name.as_str())).collect();
        let stored: Vec<FlagReview> = flag_reviews::table.select(FlagReview::as_select()).load(conn)?;
        let mut found: Vec<(&FlagReview, &str)> =
            stored.iter().filter_map(|one| Some((one, *names.get(&one.flag_id)?))).collect();
        found.sort_by_key(|(one, name)| (one.reviewed_at, *name));
        let mut rows = Rows::new(found.len());
        for (one, flag) in found {
            rows.push(Row {
                flag,
                reviewed_at: one.reviewed_at,
                from_state: one.from_state.as_str(),
                to_state: one.to_state.as_str(),
                notified_on: one.notified_on,
                explained: one.explanation.is_some(),
            });
        }
        emit(rows.finish()?)
    }
}
