//! Builds the frames that the recurrence statistics read: one row for each allegation, with its branch, enterprise,
//! category and finding resolved as of a day.

use crate::JobError;
use crate::facts::branches::Branches;
use crate::facts::days::day_number;
use crate::facts::exposure::{self, Exposure, Span, spans};
use crate::facts::minhash::TextSketch;
use crate::facts::{ComplaintFact, Facts, Subject};
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use schema::Id;
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::enums::{Attribution, CategoryKind, DatePrecision, Finding, UnitKind};
use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The allegations of a register as of a day.
///
/// `allegations` has one row for each allegation against an officer, and one for each complaint that names none:
///
/// | column | type | meaning |
/// | --- | --- | --- |
/// | `complaint` | u32 | index into `complaints` |
/// | `day` | i32 | local date of receipt, days since 1970 |
/// | `enterprise` | u32? | index into `enterprises`; null for an anonymous complaint |
/// | `officer` | u32? | index into `officers`; null when none is named |
/// | `branch` | u32? | index into `branches`, on the day of occurrence, else of receipt |
/// | `conduct`, `serious` | bool | of the allegation's category |
/// | `void` | bool | withdrawn or rejected by the as-of day |
/// | `cleared` | bool | found UNFOUNDED or EXONERATED by the as-of day |
/// | `not_sustained` | bool | found NOT_SUSTAINED by the as-of day |
/// | `confirmed` | bool | the attribution is CONFIRMED, or no officer is named |
/// | `group` | i32 | peer group of the branch, −1 for none |
/// | `text` | u32? | index into `sketches`; null when the text was not read |
#[derive(Debug, Clone)]
pub struct Frames {
    pub allegations: DataFrame,
    /// Ordered by id.
    pub complaints: Vec<Id>,
    /// Indices of the complaints with only a month of receipt.
    pub by_month: HashSet<u32>,
    /// Ordered by code, bytewise; `branches` too.
    pub officers: Vec<Subject>,
    pub branches: Vec<Subject>,
    /// Keys of enterprises (those counted as one share a key), in bytewise order.
    pub enterprises: Vec<String>,
    pub sketches: Vec<Arc<TextSketch>>,
    /// The exposure of officers, and that of branches.
    pub exposure: [Exposure; 2],
    pub spans: Vec<Span>,
}

#[derive(Default)]
struct Columns {
    complaint: Vec<u32>,
    day: Vec<i32>,
    enterprise: Vec<Option<u32>>,
    officer: Vec<Option<u32>>,
    branch: Vec<Option<u32>>,
    conduct: Vec<bool>,
    serious: Vec<bool>,
    void: Vec<bool>,
    cleared: Vec<bool>,
    not_sustained: Vec<bool>,
    confirmed: Vec<bool>,
    group: Vec<i32>,
    text: Vec<Option<u32>>,
}

/// Builds the frames of the complaints received up to `as_of`, without duplicates.
///
/// # Errors
/// When polars fails to build a frame.
pub fn frames(facts: &Facts, as_of: NaiveDate) -> Result<Frames, JobError> {
    let outline = Outline::new(facts, as_of);
    let exposure = outline.exposure(facts, as_of)?;
    outline.into_frames(facts, exposure, as_of)
}

/// Like [`frames`], with empty exposure.
///
/// # Errors
/// When polars fails to build a frame.
pub fn without_exposure(facts: &Facts, as_of: NaiveDate) -> Result<Frames, JobError> {
    Outline::new(facts, as_of).into_frames(facts, [Exposure::default(), Exposure::default()], as_of)
}

/// Like [`frames`], but takes ownership of the facts: it drops the workload before it builds most of the frames.
///
/// # Errors
/// The errors of [`frames`].
pub fn into_frames(mut facts: Facts, as_of: NaiveDate) -> Result<Frames, JobError> {
    let outline = Outline::new(&facts, as_of);
    let exposure = outline.exposure(&facts, as_of)?;
    facts.workload = Vec::new();
    outline.into_frames(&facts, exposure, as_of)
}

/// The subjects and complaints of the frames.
struct Outline {
    /// The complaints that count and were received by the day: index into [`Facts::complaints`], and day of receipt.
    received: Vec<(u32, NaiveDate)>,
    officers: Vec<Subject>,
    branches: Vec<Subject>,
}

