//! Exposure and episodes of all subjects by peer group and span: what the windows are computed from.

use crate::facts::exposure::Span;
use crate::facts::frames::NO_GROUP;
use crate::numeric::sums::Compensated;
use polars::prelude::*;
use std::collections::BTreeSet;
use std::iter::from_fn;

/// The cells of all subjects of a kind.
///
/// Both vectors are sorted by (subject, group, month), so that a window is one pass over the two: neither is
/// looked up in the other.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    exposed: Vec<Exposed>,
    begun: Vec<Begun>,
    /// Number of peer groups that occur.
    pub(super) groups: usize,
    /// The month of each span.
    months: Vec<u32>,
}

/// The exposure of a subject in a peer group and a span.
#[derive(Debug, Clone, Copy)]
struct Exposed {
    exposure: f64,
    subject: u32,
    /// Index into the groups that occur, in their order.
    group: u32,
    span: u16,
    carried: bool,
}

/// The number of episodes of a subject that began in a peer group and a span.
#[derive(Debug, Clone, Copy)]
struct Begun {
    subject: u32,
    group: u32,
    episodes: u32,
    span: u16,
}

/// A subject in one peer group and month of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub subject: u32,
    pub group: u32,
    pub month: u32,
    pub exposure: f64,
    pub episodes: u32,
    /// Whether some of the exposure was carried over from another month.
    pub carried: bool,
}

/// The cells of `rows` and `exposure`.
///
/// Reads `subject`, `group`, `episode_day` and `opens` of `rows`; `exposure` is as in
/// [`crate::facts::exposure::Exposure`]. An episode counts in the month in which it began, and in the peer
/// group of the branch that it is about.
///
/// # Errors
/// If `rows` or `exposure` lacks a column that it reads.
pub fn cells(rows: &DataFrame, exposure: &DataFrame, spans: &[Span]) -> PolarsResult<Cells> {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Ok(Cells::default()) };
    let months: Vec<u32> = spans.iter().map(|span| span.month).collect();
    let opened = opened(rows, first.from, last.to)?;
    let groups = groups(exposure, &opened)?;
    let place = |group: i32| u32::try_from(groups.partition_point(|known| *known < group)).unwrap_or(u32::MAX);
    let mut exposed = exposed(exposure, &months, place)?;
    let by_month = |cell: &Exposed| (cell.subject, cell.group, months[usize::from(cell.span)]);
    // Frames deliver them in this order. The sort is stable: the exposures of a month are added in the order of
    // the frame.
    if !exposed.is_sorted_by_key(by_month) {
        exposed.sort_by_key(by_month);
    }
    let span_of = |day: i32| spans.partition_point(|span| span.from <= day).saturating_sub(1);
    let mut keys: Vec<(u32, u32, u16)> = opened
        .into_iter()
        .map(|(subject, group, day)| (subject, place(group), u16::try_from(span_of(day)).unwrap_or(u16::MAX)))
        .collect();
    keys.sort_unstable();
    let begun = keys
        .chunk_by(|a, b| a == b)
        .map(|equal| {
            let (subject, group, span) = equal[0];
            Begun { subject, group, span, episodes: u32::try_from(equal.len()).unwrap_or(u32::MAX) }
        })
        .collect();
    Ok(Cells { exposed, begun, groups: groups.len(), months })
}

/// (subject, group, day) of the episodes that began on these days.
fn opened(rows: &DataFrame, from: i32, to: i32) -> PolarsResult<Vec<(u32, i32, i32)>> {
    let (subjects, groups) = (rows.column("subject")?.u32()?, rows.column("group")?.i32()?);
    let (days, opens) = (rows.column("episode_day")?.i32()?, rows.column("opens")?.bool()?);
    Ok(subjects
        .iter()
        .zip(groups.iter())
        .zip(days.iter().zip(opens.iter()))
        .filter_map(|((subject, group), (day, opens))| {
            let day = day.filter(|day| opens == Some(true) && (from..=to).contains(day))?;
            Some((subject.unwrap_or(u32::MAX), group.unwrap_or(NO_GROUP), day))
        })
        .collect())
}

