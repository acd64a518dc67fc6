//! Builds the frames that the recurrence statistics read: one row for each allegation, with its branch, enterprise,
//! category and finding resolved as of a day.

use crate::JobError;
use crate::facts::branches::Branches;
use crate::facts::days::day_number;
use crate::facts::exposure::{self, Exposure, Span, spans};
use crate::facts::minhash::TextSketch;
use crate::facts::{Facts, Subject, Workload};
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use polars_core::runtime::THREAD_POOL;
use schema::Id;
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::domain::tree::UnitTree;
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

/// The columns of allegations, most of them in the representation that they have in the frame: a list of optional
/// numbers takes twice the memory, and one of bools eight times.
struct Columns {
    complaint: Vec<u32>,
    day: Vec<i32>,
    enterprise: PlaceColumn,
    officer: PlaceColumn,
    branch: PlaceColumn,
    conduct: BooleanChunkedBuilder,
    serious: BooleanChunkedBuilder,
    void: BooleanChunkedBuilder,
    cleared: BooleanChunkedBuilder,
    not_sustained: BooleanChunkedBuilder,
    confirmed: BooleanChunkedBuilder,
    group: Vec<i32>,
    text: PlaceColumn,
}

type PlaceColumn = PrimitiveChunkedBuilder<UInt32Type>;

/// Builds the frames of the complaints received up to `as_of`, without duplicates.
///
/// # Errors
/// When polars fails to build a frame.
pub fn frames(facts: &Facts, as_of: NaiveDate) -> Result<Frames, JobError> {
    Exposures::of(facts, as_of)?.into_frames(facts, as_of)
}

/// Like [`frames`], with empty exposure.
///
/// # Errors
/// When polars fails to build a frame.
pub fn without_exposure(facts: &Facts, as_of: NaiveDate) -> Result<Frames, JobError> {
    let exposure = [Exposure::default(), Exposure::default()];
    Exposures { subjects: Subjects::of(facts, as_of), exposure }.into_frames(facts, as_of)
}

/// Like [`frames`], but takes ownership of the facts: it drops the workload before it builds most of the frames.
///
/// # Errors
/// The errors of [`frames`].
pub fn into_frames(mut facts: Facts, as_of: NaiveDate) -> Result<Frames, JobError> {
    let exposures = Exposures::of(&facts, as_of)?;
    facts.workload = Workload::default();
    exposures.into_frames(&facts, as_of)
}

/// The officers and branches of frames, ordered by code.
#[derive(Debug, Clone)]
struct Subjects {
    officers: Vec<Subject>,
    branches: Vec<Subject>,
}

impl Subjects {
    fn of(facts: &Facts, as_of: NaiveDate) -> Self {
        // All officers whom complaints name are known, but in facts about one flag, which have no officers.
        let accused: Vec<Id> = if facts.names_known_officers() {
            Vec::new()
        } else {
            received(facts, as_of)
                .flat_map(|one| facts.allegations.of(facts.complaints.id(one.place())))
                .map(|row| row.officer_id)
                .collect()
        };
        // Officers without a complaint are included: they belong to the peer groups.
        let officers = subjects(accused.into_iter().chain(facts.officer_codes.keys().copied()), |id| {
            facts.officer_codes.get(&id).cloned()
        });
        let branches =
            subjects(facts.units.values().filter(|unit| unit.kind == UnitKind::Branch).map(|unit| unit.id), |id| {
                facts.units.get(&id).map(|unit| unit.code.clone())
            });
        Self { officers, branches }
    }

    /// The exposure of officers, and of branches. Neither depends on the other.
    fn exposure(&self, facts: &Facts, as_of: NaiveDate) -> PolarsResult<[Exposure; 2]> {
        let tree = facts.tree();
        let (officers, branches) = THREAD_POOL.join(
            || with_groups(facts, &tree, |groups| exposure::of_officers(facts, &self.officers, as_of, groups)),
            || with_groups(facts, &tree, |groups| exposure::of_branches(facts, &self.branches, as_of, &tree, groups)),
        );
        Ok([officers?, branches?])
    }
}

