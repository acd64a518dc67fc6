//! The content of a digest, independent of language. It combines stored job results with the numbers of its period.

use super::answers::{AnswersPart, answers_part};
use super::board::{BlameLine, ProposalLine, blame_part, proposals_part};
use super::flagged::{FlagsPart, flags_part, states};
use super::head_part::HeadPart;
use super::measured::{MeasuresPart, measures_part};
use super::news::{NewsPart, PreviousDigest, news_part};
use super::numbers::{NumbersPart, numbers_part};
use super::people::{UnitName, subjects};
use super::sections::{FOR_ANALYSTS, sections_for};
use super::timeline::timeline_part;
use super::unusual::{UnusualPart, gravest_of, unusual_part};
use crate::JobError;
use crate::analyses::before_after::first_day;
use crate::analyses::category_trends::CategoryTrend;
use crate::analyses::overdue::{OverdueDocument, UnitEscalated, sum_by_unit};
use crate::analyses::timeliness::TimelinessDocument;
use crate::analyses::trends::{Totals, TrendsDocument};
use crate::charts::map::Places;
use crate::facts::monthly::MonthlySource;
use crate::flags;
use crate::results::recurrence;
use crate::scheduled::{overdue, timeliness, trends};
use crate::snapshot::Snapshot;
use chrono::NaiveDate;
use diesel::prelude::*;
use schema::enums::{DigestSection, FlagState, Role, RunOrigin, RunState};
use schema::models::{JobResult, JobRun};
use schema::register::demonstration;
use schema::seal::{SealName, newest_names};
use schema::tables::{job_results, job_runs};
use schema::{Conn, Id, StoreError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// The document of a digest, the same for all languages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestDocument {
    pub as_of: NaiveDate,
    pub previous_as_of: Option<NaiveDate>,
    pub demonstration: bool,
    /// The unit that it is about; None: all units.
    #[serde(default)]
    pub unit: Option<UnitName>,
    /// Whether its reader sees more on the page than the digest has, so that links name the unit.
    #[serde(default)]
    pub narrowed: bool,
    /// Whether its reader is an analyst, who reads of no officer, enterprise or decision.
    #[serde(default)]
    pub analyst: bool,
    /// The sections that its reader wants; empty: all of them.
    #[serde(default)]
    pub sections: Vec<DigestSection>,
    pub position: i64,
    /// The runs whose results it uses, by job.
    pub runs: BTreeMap<String, Id>,
    /// Results for an earlier day than the digest's.
    pub stale: Vec<Stale>,
    /// Sources that give only the month of receipt.
    #[serde(default)]
    pub monthly: Vec<MonthlySource>,
    pub flags: FlagsPart,
    #[serde(default)]
    pub measures: MeasuresPart,
    pub overdue: OverdueDocument,
    /// The day by whose end they were overdue, where it is not that of the digest.
    #[serde(default)]
    pub overdue_on: Option<NaiveDate>,
    pub recent_days: i32,
    pub before_days: i32,
    pub rising: Vec<CategoryTrend>,
    pub recent: Totals,
    pub previous: Totals,
    pub answers: AnswersPart,
    pub register: Vec<RegisterChange>,
    /// Running totals of register events, with which the next digest compares.
    pub events: BTreeMap<String, i64>,
    /// The positions of the register after which, and up to which, the changes happened. None after a digest that does
    /// not say how far it counted.
    #[serde(default)]
    pub events_between: Option<[i64; 2]>,
    /// The newest seals: a kept digest proves later whether the end of a hash chain was cut off.
    #[serde(default)]
    pub seals: Vec<SealName>,
    #[serde(default)]
    pub numbers: NumbersPart,
    #[serde(default)]
    pub news: NewsPart,
    /// The categories of the second level in the recent period; those of the first level without any.
    #[serde(default)]
    pub categories: Vec<CategoryTrend>,
    #[serde(default)]
    pub blame: Vec<BlameLine>,
    #[serde(default)]
    pub proposals: Vec<ProposalLine>,
    /// The data of pictures that only the Board's digest about all units has.
    #[serde(default)]
    pub unusual: UnusualPart,
    /// The parts that only the digest about one unit has.
    #[serde(default)]
    pub head: Option<HeadPart>,
}

impl DigestDocument {
    /// The document without what analysts do not read: who is flagged or unusual, measures, proposals, and who blames the
    /// system.
    pub(super) fn for_analysts(self) -> Self {
        Self {
            analyst: true,
            sections: FOR_ANALYSTS.to_vec(),
            flags: FlagsPart::default(),
            measures: MeasuresPart::default(),
            register: Vec::new(),
            events: BTreeMap::new(),
            events_between: None,
            seals: Vec::new(),
            blame: Vec::new(),
            proposals: Vec::new(),
            unusual: UnusualPart::default(),
            ..self
        }
    }