impl Outline {
    fn new(facts: &Facts, as_of: NaiveDate) -> Self {
        let received: Vec<(u32, NaiveDate)> = (0u32..)
            .zip(&facts.complaints)
            .filter(|(_, fact)| !facts.duplicates.contains(&fact.id))
            .map(|(at, fact)| (at, local_date(fact.received_at)))
            .filter(|(_, day)| *day <= as_of)
            .collect();
        let accused = received
            .iter()
            .flat_map(|(at, _)| facts.allegations.of(facts.complaints[*at as usize].id))
            .map(|row| row.officer_id);
        // Officers without a complaint are included: they belong to the peer groups.
        let officers =
            subjects(accused.chain(facts.officer_codes.keys().copied()), |id| facts.officer_codes.get(&id).cloned());
        let branches =
            subjects(facts.units.values().filter(|unit| unit.kind == UnitKind::Branch).map(|unit| unit.id), |id| {
                facts.units.get(&id).map(|unit| unit.code.clone())
            });
        Self { received, officers, branches }
    }

    /// The exposure of officers, and of branches.
    fn exposure(&self, facts: &Facts, as_of: NaiveDate) -> PolarsResult<[Exposure; 2]> {
        let tree = facts.tree();
        let cache: RefCell<HashMap<(Id, NaiveDate), i32>> = RefCell::default();
        let groups = |unit: Id, day: NaiveDate| {
            let find = || tree.ancestors_on(unit, day).branch.map_or(NO_GROUP, |branch| group_of(facts, branch));
            *cache.borrow_mut().entry((unit, day)).or_insert_with(find)
        };
        Ok([
            exposure::of_officers(facts, &self.officers, as_of, &groups)?,
            exposure::of_branches(facts, &self.branches, as_of, &tree, &groups)?,
        ])
    }

    fn into_frames(self, facts: &Facts, exposure: [Exposure; 2], as_of: NaiveDate) -> Result<Frames, JobError> {
        let Self { received, officers, branches } = self;
        let received: Vec<(&ComplaintFact, NaiveDate)> =
            received.into_iter().map(|(at, day)| (&facts.complaints[at as usize], day)).collect();
        let (allegations, enterprises, sketches) = allegations(facts, &received, &officers, &branches, as_of)?;
        Ok(Frames {
            allegations,
            sketches,
            exposure,
            spans: spans(as_of),
            complaints: received.iter().map(|(fact, _)| fact.id).collect(),
            by_month: (0u32..)
                .zip(&received)
                .filter(|(_, (fact, _))| fact.received_precision == Some(DatePrecision::Month))
                .map(|(at, _)| at)
                .collect(),
            officers,
            branches,
            enterprises,
        })
    }
}

/// The frame of allegations, the keys of enterprises, and the sketches.
type Built = (DataFrame, Vec<String>, Vec<Arc<TextSketch>>);

fn allegations(
    facts: &Facts,
    received: &[(&ComplaintFact, NaiveDate)],
    officers: &[Subject],
    branches: &[Subject],
    as_of: NaiveDate,
) -> Result<Built, JobError> {
    let (enterprises, enterprise_place) = enterprises(facts, received);
    let officer_place = places(officers);
    let branch_place = places(branches);
    let mut branches_of = Branches::new(facts);
    let mut columns = Columns::default();
    let mut sketches = Vec::new();
    let texts_after = day_number(as_of) - TEXT_DAYS;
    for (at, (fact, received_on)) in (0u32..).zip(received) {
        let day = day_number(*received_on);
        let enterprise = fact.enterprise_id.and_then(|id| enterprise_place.get(&id).copied());
        let void = is_void(fact.state) && local_date(fact.state_since) <= as_of;
        let rows = facts.allegations.of(fact.id);
        let text = if day > texts_after { facts.texts.get(&fact.id) } else { None };
        let text = text.filter(|_| facts.is_about_conduct(fact)).map(|sketch| {
            sketches.push(Arc::clone(sketch));
            u32::try_from(sketches.len() - 1).unwrap_or(u32::MAX)
        });
        let mut push = |officer: Option<u32>, branch: Option<Id>, category: Option<Id>, finding: Finding, confirmed| {
            let category = category.and_then(|id| facts.categories.get(&id));
            columns.complaint.push(at);
            columns.day.push(day);
            columns.enterprise.push(enterprise);
            columns.officer.push(officer);
            columns.branch.push(branch.and_then(|id| branch_place.get(&id).copied()));
            columns.conduct.push(category.is_some_and(|category| category.kind == CategoryKind::Conduct));
            columns.serious.push(category.is_some_and(|category| category.serious));
            columns.void.push(void);
            columns.cleared.push(matches!(finding, Finding::Unfounded | Finding::Exonerated));
            columns.not_sustained.push(finding == Finding::NotSustained);
            columns.confirmed.push(confirmed);
            columns.group.push(branch.map_or(NO_GROUP, |id| group_of(facts, id)));
            columns.text.push(text);
        };
        if rows.is_empty() {
            let finding = finding_on(fact.finding.unwrap_or(Finding::Pending), fact.decided_on, as_of);
            push(None, branches_of.complaint(fact), fact.category_id, finding, true);
        }
        for row in rows {
            let finding = finding_on(row.finding, row.decided_on, as_of);
            let branch = branches_of.allegation(fact, row);
            let category = row.category_id.or(fact.category_id);
            let confirmed = row.attribution == Attribution::Confirmed;
            push(officer_place.get(&row.officer_id).copied(), branch, category, finding, confirmed);
        }
    }
    Ok((columns.into_frame()?, enterprises, sketches))
}

