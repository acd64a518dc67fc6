//! The rows of the frame of allegations. Complaints do not need each other for theirs, so that each thread of the pool
//! makes those of some.

use super::{NO_GROUP, TEXT_DAYS, group_of};
use crate::JobError;
use crate::facts::branches::Branches;
use crate::facts::days::day_number;
use crate::facts::minhash::TextSketch;
use crate::facts::{ById, Facts, Subject};
use chrono::NaiveDate;
use polars::prelude::*;
use polars_core::runtime::THREAD_POOL;
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};
use schema::Id;
use schema::domain::calendar::local_date;
use schema::domain::state::is_void;
use schema::enums::{Attribution, CategoryKind, Finding};
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// The fewest complaints whose rows are worth a thread.
const WORTH_A_THREAD: usize = 20_000;

/// A complaint that counts, in eight bytes.
pub(super) struct Received {
    place: u32,
    /// The day of receipt.
    on: NaiveDate,
}

impl Received {
    /// The place among all complaints.
    pub fn place(&self) -> usize {
        self.place as usize
    }
}

/// The complaints that count and were received by a day, ordered by id.
pub(super) fn received(facts: &Facts, as_of: NaiveDate) -> impl Iterator<Item = Received> {
    let all = (0u32..).zip(facts.complaints.receipts());
    let counted = all.filter(move |(_, (id, _))| !facts.duplicates.contains(id));
    counted.map(|(place, (_, at))| Received { place, on: local_date(at) }).filter(move |one| one.on <= as_of)
}

/// The frame of allegations, the keys of enterprises, and the sketches.
type Built = (DataFrame, Vec<String>, Vec<Arc<TextSketch>>);

/// The rows of some complaints, and the sketches of their texts.
type Part = (Columns, Vec<Arc<TextSketch>>);

/// Builds the frame of the allegations of some complaints, which are in the order of ids.
///
/// # Errors
/// When polars fails to build a frame.
pub(super) fn allegations(
    facts: &Facts,
    received: &[Received],
    officers: &[Subject],
    branches: &[Subject],
    as_of: NaiveDate,
) -> Result<Built, JobError> {
    let (keys, enterprises) = enterprises(facts, received);
    let rows = Rows { facts, as_of, enterprises, officers: places(officers), branches: places(branches) };
    let at_once = received.len().div_ceil(THREAD_POOL.current_num_threads()).max(WORTH_A_THREAD);
    let (frame, sketches) = rows.frame(received, at_once)?;
    Ok((frame, keys, sketches))
}

/// Makes the rows of complaints.
struct Rows<'f> {
    facts: &'f Facts,
    as_of: NaiveDate,
    enterprises: Places,
    officers: Places,
    branches: Places,
}

impl Rows<'_> {
    /// The frame of complaints, of which a thread makes the rows of `at_once`; and the sketches.
    fn frame(&self, received: &[Received], at_once: usize) -> PolarsResult<(DataFrame, Vec<Arc<TextSketch>>)> {
        let parts: Vec<Part> = THREAD_POOL.install(|| {
            let parts = received.par_chunks(at_once).enumerate();
            parts.map(|(nth, part)| self.part(u32::try_from(nth * at_once).unwrap_or(u32::MAX), part)).collect()
        });
        let mut sketches: Vec<Arc<TextSketch>> = Vec::new();
        let mut frame = Columns::with_capacity(0).into_frame(0)?;
        for (columns, own) in parts {
            let next = columns.into_frame(u32::try_from(sketches.len()).unwrap_or(u32::MAX))?;
            sketches.extend(own);
            if frame.height() == 0 {
                frame = next;
            } else {
                frame.vstack_mut(&next)?;
            }
        }
        frame.rechunk_mut();
        Ok((frame, sketches))
    }

    /// The rows of complaints, of which `first` is the number of the first one.
    fn part(&self, first: u32, received: &[Received]) -> Part {
        let Self { facts, as_of, .. } = *self;
        let mut branches_of = Branches::new(facts);
        // At most one row more for each complaint: that of one without allegations.
        let mut columns = Columns::with_capacity(received.len() + facts.allegations.most_rows());
        let mut sketches: Vec<Arc<TextSketch>> = Vec::new();
        let texts_after = day_number(as_of) - TEXT_DAYS;
        let mut allegations = facts.allegations.in_order();
        for (at, one) in (first..).zip(received) {
            let fact = &facts.complaints.at(one.place());
            let day = day_number(one.on);
            let enterprise = fact.enterprise_id.and_then(|id| self.enterprises.get(&id).copied());
            let void = is_void(fact.state) && local_date(fact.state_since) <= as_of;
            let mut rows = allegations.of(fact.id).peekable();
            let text = if day > texts_after { facts.texts.get(&fact.id) } else { None };
            let text = text.filter(|_| facts.is_about_conduct(fact)).map_or(NO_TEXT, |sketch| {
                sketches.push(Arc::clone(sketch));
                u32::try_from(sketches.len() - 1).unwrap_or(NO_TEXT)
            });
            let mut push =
                |officer: Option<u32>, branch: Option<Id>, category: Option<Id>, finding: Finding, confirmed| {
                    let category = category.and_then(|id| facts.categories.get(&id));
                    columns.complaint.push(at);
                    columns.day.push(day);
                    columns.enterprise.append_option(enterprise);
                    columns.officer.append_option(officer);
                    columns.branch.append_option(branch.and_then(|id| self.branches.get(&id).copied()));
                    let is_conduct = category.is_some_and(|category| category.kind == CategoryKind::Conduct);
                    columns.conduct.append_value(is_conduct);
                    columns.serious.append_value(category.is_some_and(|category| category.serious));
                    columns.void.append_value(void);
                    columns.cleared.append_value(matches!(finding, Finding::Unfounded | Finding::Exonerated));
                    columns.not_sustained.append_value(finding == Finding::NotSustained);
                    columns.confirmed.append_value(confirmed);
                    columns.group.push(branch.map_or(NO_GROUP, |id| group_of(facts, id)));
                    columns.text.push(text);
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
                push(self.officers.get(&row.officer_id).copied(), branch, category, finding, confirmed);
            }
        }
        (columns, sketches)
    }
}