/// The peer groups that occur, in order.
fn groups(exposure: &DataFrame, opened: &[(u32, i32, i32)]) -> PolarsResult<Vec<i32>> {
    let mut found = BTreeSet::new();
    // Mostly the group of the row before: few rows have to be looked up.
    let mut latest = None;
    let of_exposure = exposure.column("group")?.i32()?.iter().map(|group| group.unwrap_or(NO_GROUP));
    for group in of_exposure.chain(opened.iter().map(|(_, group, _)| *group)) {
        if latest != Some(group) {
            latest = Some(group);
            found.insert(group);
        }
    }
    Ok(found.into_iter().collect())
}

/// The exposures in the order of the frame.
fn exposed(exposure: &DataFrame, months: &[u32], place: impl Fn(i32) -> u32) -> PolarsResult<Vec<Exposed>> {
    let (subjects, groups) = (exposure.column("subject")?.u32()?, exposure.column("group")?.i32()?);
    let (spans, handled) = (exposure.column("span")?.u32()?, exposure.column("exposure")?.f64()?);
    let carried = exposure.column("carried")?.bool()?;
    let columns = subjects.iter().zip(groups.iter()).zip(spans.iter().zip(handled.iter())).zip(carried.iter());
    let mut found = Vec::with_capacity(exposure.height());
    for (((subject, group), (span, handled)), carried) in columns {
        let span = span.and_then(|span| u16::try_from(span).ok()).filter(|span| usize::from(*span) < months.len());
        let Some(span) = span else {
            return Err(PolarsError::ComputeError("an exposure is outside of all spans".into()));
        };
        found.push(Exposed {
            exposure: handled.unwrap_or(0.0),
            subject: subject.unwrap_or(u32::MAX),
            group: place(group.unwrap_or(NO_GROUP)),
            span,
            carried: carried == Some(true),
        });
    }
    Ok(found)
}

impl Cells {
    /// Number of months, including those in which nothing happened.
    pub(super) fn months(&self) -> usize {
        self.months.iter().max().map_or(0, |last| *last as usize + 1)
    }

    /// The cells of the spans from `from` on, in the order of (subject, group, month).
    pub(super) fn since(&self, from: usize) -> impl Iterator<Item = Cell> {
        let mut exposed = self.exposed.iter().filter(move |cell| usize::from(cell.span) >= from).peekable();
        let mut begun = self.begun.iter().filter(move |cell| usize::from(cell.span) >= from).peekable();
        let months = self.months.as_slice();
        let month = move |span: u16| months[usize::from(span)];
        let of_exposed = move |cell: &Exposed| (cell.subject, cell.group, month(cell.span));
        let of_begun = move |cell: &Begun| (cell.subject, cell.group, month(cell.span));
        from_fn(move || {
            let keys = (exposed.peek().map(|cell| of_exposed(cell)), begun.peek().map(|cell| of_begun(cell)));
            let key = match keys {
                (Some(a), Some(b)) => a.min(b),
                (Some(key), None) | (None, Some(key)) => key,
                (None, None) => return None,
            };
            let mut exposure = Compensated::default();
            let (mut episodes, mut carried) = (0u32, false);
            while let Some(cell) = exposed.next_if(|cell| of_exposed(cell) == key) {
                exposure.add(cell.exposure);
                carried |= cell.carried;
            }
            while let Some(cell) = begun.next_if(|cell| of_begun(cell) == key) {
                episodes = episodes.saturating_add(cell.episodes);
            }
            // An episode used to be a row without exposure, added after those with some.
            exposure.add_zeros(episodes);
            let (subject, group, month) = key;
            Some(Cell { subject, group, month, exposure: exposure.total(), episodes, carried })
        })
    }
}