/// The keys of the enterprises that complained, in bytewise order; and the place of each enterprise among them.
fn enterprises(facts: &Facts, received: &[(&ComplaintFact, NaiveDate)]) -> (Vec<String>, HashMap<Id, u32>) {
    let mut keys: HashMap<Id, String> = HashMap::new();
    for id in received.iter().filter_map(|(fact, _)| fact.enterprise_id) {
        if let (Entry::Vacant(vacant), Some(enterprise)) = (keys.entry(id), facts.enterprises.get(&id)) {
            vacant.insert(enterprise.counts_as());
        }
    }
    let mut enterprises: Vec<String> = keys.values().cloned().collect();
    enterprises.sort_unstable();
    enterprises.dedup();
    let place = |key: &String| enterprises.binary_search(key).ok().and_then(|at| u32::try_from(at).ok());
    let places = keys.iter().filter_map(|(id, key)| Some((*id, place(key)?))).collect();
    (enterprises, places)
}

/// Texts are compared this many days back: the longest window, and 90 days for a campaign that began before it.
pub const TEXT_DAYS: i32 = 365 + 90;

/// The same, to be taken from the as-of day.
pub const COMPARED_TEXTS: Days = Days::new(TEXT_DAYS.unsigned_abs() as u64);

/// The group number of a unit without a peer group.
pub const NO_GROUP: i32 = -1;

/// The peer group of a branch, as a number.
fn group_of(facts: &Facts, branch: Id) -> i32 {
    facts.units.get(&branch).and_then(|unit| unit.peer_group).map_or(NO_GROUP, |group| group as i32)
}

/// The finding as of a day: pending until the day of the decision.
fn finding_on(finding: Finding, decided_on: Option<NaiveDate>, as_of: NaiveDate) -> Finding {
    if decided_on.is_some_and(|day| day > as_of) { Finding::Pending } else { finding }
}

impl Columns {
    fn into_frame(self) -> PolarsResult<DataFrame> {
        let height = self.complaint.len();
        DataFrame::new(
            height,
            vec![
                Column::new("complaint".into(), self.complaint),
                Column::new("day".into(), self.day),
                Column::new("enterprise".into(), self.enterprise),
                Column::new("officer".into(), self.officer),
                Column::new("branch".into(), self.branch),
                Column::new("conduct".into(), self.conduct),
                Column::new("serious".into(), self.serious),
                Column::new("void".into(), self.void),
                Column::new("cleared".into(), self.cleared),
                Column::new("not_sustained".into(), self.not_sustained),
                Column::new("confirmed".into(), self.confirmed),
                Column::new("group".into(), self.group),
                Column::new("text".into(), self.text),
            ],
        )
    }
}

fn subjects(ids: impl Iterator<Item = Id>, code: impl Fn(Id) -> Option<String>) -> Vec<Subject> {
    let mut ids: Vec<Id> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut subjects: Vec<Subject> =
        ids.into_iter().map(|id| Subject { code: code(id).unwrap_or_else(|| id.to_string()), id }).collect();
    subjects.sort();
    subjects
}

fn places(subjects: &[Subject]) -> HashMap<Id, u32> {
    (0..).zip(subjects).map(|(at, subject)| (subject.id, at)).collect()
}
