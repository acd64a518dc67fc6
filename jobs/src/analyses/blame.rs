//! The blame check: finds officers and branches that blame the system more often than their peers on days
//! without a recorded system incident (S10).
//!
//! Some complaints that blame the system never match an incident, because not every incident is recorded. The job
//! therefore tests each subject's share without an incident against that of all others of its kind.

use crate::JobError;
use crate::analyses::recurrence::round_6_digits;
use crate::numeric::funnel::Z_95;
use crate::numeric::multiplicity::benjamini_hochberg;
use crate::numeric::proportion::{binomial_upper_tail, wilson};
use crate::results::result;
use crate::runner::job::{Context, Job, Publish, day_of};
use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use schema::db::dialect::current_position;
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::domain::tree::UnitTree;
use schema::enums::{ComplaintState, SubjectKind};
use schema::models::{JobRun, SystemIncident, Unit, UnitParent};
use schema::register::complaints::reference_day;
use schema::tables::{complaint_officers, complaints, officers, system_incidents, unit_parents, units};
use schema::{Conn, Id, StoreError, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};

pub const NAME: &str = "blame-check";

/// Length in days of the period of receipt that the job evaluates.
const DAYS: u64 = 365;
/// The job flags a subject whose q-value is at most this (false discovery rate) …
const FALSE_SHARE: f64 = 0.05;
/// … and that has at least this many complaints without an incident.
const FEWEST: u32 = 3;

/// The fewest complaints about others that allow a comparison.
const LEAST_OTHERS: u32 = 20;

/// A branch or officer, and how many of its complaints blame the system without a recorded incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blame {
    pub kind: SubjectKind,
    pub code: String,
    /// Complaints that blame the system.
    pub blamed: u32,
    /// Those for whose day and place no incident is recorded.
    pub without_incident: u32,
    pub share: f64,
    /// 95 % confidence limits of the share (Wilson 1927).
    pub lower: f64,
    pub upper: f64,
    /// The share of all others of the kind.
    pub peers_share: f64,
    /// Exact binomial upper tail against the peers' share, and its q-value.
    pub p: f64,
    pub q: f64,
    pub flagged: bool,
}

/// The result that the job stores.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlameDocument {
    pub days: u64,
    pub blamed: u32,
    pub without_incident: u32,
    /// Ordered by kind (officers first), p and code.
    pub subjects: Vec<Blame>,
}

pub struct BlameCheck;

impl Job for BlameCheck {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "finds officers and branches that blame the system without a recorded incident"
    }

    fn schedule(&self) -> &'static str {
        "0 3 * * 1"
    }

    fn run(&self, context: &Context<'_>, run: &mut JobRun) -> Result<Publish, JobError> {
        let as_of = day_of(run)?;
        let read =
            |conn: &mut Conn| Ok::<_, StoreError>((BlameFacts::load(conn, as_of, None)?, current_position(conn)?));
        let (facts, position) = context.db.read_snapshot(read)?;
        run.known_at = Some(position);
        let document = facts.check();
        let flagged = document.subjects.iter().filter(|subject| subject.flagged).count();
        run.summary = Some(
            json!({ "blamed": document.blamed, "withoutIncident": document.without_incident, "flagged": flagged })
                .into(),
        );
        result(run, NAME, as_of, &document)
    }
}

/// The complaints that blame the system, each with its subjects and whether an incident is recorded for it.
#[derive(Debug, Default)]
struct BlameFacts {
    rows: Vec<(Vec<(SubjectKind, String)>, bool)>,
}

#[derive(Queryable)]
struct Row {
    id: Id,
    received_at: Timestamp,
    occurred_at: Option<Timestamp>,
    unit_id: Option<Id>,
    branch_id: Option<Id>,
    state: ComplaintState,
    state_since: Timestamp,
}

/// The result of the job as of a day without the complaints that name `officer`.
///
/// # Errors
/// When the database fails.
pub fn blame_check_without(conn: &mut Conn, as_of: NaiveDate, officer: Id) -> Result<BlameDocument, StoreError> {
    Ok(BlameFacts::load(conn, as_of, Some(officer))?.check())
}