/// Calls `with` with a function that gives the peer group of a unit on a day.
fn with_groups<T>(facts: &Facts, tree: &UnitTree, with: impl FnOnce(&dyn Fn(Id, NaiveDate) -> i32) -> T) -> T {
    let cache: RefCell<HashMap<(Id, NaiveDate), i32>> = RefCell::default();
    with(&|unit: Id, day: NaiveDate| {
        let find = || tree.ancestors_on(unit, day).branch.map_or(NO_GROUP, |branch| group_of(facts, branch));
        *cache.borrow_mut().entry((unit, day)).or_insert_with(find)
    })
}

/// The officers and branches of frames with their exposures, which can be computed before complaints are read.
#[derive(Debug, Clone)]
pub struct Exposures {
    subjects: Subjects,
    exposure: [Exposure; 2],
}

impl Exposures {
    /// Reads units, postings, officers and workload of `facts`; and complaints only where they name an officer whom
    /// `facts` lack.
    ///
    /// # Errors
    /// When polars fails to build a frame.
    pub fn of(facts: &Facts, as_of: NaiveDate) -> Result<Self, JobError> {
        let subjects = Subjects::of(facts, as_of);
        let exposure = subjects.exposure(facts, as_of)?;
        Ok(Self { subjects, exposure })
    }

    /// Builds the frames of the complaints received up to `as_of`, without duplicates.
    ///
    /// # Errors
    /// When polars fails to build a frame.
    pub fn into_frames(self, facts: &Facts, as_of: NaiveDate) -> Result<Frames, JobError> {
        let Self { subjects: Subjects { officers, branches }, exposure } = self;
        // A list that grows would take twice the memory at its end.
        let mut of_day: Vec<Received> = Vec::with_capacity(facts.complaints.count());
        of_day.extend(received(facts, as_of));
        let (allegations, enterprises, sketches) = allegations(facts, &of_day, &officers, &branches, as_of)?;
        let complaints = of_day.iter().map(|one| facts.complaints.id(one.place())).collect();
        let is_by_month = |one: &Received| facts.complaints.precision(one.place()) == Some(DatePrecision::Month);
        let by_month = (0u32..).zip(&of_day).filter(|(_, one)| is_by_month(one)).map(|(at, _)| at).collect();
        Ok(Frames {
            allegations,
            sketches,
            exposure,
            spans: spans(as_of),
            complaints,
            by_month,
            officers,
            branches,
            enterprises,
        })
    }
}

/// A complaint that counts, in eight bytes.
struct Received {
    place: u32,
    /// The day of receipt.
    on: NaiveDate,
}

impl Received {
    /// The place among all complaints.
    fn place(&self) -> usize {
        self.place as usize
    }
}

/// The complaints that count and were received by a day, ordered by id.
fn received(facts: &Facts, as_of: NaiveDate) -> impl Iterator<Item = Received> {
    let all = (0u32..).zip(facts.complaints.receipts());
    let counted = all.filter(move |(_, (id, _))| !facts.duplicates.contains(id));
    counted.map(|(place, (_, at))| Received { place, on: local_date(at) }).filter(move |one| one.on <= as_of)
}

/// The frame of allegations, the keys of enterprises, and the sketches.
type Built = (DataFrame, Vec<String>, Vec<Arc<TextSketch>>);

