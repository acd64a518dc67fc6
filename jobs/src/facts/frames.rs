//! Builds the frames that the recurrence statistics read: one row for each allegation, with its branch, enterprise,
//! category and finding resolved as of a day.

use crate::JobError;
use crate::facts::days::day_number;
use crate::facts::exposure::{self, Exposure, Span, spans};
use crate::facts::minhash::TextSketch;
use crate::facts::types::{AllegationFact, ComplaintFact, Facts, Subject};
use chrono::NaiveDate;
use polars::prelude::*;
use schema::Id;
use schema::domain::calendar::{is_valid_on, local_date};
use schema::domain::state::is_void;
use schema::domain::tree::UnitTree;
use schema::enums::{Attribution, CategoryKind, DatePrecision, Finding, UnitKind};
use schema::register::complaints::reference_day;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The allegations of a register as of a day.
///
/// `allegations` has one row for each allegation against an officer, and one for each complaint
/// that names none:
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
    pub sketches: Vec<TextSketch>,
    /// Of officers, and of branches.
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
    let received: Vec<&ComplaintFact> = facts.counted().filter(|fact| local_date(fact.received_at) <= as_of).collect();
    let accused =
        received.iter().filter_map(|fact| facts.allegations.get(&fact.id)).flatten().map(|row| row.officer_id);
    // Officers without a complaint are included: they belong to the peer groups.
    let officers =
        subjects(accused.chain(facts.officer_codes.keys().copied()), |id| facts.officer_codes.get(&id).cloned());
    let branches =
        subjects(facts.units.values().filter(|unit| unit.kind == UnitKind::Branch).map(|unit| unit.id), |id| {
            facts.units.get(&id).map(|unit| unit.code.clone())
        });
    let counts_as: BTreeSet<String> = received
        .iter()
        .filter_map(|fact| facts.enterprises.get(&fact.enterprise_id?))
        .map(crate::facts::types::EnterpriseFact::counts_as)
        .collect();
    let enterprises: Vec<String> = counts_as.into_iter().collect();
    let enterprise_place: HashMap<&str, u32> = (0..).zip(&enterprises).map(|(at, key)| (key.as_str(), at)).collect();
    let officer_place = places(&officers);
    let branch_place = places(&branches);
    let mut branches_of = Branches::new(facts);

    let mut columns = Columns::default();
    let mut sketches = Vec::new();
    for (at, fact) in (0u32..).zip(&received) {
        let day = day_number(local_date(fact.received_at));
        let enterprise = fact
            .enterprise_id
            .and_then(|id| facts.enterprises.get(&id))
            .and_then(|enterprise| enterprise_place.get(enterprise.counts_as().as_str()).copied());
        let void = is_void(fact.state) && local_date(fact.state_since) <= as_of;
        let rows = facts.allegations.get(&fact.id).map_or(&[][..], Vec::as_slice);
        let compares = || day > day_number(as_of) - TEXT_DAYS && facts.is_about_conduct(fact);
        let text = facts.texts.get(&fact.id).filter(|_| compares()).map(|sketch| {
            sketches.push(sketch.clone());
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
    let tree = &branches_of.tree;
    let cache: RefCell<HashMap<(Id, NaiveDate), i32>> = RefCell::default();
    let groups = |unit: Id, day: NaiveDate| {
        let find = || tree.ancestors_on(unit, day).branch.map_or(NO_GROUP, |branch| group_of(facts, branch));
        *cache.borrow_mut().entry((unit, day)).or_insert_with(find)
    };
    let exposure = [
        exposure::of_officers(facts, &officers, as_of, &groups)?,
        exposure::of_branches(facts, &branches, as_of, tree, &groups)?,
    ];
    Ok(Frames {
        allegations: columns.into_frame()?,
        sketches,
        exposure,
        spans: spans(as_of),
        complaints: received.iter().map(|fact| fact.id).collect(),
        by_month: (0u32..)
            .zip(&received)
            .filter(|(_, fact)| fact.received_precision == Some(DatePrecision::Month))
            .map(|(at, _)| at)
            .collect(),
        officers,
        branches,
        enterprises,
    })
}

/// Days back to which texts are compared: the longest window, and 90 days in which a campaign may have begun
/// before it.
pub const TEXT_DAYS: i32 = 365 + 90;

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
    let by_id: BTreeMap<Id, Option<String>> = ids.map(|id| (id, None)).collect();
    let mut subjects: Vec<Subject> =
        by_id.into_keys().map(|id| Subject { code: code(id).unwrap_or_else(|| id.to_string()), id }).collect();
    subjects.sort();
    subjects
}

fn places(subjects: &[Subject]) -> HashMap<Id, u32> {
    (0..).zip(subjects).map(|(at, subject)| (subject.id, at)).collect()
}

/// Finds the branch to which an allegation counts.
struct Branches<'f> {
    facts: &'f Facts,
    tree: UnitTree,
    cache: HashMap<(Id, NaiveDate), Option<Id>>,
}

impl<'f> Branches<'f> {
    fn new(facts: &'f Facts) -> Self {
        let tree = UnitTree::new(facts.units.values(), facts.parents.values().flatten());
        Self { facts, tree, cache: HashMap::new() }
    }

    fn complaint(&mut self, fact: &ComplaintFact) -> Option<Id> {
        self.of_unit(fact.unit_id?, reference_day(fact.received_at, fact.occurred_at))
    }

    /// The branch of the allegation's unit; without one, of the officer's posting on that day; without exactly one
    /// posting, of the complaint's unit.
    fn allegation(&mut self, fact: &ComplaintFact, row: &AllegationFact) -> Option<Id> {
        let day = reference_day(fact.received_at, fact.occurred_at);
        if let Some(unit) = row.unit_id {
            return self.of_unit(unit, day);
        }
        let posted = self.facts.postings.get(&row.officer_id).into_iter().flatten();
        let mut posted = posted.filter(|posting| is_valid_on(day, posting.valid_from, posting.valid_to));
        match (posted.next(), posted.next()) {
            (Some(posting), None) => self.of_unit(posting.unit_id, day),
            _ => self.complaint(fact),
        }
    }

    fn of_unit(&mut self, unit: Id, day: NaiveDate) -> Option<Id> {
        let tree = &self.tree;
        *self.cache.entry((unit, day)).or_insert_with(|| tree.ancestors_on(unit, day).branch)
    }
}