impl BlameFacts {
    fn load(conn: &mut Conn, as_of: NaiveDate, except: Option<Id>) -> Result<Self, StoreError> {
        let rows: Vec<Row> = complaints::table
            .filter(complaints::blames_system.eq(true))
            .order(complaints::id)
            .select((
                complaints::id,
                complaints::received_at,
                complaints::occurred_at,
                complaints::unit_id,
                complaints::branch_id,
                complaints::state,
                complaints::state_since,
            ))
            .load(conn)?;
        let naming: HashSet<Id> = match except {
            None => HashSet::new(),
            Some(officer) => complaint_officers::table
                .filter(complaint_officers::officer_id.eq(officer))
                .select(complaint_officers::complaint_id)
                .load(conn)?
                .into_iter()
                .collect(),
        };
        let from = as_of - Days::new(DAYS);
        let rows: Vec<Row> = rows
            .into_iter()
            .filter(|row| {
                let received = local_date(row.received_at);
                !naming.contains(&row.id)
                    && received > from
                    && received <= as_of
                    && !(is_void(row.state) && local_date(row.state_since) <= as_of)
            })
            .collect();
        let named: Vec<(Id, String)> = complaint_officers::table
            .inner_join(officers::table.on(officers::id.eq(complaint_officers::officer_id)))
            .inner_join(complaints::table.on(complaints::id.eq(complaint_officers::complaint_id)))
            .filter(complaints::blames_system.eq(true))
            .select((complaint_officers::complaint_id, officers::code))
            .distinct()
            .load(conn)?;
        let mut officers_of: HashMap<Id, Vec<String>> = HashMap::new();
        for (complaint, code) in named {
            officers_of.entry(complaint).or_default().push(code);
        }
        let all_units: Vec<Unit> = units::table.select(Unit::as_select()).load(conn)?;
        let parents: Vec<UnitParent> = unit_parents::table.select(UnitParent::as_select()).load(conn)?;
        let tree = UnitTree::new(&all_units, &parents);
        let codes: HashMap<Id, String> = all_units.into_iter().map(|unit| (unit.id, unit.code)).collect();
        let incidents: Vec<SystemIncident> = system_incidents::table.select(SystemIncident::as_select()).load(conn)?;
        let found = rows
            .into_iter()
            .map(|row| {
                let day = reference_day(row.received_at, row.occurred_at);
                let incident = incidents.iter().any(|incident| concerns(incident, &row, day, &tree));
                let mut subjects: Vec<(SubjectKind, String)> = officers_of
                    .remove(&row.id)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|code| (SubjectKind::Officer, code))
                    .collect();
                let branch = row.branch_id.and_then(|id| codes.get(&id));
                subjects.extend(branch.map(|code| (SubjectKind::Branch, code.clone())));
                (subjects, incident)
            })
            .collect();
        Ok(Self { rows: found })
    }

    /// Tests each subject against all others of its kind.
    fn check(&self) -> BlameDocument {
        let mut counts: BTreeMap<(SubjectKind, &str), (u32, u32)> = BTreeMap::new();
        for (subjects, incident) in &self.rows {
            for (kind, code) in subjects {
                let (blamed, without) = counts.entry((*kind, code)).or_default();
                *blamed += 1;
                *without += u32::from(!incident);
            }
        }
        let mut subjects = Vec::new();
        for kind in [SubjectKind::Officer, SubjectKind::Branch] {
            let of_kind: Vec<(&str, u32, u32)> = counts
                .iter()
                .filter(|((of, _), _)| *of == kind)
                .map(|((_, code), (blamed, without))| (*code, *blamed, *without))
                .collect();
            let (all, all_without) =
                of_kind.iter().fold((0, 0), |(a, b), (_, blamed, without)| (a + blamed, b + without));
            // None when the others have too few complaints. When none of theirs lacks an incident, half a
            // complaint stands in for zero: a share of zero would make any observation impossible.
            let peers = |blamed: u32, without: u32| {
                let others = all - blamed;
                let seen = f64::from(all_without - without).max(0.5);
                (others >= LEAST_OTHERS).then(|| seen / f64::from(others))
            };
            let p: Vec<f64> = of_kind
                .iter()
                .map(|(_, blamed, without)| {
                    peers(*blamed, *without).map_or(1.0, |share| binomial_upper_tail(*without, *blamed, share))
                })
                .collect();
            let q = benjamini_hochberg(&p);
            let mut found: Vec<Blame> = of_kind
                .iter()
                .zip(p.iter().zip(&q))
                .filter_map(|((code, blamed, without), (p, q))| {
                    let limits = wilson(*without, *blamed, Z_95)?;
                    Some(Blame {
                        kind,
                        code: (*code).to_owned(),
                        blamed: *blamed,
                        without_incident: *without,
                        share: round_6_digits(f64::from(*without) / f64::from(*blamed)),
                        lower: round_6_digits(limits.lower),
                        upper: round_6_digits(limits.upper),
                        peers_share: round_6_digits(peers(*blamed, *without).unwrap_or(0.0)),
                        p: round_6_digits(*p),
                        q: round_6_digits(*q),
                        flagged: *q <= FALSE_SHARE && *without >= FEWEST,
                    })
                })
                .collect();
            found.sort_by(|a, b| a.p.total_cmp(&b.p).then_with(|| a.code.cmp(&b.code)));
            subjects.append(&mut found);
        }
        let without = self.rows.iter().filter(|(_, incident)| !incident).count();
        BlameDocument {
            days: DAYS,
            blamed: u32::try_from(self.rows.len()).unwrap_or(u32::MAX),
            without_incident: u32::try_from(without).unwrap_or(u32::MAX),
            subjects,
        }
    }
}

