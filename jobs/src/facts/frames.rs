//! Builds the frames that the recurrence statistics read: one row for each allegation, with its branch, enterprise,
//! category and finding resolved as of a day.

mod rows;

use crate::JobError;
use crate::facts::exposure::{self, Exposure, Span, spans};
use crate::facts::minhash::TextSketch;
use crate::facts::{Facts, Subject, Workload};
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use polars_core::runtime::THREAD_POOL;
use rayon::slice::ParallelSliceMut;
use rows::{Received, allegations, received};
use schema::Id;
use schema::domain::tree::UnitTree;
use schema::enums::{DatePrecision, UnitKind};
use std::cell::RefCell;
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

fn subjects(ids: impl Iterator<Item = Id>, code: impl Fn(Id) -> Option<String>) -> Vec<Subject> {
    let mut ids: Vec<Id> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut subjects: Vec<Subject> =
        ids.into_iter().map(|id| Subject { code: code(id).unwrap_or_else(|| id.to_string()), id }).collect();
    THREAD_POOL.install(|| subjects.par_sort_unstable());
    subjects
}