fn allegations(
    facts: &Facts,
    received: &[Received],
    officers: &[Subject],
    branches: &[Subject],
    as_of: NaiveDate,
) -> Result<Built, JobError> {
    let (enterprises, enterprise_place) = enterprises(facts, received);
    let officer_place = places(officers);
    let branch_place = places(branches);
    let mut branches_of = Branches::new(facts);
    // At most one row more for each complaint: that of one without allegations.
    let mut columns = Columns::with_capacity(received.len() + facts.allegations.most_rows());
    let mut sketches = Vec::new();
    let texts_after = day_number(as_of) - TEXT_DAYS;
    let mut allegations = facts.allegations.in_order();
    for (at, one) in (0u32..).zip(received) {
        let fact = &facts.complaints.at(one.place());
        let day = day_number(one.on);
        let enterprise = fact.enterprise_id.and_then(|id| enterprise_place.get(&id).copied());
        let void = is_void(fact.state) && local_date(fact.state_since) <= as_of;
        let mut rows = allegations.of(fact.id).peekable();
        let text = if day > texts_after { facts.texts.get(&fact.id) } else { None };
        let text = text.filter(|_| facts.is_about_conduct(fact)).map(|sketch| {
            sketches.push(Arc::clone(sketch));
            u32::try_from(sketches.len() - 1).unwrap_or(u32::MAX)
        });
        let mut push = |officer: Option<u32>, branch: Option<Id>, category: Option<Id>, finding: Finding, confirmed| {
            let category = category.and_then(|id| facts.categories.get(&id));
            columns.complaint.push(at);
            columns.day.push(day);
            columns.enterprise.append_option(enterprise);
            columns.officer.append_option(officer);
            columns.branch.append_option(branch.and_then(|id| branch_place.get(&id).copied()));
            columns.conduct.append_value(category.is_some_and(|category| category.kind == CategoryKind::Conduct));
            columns.serious.append_value(category.is_some_and(|category| category.serious));
            columns.void.append_value(void);
            columns.cleared.append_value(matches!(finding, Finding::Unfounded | Finding::Exonerated));
            columns.not_sustained.append_value(finding == Finding::NotSustained);
            columns.confirmed.append_value(confirmed);
            columns.group.push(branch.map_or(NO_GROUP, |id| group_of(facts, id)));
            columns.text.append_option(text);
        };
        if rows.peek().is_none() {
            let finding = finding_on(fact.finding.unwrap_or(Finding::Pending), fact.decided_on, as_of);
            push(None, branches_of.complaint(fact), fact.category_id, finding, true);
        }
        for row in rows {
            let finding = finding_on(row.finding, row.decided_on, as_of);
            let branch = branches_of.allegation(fact, &row);
            let category = row.category_id.or(fact.category_id);
            let confirmed = row.attribution == Attribution::Confirmed;
            push(officer_place.get(&row.officer_id).copied(), branch, category, finding, confirmed);
        }
    }
    Ok((columns.into_frame()?, enterprises, sketches))
}

/// Places by id. The hash is faster than the standard one, and has a random seed, too.
type Places = HashMap<Id, u32, PlRandomState>;

/// The keys of the enterprises that complained, in bytewise order; and the place of each enterprise among them.
fn enterprises(facts: &Facts, received: &[Received]) -> (Vec<String>, Places) {
    let mut places = Places::default();
    let mut keyed: Vec<(String, Id)> = Vec::new();
    for id in received.iter().filter_map(|one| facts.complaints.enterprise_id(one.place())) {
        if let Entry::Vacant(vacant) = places.entry(id)
            && let Some(enterprise) = facts.enterprises.get(&id)
        {
            vacant.insert(u32::MAX);
            keyed.push((enterprise.counts_as(), id));
        }
    }
    keyed.sort_unstable();
    let mut enterprises: Vec<String> = Vec::with_capacity(keyed.len());
    for (key, id) in keyed {
        if enterprises.last() != Some(&key) {
            enterprises.push(key);
        }
        places.insert(id, u32::try_from(enterprises.len() - 1).unwrap_or(u32::MAX));
    }
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
    /// Reserves memory, which takes none before it is used: lists that grow would take twice the memory at their end.
    fn with_capacity(rows: usize) -> Self {
        let places = |name: &str| PlaceColumn::new(name.into(), rows);
        let bools = |name: &str| BooleanChunkedBuilder::new(name.into(), rows);
        Self {
            complaint: Vec::with_capacity(rows),
            day: Vec::with_capacity(rows),
            enterprise: places("enterprise"),
            officer: places("officer"),
            branch: places("branch"),
            conduct: bools("conduct"),
            serious: bools("serious"),
            void: bools("void"),
            cleared: bools("cleared"),
            not_sustained: bools("not_sustained"),
            confirmed: bools("confirmed"),
            group: Vec::with_capacity(rows),
            text: places("text"),
        }
    }

    fn into_frame(self) -> PolarsResult<DataFrame> {
        let height = self.complaint.len();
        DataFrame::new(
            height,
            vec![
                Column::new("complaint".into(), self.complaint),
                Column::new("day".into(), self.day),
                self.enterprise.finish().into_column(),
                self.officer.finish().into_column(),
                self.branch.finish().into_column(),
                self.conduct.finish().into_column(),
                self.serious.finish().into_column(),
                self.void.finish().into_column(),
                self.cleared.finish().into_column(),
                self.not_sustained.finish().into_column(),
                self.confirmed.finish().into_column(),
                Column::new("group".into(), self.group),
                self.text.finish().into_column(),
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

fn places(subjects: &[Subject]) -> Places {
    (0..).zip(subjects).map(|(at, subject)| (subject.id, at)).collect()
}