type Places = ById<u32>;

fn places(subjects: &[Subject]) -> Places {
    (0..).zip(subjects).map(|(at, subject)| (subject.id, at)).collect()
}

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
    THREAD_POOL.install(|| keyed.par_sort_unstable());
    let mut enterprises: Vec<String> = Vec::with_capacity(keyed.len());
    for (key, id) in keyed {
        if enterprises.last() != Some(&key) {
            enterprises.push(key);
        }
        places.insert(id, u32::try_from(enterprises.len() - 1).unwrap_or(u32::MAX));
    }
    (enterprises, places)
}

/// The finding as of a day: pending until the day of the decision.
fn finding_on(finding: Finding, decided_on: Option<NaiveDate>, as_of: NaiveDate) -> Finding {
    if decided_on.is_some_and(|day| day > as_of) { Finding::Pending } else { finding }
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
    /// Numbers of the sketches of the same complaints.
    text: Vec<u32>,
}

type PlaceColumn = PrimitiveChunkedBuilder<UInt32Type>;

/// The number of no sketch.
const NO_TEXT: u32 = u32::MAX;

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
            text: Vec::with_capacity(rows),
        }
    }

    /// The frame of the columns; `sketches` is how many come before their own.
    ///
    /// # Errors
    /// If the columns differ in length.
    fn into_frame(self, sketches: u32) -> PolarsResult<DataFrame> {
        let height = self.complaint.len();
        let mut text = PlaceColumn::new("text".into(), height);
        for own in self.text {
            text.append_option((own != NO_TEXT).then(|| sketches + own));
        }
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
                text.finish().into_column(),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{AllegationFact, CategoryFact, ComplaintFact};
    use schema::Timestamp;
    use schema::enums::ComplaintState;
    use uuid::Uuid;

    fn id(n: u128) -> Id {
        Id(Uuid::from_u128(n))
    }

    #[test]
    fn rows_are_the_same_however_many_a_thread_makes() {
        let at = Timestamp::from_micros(1_700_000_000_000_000).expect("a time");
        let as_of = local_date(at);
        let mut facts = Facts::default();
        facts.categories.insert(id(1), CategoryFact { kind: CategoryKind::Conduct, serious: true });
        for n in 0..9 {
            facts.complaints.push(&ComplaintFact {
                id: id(100 + n),
                received_at: at,
                occurred_at: None,
                enterprise_id: None,
                unit_id: None,
                category_id: (n % 2 > 0).then(|| id(1)),
                state: ComplaintState::Received,
                state_since: at,
                finding: None,
                decided_on: None,
                received_precision: None,
            });
            facts.texts.insert(id(100 + n), Arc::new(TextSketch::of(&format!("text of complaint {n}"))));
            for officer in 0..n % 3 {
                facts.allegations.push(&AllegationFact {
                    complaint_id: id(100 + n),
                    officer_id: id(officer),
                    category_id: None,
                    unit_id: None,
                    attribution: Attribution::Confirmed,
                    finding: Finding::Pending,
                    decided_on: None,
                });
            }
        }
        let received: Vec<Received> = received(&facts, as_of).collect();
        let officers = [0, 1].map(|n| Subject { code: n.to_string(), id: id(n) });
        let (enterprises, branches) = (Places::default(), Places::default());
        let rows = Rows { facts: &facts, as_of, enterprises, officers: places(&officers), branches };
        let (whole, sketches) = rows.frame(&received, 100).expect("a frame");
        // Three complaints name two officers.
        assert_eq!((whole.height(), sketches.len()), (12, 4));
        for at_once in [1, 2, 4] {
            let (frame, others) = rows.frame(&received, at_once).expect("a frame");
            assert!(frame.equals_missing(&whole), "{at_once} at once");
            assert_eq!((others == sketches, frame.max_n_chunks()), (true, 1));
        }
        let (none, _) = rows.frame(&[], 4).expect("a frame");
        assert_eq!((none.height(), none.width()), (0, whole.width()));
    }
}
