//! The blame check: which officers and branches blame the system more often than their peers on days without a recorded
//! system incident (S10). Pure functions of rows of the register and an as-of day.
//!
//! Some complaints that blame the system never match an incident, because not every incident is recorded. So the check
//! tests each subject's share without an incident against that of all others of its kind.

use crate::analyses::recurrence::round_6_digits;
use crate::numeric::funnel::Z_95;
use crate::numeric::multiplicity::benjamini_hochberg;
use crate::numeric::proportion::{binomial_upper_tail, wilson};
use chrono::{Days, NaiveDate};
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::domain::tree::UnitTree;
use schema::enums::{ComplaintState, SubjectKind};
use schema::models::{SystemIncident, Unit, UnitParent};
use schema::register::complaints::reference_day;
use schema::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Length in days of the period of receipt that the check evaluates.
const DAYS: u64 = 365;
/// The check flags a subject whose q-value is at most this (false discovery rate) …
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
    /// Complaints for whose day and place no incident is recorded.
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

/// The outcome of the check: the result that the job stores.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BlameDocument {
    pub days: u64,
    pub blamed: u32,
    pub without_incident: u32,
    /// Ordered by kind (officers first), p and code.
    pub subjects: Vec<Blame>,
}

/// A complaint that blames the system.
#[derive(Debug, Clone)]
pub struct BlamingComplaint {
    pub id: Id,
    pub received_at: Timestamp,
    pub occurred_at: Option<Timestamp>,
    pub unit_id: Option<Id>,
    pub branch_id: Option<Id>,
    pub state: ComplaintState,
    pub state_since: Timestamp,
}

/// The rows of the register that the check reads.
#[derive(Debug, Default)]
pub struct BlameRows {
    /// All complaints that blame the system, ordered by id.
    pub complaints: Vec<BlamingComplaint>,
    /// The codes of the officers that these complaints name, each once.
    pub officers_of: HashMap<Id, Vec<String>>,
    pub units: Vec<Unit>,
    pub parents: Vec<UnitParent>,
    pub incidents: Vec<SystemIncident>,
}

/// Checks the complaints received in the 365 days up to a day. A complaint withdrawn or rejected by then is left out.
pub fn blame_check(rows: BlameRows, as_of: NaiveDate) -> BlameDocument {
    BlameFacts::new(rows, as_of).check()
}

/// The complaints that blame the system, each with its subjects and whether an incident is recorded for it.
#[derive(Debug, Default)]
struct BlameFacts {
    rows: Vec<(Vec<(SubjectKind, String)>, bool)>,
}

impl BlameFacts {
    fn new(rows: BlameRows, as_of: NaiveDate) -> Self {
        let BlameRows { complaints, mut officers_of, units, parents, incidents } = rows;
        let tree = UnitTree::new(&units, &parents);
        let codes: HashMap<Id, String> = units.into_iter().map(|unit| (unit.id, unit.code)).collect();
        let from = as_of - Days::new(DAYS);
        let counts = |row: &BlamingComplaint| {
            let received = local_date(row.received_at);
            received > from && received <= as_of && !(is_void(row.state) && local_date(row.state_since) <= as_of)
        };
        let found = complaints
            .into_iter()
            .filter(counts)
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
        Self { rows: found }
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
fn concerns(incident: &SystemIncident, row: &BlamingComplaint, day: NaiveDate, tree: &UnitTree) -> bool {
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
    use ComplaintState::{Assigned, Withdrawn};
    use chrono::NaiveTime;
    use uuid::Uuid;

    #[test]
    fn standing_complaints_of_the_period_are_checked_against_the_incidents_of_their_day() {
        let day = |n: u64| NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day") + Days::new(n);
        // 07:00 in Vietnam.
        let at = |n: u64| Timestamp::from(day(n).and_time(NaiveTime::MIN).and_utc());
        let complaint = |number: u128, received: u64, state: ComplaintState, since: u64| BlamingComplaint {
            id: Id(Uuid::from_u128(number)),
            received_at: at(received),
            occurred_at: None,
            unit_id: None,
            branch_id: None,
            state,
            state_since: at(since),
        };
        let complaints = vec![
            complaint(1, 100, Assigned, 100),  // during the incident
            complaint(2, 200, Assigned, 200),  // without one
            complaint(3, 250, Withdrawn, 260), // withdrawn by the day
            complaint(4, 250, Withdrawn, 400), // withdrawn later
            complaint(5, 401, Assigned, 401),  // received later
            complaint(6, 15, Assigned, 15),    // received 365 days before
            complaint(7, 16, Assigned, 16),    // received 364 days before
        ];
        let incident = SystemIncident {
            id: Id(Uuid::from_u128(1)),
            reference: "INC-1".to_owned(),
            unit_id: None,
            started_at: at(100),
            ended_at: Some(at(101)),
            description: None,
        };
        let officers_of = complaints.iter().map(|one| (one.id, vec!["A".to_owned()])).collect();
        let rows = BlameRows { complaints, officers_of, incidents: vec![incident], ..BlameRows::default() };
        let document = blame_check(rows, day(380));
        assert_eq!((document.blamed, document.without_incident), (4, 3));
        let [only] = &document.subjects[..] else { panic!("{document:?}") };
        assert_eq!((only.code.as_str(), only.blamed, only.without_incident), ("A", 4, 3));
    }

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
    fn no_subject_is_named_without_blame_or_without_others_to_compare() {
        assert_eq!(BlameFacts::default().check().subjects, []);
        let alone = BlameFacts { rows: vec![(vec![(SubjectKind::Officer, "A".to_owned())], false); 9] }.check();
        assert!(alone.subjects.iter().all(|subject| !subject.flagged && subject.p == 1.0));
    }
}