    /// Limits the document to the sections that its reader wants. If it has none of these, all its sections stay: the
    /// reader may have had another role when it chose them.
    pub(super) fn limit(&mut self, wanted: &[DigestSection]) {
        let role = if self.analyst { Role::DataTeam } else { Role::Board };
        let all = sections_for(role, self.unit.is_some());
        let given: Vec<DigestSection> = wanted.iter().copied().filter(|one| all.contains(one)).collect();
        if !given.is_empty() {
            self.sections = given;
        }
    }

    pub(super) fn as_previous(&self) -> PreviousDigest<'_> {
        (self.as_of, &self.news, &self.rising[..])
    }

    /// Whether its reader wants a section.
    pub fn has(&self, section: DigestSection) -> bool {
        self.sections.is_empty() || self.sections.contains(&section)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stale {
    pub job: String,
    pub as_of: NaiveDate,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisterChange {
    pub kind: String,
    pub count: i64,
}

/// Composes a digest about all units as of a day; `before` is the earlier digest with which it compares. `places` are the
/// shapes of its map; None: those of the program.
///
/// # Errors
/// `NotFound` when a job has no result up to that day, `History` when one cannot be parsed.
pub fn document(
    conn: &mut Conn,
    snapshot: &Snapshot,
    places: Option<&Places>,
    as_of: NaiveDate,
    before: Option<&DigestDocument>,
) -> Result<DigestDocument, JobError> {
    let (timeliness_run, answers): (JobRun, TimelinessDocument) = latest(conn, timeliness::NAME, as_of)?;
    let (trends_run, trends): (JobRun, TrendsDocument) = latest(conn, trends::NAME, as_of)?;
    let overdue_run = latest_overdue(conn, as_of)?;
    let mut overdue: OverdueDocument = result_of(conn, &overdue_run, as_of)?;
    (overdue.newly_escalated, overdue.escalated_to) =
        escalated_between(conn, before.map(|before| before.as_of), as_of)?;
    let recurrence_run = latest_run(conn, recurrence::NAME, as_of)?;
    let found = flags::document_of_run(conn, recurrence_run.id)?.unwrap_or_default();
    let mut flagged = flags::of_run(conn, recurrence_run.id)?;
    // The Board dismissed these flags: they propose no review.
    flagged.retain(|stored| stored.flag.as_ref().is_none_or(|flag| flag.state != FlagState::Dismissed));
    let states = states(conn)?;
    let subjects = subjects(conn, &flagged, as_of)?;
    let flags = flags_part(&flagged, before.map(|before| &before.flags), &states, subjects);
    let built_in;
    let places = match places {
        Some(places) => places,
        None => {
            built_in = Places::built_in()?;
            &built_in
        }
    };
    let on = recurrence_run.as_of.unwrap_or(as_of);
    let mut unusual = unusual_part(&found.funnel, &found.cusum, &snapshot.reference, (places, on));
    unusual.gravest = gravest_of(&flagged).map(|(_, part)| part).filter(|part| part.longest().is_some());
    let told: HashSet<Id> = flags.changed_officers().collect();
    if let Some((stored, _)) = gravest_of(flagged.iter().filter(|stored| told.contains(&stored.assessment.flag_id))) {
        unusual.timeline = Some(timeline_part(conn, stored, &recurrence_run, on)?);
    }
    let all = [&recurrence_run, &timeliness_run, &trends_run, &overdue_run];
    let position = all.iter().filter_map(|run| run.known_at).max().unwrap_or(0);
    let stale = all
        .iter()
        .filter_map(|run| Some(Stale { job: run.job.clone(), as_of: run.as_of.filter(|day| *day < as_of)? }))
        .collect();
    Ok(DigestDocument {
        as_of,
        previous_as_of: before.map(|before| before.as_of),
        demonstration: demonstration::mark(conn)?.is_some(),
        position,
        runs: all.iter().map(|run| (run.job.clone(), run.id)).collect(),
        stale,
        unusual,
        monthly: found.monthly,
        unit: None,
        narrowed: false,
        analyst: false,
        sections: Vec::new(),
        flags,
        measures: measures_part(conn, as_of, position, before.map(|before| (before.as_of, before.position)), None)?,
        overdue,
        overdue_on: overdue_run.as_of.filter(|day| *day != as_of),
        recent_days: trends.recent_days,
        before_days: trends.before_days,
        rising: trends.categories.iter().filter(|category| category.rises).cloned().collect(),
        categories: pareto(&trends.categories),
        recent: trends.recent,
        previous: trends.previous,
        answers: answers_part(&answers),
        register: register_part(&trends.events, before),
        events: trends.events,
        events_between: counted_until(before).zip(trends_run.known_at).map(|(after, until)| [after, until]),
        seals: newest_names(conn)?,
        numbers: numbers_part(&snapshot.facts, first_day(&snapshot.facts)?, as_of)?,
        news: news_part(conn, snapshot, &trends.categories, as_of, before.map(DigestDocument::as_previous))?,
        blame: blame_part(conn, as_of, before.map_or(&[][..], |before| &before.blame[..]))?,
        proposals: proposals_part(conn, snapshot, as_of, before.map(|before| before.as_of))?,
        head: None,
    })
}

/// The position up to which the digest before counted changes. None where it does not say.
fn counted_until(before: Option<&DigestDocument>) -> Option<i64> {
    before.map_or(Some(trends::BEFORE_ALL), |before| before.events_between.map(|[_, until]| until))
}

/// The categories whose picture a digest has: those of the second level, else of the first.
pub(super) fn pareto(categories: &[CategoryTrend]) -> Vec<CategoryTrend> {
    let counted = |category: &&CategoryTrend| category.recent > 0;
    let lower: Vec<CategoryTrend> =
        categories.iter().filter(counted).filter(|category| category.parent.is_some()).cloned().collect();
    match lower.is_empty() {
        true => categories.iter().filter(counted).cloned().collect(),
        false => lower,
    }
}

/// The latest successful run of a job up to a day.
///
/// # Errors
/// `NotFound` if there is none; else if the database cannot be read.
pub(super) fn latest_run(conn: &mut Conn, job: &str, as_of: NaiveDate) -> Result<JobRun, JobError> {
    let found: Option<JobRun> = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .filter(job_runs::as_of.le(as_of))
        .order((job_runs::as_of.desc(), job_runs::started_at.desc()))
        .select(JobRun::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| {
        JobError::NotFound(format!(
            "no digest as of {as_of}: {job} has no successful run up to then; start one with `phananh jobs run {job} \
             --as-of {as_of}`"
        ))
    })
}

/// The latest successful run of a job up to a day, with its result.
///
/// # Errors
/// `NotFound` if there is none; else if the result cannot be read.
pub(super) fn latest<T: DeserializeOwned>(
    conn: &mut Conn,
    job: &str,
    as_of: NaiveDate,
) -> Result<(JobRun, T), JobError> {
    let run = latest_run(conn, job, as_of)?;
    let document = result_of(conn, &run, as_of)?;
    Ok((run, document))
}

/// The run of the escalation job whose result a digest shows. The scheduled runs of this job are for their own day: if
/// none ran on the day of the digest, the run of the night after replaces it.
fn latest_overdue(conn: &mut Conn, as_of: NaiveDate) -> Result<JobRun, JobError> {
    let found = latest_run(conn, overdue::NAME, as_of);
    if found.as_ref().is_ok_and(|run| run.as_of == Some(as_of)) {
        return found;
    }
    let next: Option<JobRun> = job_runs::table
        .filter(job_runs::job.eq(overdue::NAME))
        .filter(job_runs::state.eq(RunState::Succeeded))
        .filter(job_runs::origin.eq(RunOrigin::Scheduled))
        .filter(job_runs::as_of.eq(as_of.succ_opt()))
        .order(job_runs::started_at.desc())
        .select(JobRun::as_select())
        .first(conn)
        .optional()?;
    next.map_or(found, Ok)
}

/// The stored result of a run.
fn result_of<T: DeserializeOwned>(conn: &mut Conn, run: &JobRun, as_of: NaiveDate) -> Result<T, JobError> {
    let job = run.job.as_str();
    let result: Option<JobResult> =
        job_results::table.find((run.id, job)).select(JobResult::as_select()).first(conn).optional()?;
    let result = result.ok_or_else(|| {
        StoreError::NotFound(format!(
            "run {} of {job} has no stored result: `phananh jobs run {job} --as-of {as_of}` starts another",
            run.id
        ))
    })?;
    serde_json::from_value(result.document.0)
        .map_err(|e| JobError::History(format!("the result of run {} of {job} cannot be parsed: {e}", run.id)))
}

/// The escalations of all runs after the last digest, to a department and to the General Department, and the units that
/// they name. The job runs hourly, so its latest result alone does not have them.
fn escalated_between(
    conn: &mut Conn,
    after: Option<NaiveDate>,
    until: NaiveDate,
) -> Result<([u32; 2], Vec<UnitEscalated>), JobError> {
    let mut results = job_results::table
        .filter(job_results::name.eq(overdue::NAME))
        .filter(job_results::as_of.le(until))
        .select(JobResult::as_select())
        .into_boxed();
    if let Some(after) = after {
        results = results.filter(job_results::as_of.gt(after));
    }
    let mut sums = [0, 0];
    let mut units = Vec::new();
    for result in results.load::<JobResult>(conn)? {
        let document: OverdueDocument = serde_json::from_value(result.document.0)
            .map_err(|e| JobError::History(format!("the result of run {} cannot be parsed: {e}", result.run_id)))?;
        sums[0] += document.newly_escalated[0];
        sums[1] += document.newly_escalated[1];
        units.extend(document.escalated_to);
    }
    Ok((sums, sum_by_unit(units)))
}

fn register_part(events: &BTreeMap<String, i64>, before: Option<&DigestDocument>) -> Vec<RegisterChange> {
    events
        .iter()
        .filter_map(|(kind, now)| {
            let then = before.and_then(|before| before.events.get(kind)).copied().unwrap_or(0);
            (*now > then).then(|| RegisterChange { kind: kind.clone(), count: now - then })
        })
        .collect()
}