/// Whether an incident covers the day and place of a complaint: nationally, at its unit or above it, or anywhere
/// in its branch. Compares whole days, because complainants rarely know the minute.
fn concerns(incident: &SystemIncident, row: &Row, day: NaiveDate, tree: &UnitTree) -> bool {
    let ended = incident.ended_at.map_or(NaiveDate::MAX, local_date);
    if day < local_date(incident.started_at) || day > ended {
        return false;
    }
    let Some(unit) = incident.unit_id else { return true };
    let mut above = row.unit_id;
    for _ in 0..16 {
        match above {
            Some(here) if here == unit => return true,
            Some(here) => above = tree.parent_on(here, day),
            None => break,
        }
    }
    row.branch_id.is_some() && tree.ancestors_on(unit, day).branch == row.branch_id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_blames_without_an_incident_more_often_than_the_others_is_told() {
        // Officer A: 8 of 10 without an incident. The others: 4 of 40.
        let row = |code: &str, incident: bool| (vec![(SubjectKind::Officer, code.to_owned())], incident);
        let mut rows: Vec<_> = (0..10).map(|n| row("A", n >= 8)).collect();
        rows.extend((0..40).map(|n| row(&format!("B{}", n % 8), n >= 4)));
        let document = BlameFacts { rows }.check();
        assert_eq!((document.blamed, document.without_incident), (50, 12));
        let first = &document.subjects[0];
        assert_eq!((first.code.as_str(), first.blamed, first.without_incident), ("A", 10, 8));
        assert_eq!(first.peers_share, 0.1);
        // P(X ≥ 8) of 10 with 0.1 is 3.7e-7 (45e-8 · 0.81 + 10e-9 · 0.9 + 1e-10).
        assert!((first.p - 3.736e-7).abs() < 1e-10, "{first:?}");
        assert!(first.flagged && document.subjects[1..].iter().all(|other| !other.flagged));
    }

    #[test]
    fn nobody_is_told_where_nobody_blames_or_there_is_nobody_to_compare_with() {
        assert_eq!(BlameFacts::default().check().subjects, []);
        let alone = BlameFacts { rows: vec![(vec![(SubjectKind::Officer, "A".to_owned())], false); 9] }.check();
        assert!(alone.subjects.iter().all(|subject| !subject.flagged && subject.p == 1.0));
    }
}
