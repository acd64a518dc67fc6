//! Observed and expected episodes of each subject (docs/statistics.md, "Observed and expected").
//!
//! Indirect standardisation: the subject's exposure in a stratum times the rate of the *other* subjects
//! there. The subject's own episodes and exposure are left out of that rate, so that a subject that draws
//! most complaints of a stratum is not compared with itself.

use super::Rules;
use super::cells::Cells;
use crate::facts::exposure::Span;
use crate::facts::lookback::WINDOWS;
use crate::numeric::sums::{Compensated, by_halves};
use polars::prelude::PolarsResult;
use std::ops::Range;

/// Observed and expected of the subjects of one kind in one window, as parallel vectors sorted by place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expected {
    pub subjects: Vec<u32>,
    /// Episodes that began in the window.
    pub observed: Vec<u32>,
    /// Declarations, or days in posting.
    pub exposure: Vec<f64>,
    /// None without exposure, or without a rate to compare with.
    pub expected: Vec<Option<f64>>,
    /// Share of the expected that comes from widened strata.
    pub widened: Vec<f64>,
    /// Whether some of the exposure was carried over from another month.
    pub carried: Vec<bool>,
}

/// Observed and expected in the window of the last `days` days.
///
/// The rate of a stratum (peer group × month) is that of the other subjects. If they have fewer than
/// `rules.stratum_episodes` episodes there, it is their rate in the peer group over the whole window; if they
/// have fewer there, too, it is the rate of all other subjects over the whole window.
///
/// # Errors
/// Never: it returns a `PolarsResult` as the other stages do.
pub fn expected(cells: &Cells, spans: &[Span], days: i32, rules: &Rules) -> PolarsResult<Expected> {
    let Some(last) = spans.last() else { return Ok(Expected::default()) };
    let from = spans.iter().position(|span| span.from > last.to - days).unwrap_or(0);
    Ok(Window::new(cells, from).expected(f64::from(rules.stratum_episodes) - 0.5))
}

/// Exposure and episodes. Sums of episodes are exact: they are whole numbers far below 2^53.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    exposure: f64,
    episodes: f64,
}

impl Sum {
    /// Whether the others than `own` have enough episodes and some exposure.
    fn will_do_without(self, own: Self, enough: f64) -> bool {
        self.episodes - own.episodes > enough && self.has_others_than(own)
    }

    /// Differences of float sums that should be 0 are not always exactly 0.
    fn has_others_than(self, own: Self) -> bool {
        self.exposure - own.exposure > self.exposure * 1e-9
    }

    fn rate_without(self, own: Self) -> f64 {
        (self.episodes - own.episodes) / (self.exposure - own.exposure)
    }
}

/// A sum that grows by one cell after the other.
#[derive(Debug, Clone, Copy, Default)]
struct Growing {
    exposure: Compensated,
    episodes: u64,
}

impl Growing {
    fn add(&mut self, exposure: f64, episodes: u32) {
        self.exposure.add(exposure);
        self.episodes += u64::from(episodes);
    }

    fn sum(self) -> Sum {
        Sum { exposure: self.exposure.total(), episodes: self.episodes as f64 }
    }
}

/// The cells of one window as parallel vectors, sorted by (subject, group, month), and their sums.
#[derive(Default)]
struct Window {
    /// Exposure of each cell; the next two fields also have one element for each cell.
    exposure: Vec<f64>,
    episodes: Vec<u32>,
    stratum: Vec<u32>,
    /// One element for each subject: its place, the end of its cells, and whether some of its exposure was carried
    /// over.
    subjects: Vec<(u32, usize, bool)>,
    months: usize,
    /// The sum of each stratum, at `group * months + month`; then that of each group.
    strata: Vec<Sum>,
    groups: Vec<Sum>,
    all: Sum,
}

impl Window {
    fn new(cells: &Cells, from: usize) -> Self {
        let months = cells.months();
        let mut window = Self { months, ..Self::default() };
        let mut strata = vec![Growing::default(); cells.groups * months];
        let mut groups = vec![Growing::default(); cells.groups];
        for cell in cells.since(from) {
            let group = cell.group as usize;
            let stratum = group * months + cell.month as usize;
            strata[stratum].add(cell.exposure, cell.episodes);
            groups[group].add(cell.exposure, cell.episodes);
            window.exposure.push(cell.exposure);
            window.episodes.push(cell.episodes);
            window.stratum.push(u32::try_from(stratum).unwrap_or(u32::MAX));
            let end = window.exposure.len();
            match window.subjects.last_mut().filter(|(subject, ..)| *subject == cell.subject) {
                Some((_, of_subject, carried)) => {
                    *of_subject = end;
                    *carried |= cell.carried;
                }
                None => window.subjects.push((cell.subject, end, cell.carried)),
            }
        }
        window.strata = strata.into_iter().map(Growing::sum).collect();
        window.groups = groups.into_iter().map(Growing::sum).collect();
        window.all = window.sum(0..window.exposure.len());
        window
    }

    fn cell(&self, at: usize) -> Sum {
        Sum { exposure: self.exposure[at], episodes: f64::from(self.episodes[at]) }
    }

    fn sum(&self, cells: Range<usize>) -> Sum {
        let episodes: u64 = self.episodes[cells.clone()].iter().map(|episodes| u64::from(*episodes)).sum();
        Sum { exposure: by_halves(&self.exposure[cells]), episodes: episodes as f64 }
    }

    fn stratum_of(&self, at: usize) -> usize {
        self.stratum[at] as usize
    }

    fn group_of(&self, at: usize) -> usize {
        self.stratum_of(at) / self.months.max(1)
    }

    fn expected(&self, enough: f64) -> Expected {
        let as_is = |at: usize| self.strata[self.stratum_of(at)].will_do_without(self.cell(at), enough);
        let exposed = |at: usize| self.exposure[at] > 0.0;
        let widened = |at: usize| exposed(at) && !as_is(at);
        // The order of a sum depends on whether it leaves out any cell of the window.
        let cells = 0..self.exposure.len();
        let (all_exposed, all_widened) = (cells.clone().all(exposed), cells.clone().all(widened));
        let mut found = Expected::default();
        // Expected episodes in the cells of one subject; None without a rate to compare with.
        let mut terms: Vec<Option<f64>> = Vec::new();
        let mut begin = 0;
        for (subject, end, carried) in &self.subjects {
            let cells = begin..*end;
            begin = *end;
            let own = self.sum(cells.clone());
            terms.clear();
            let mut of_group = (None, Sum::default());
            for at in cells.clone() {
                let group = self.group_of(at);
                if of_group.0 != Some(group) {
                    of_group = (Some(group), self.sum_in_group(at..cells.end));
                }
                let (cell, own_of_group) = (self.cell(at), of_group.1);
                let rate = if as_is(at) {
                    Some(self.strata[self.stratum_of(at)].rate_without(cell))
                } else if self.groups[group].will_do_without(own_of_group, enough) {
                    Some(self.groups[group].rate_without(own_of_group))
                } else {
                    self.all.has_others_than(own).then(|| self.all.rate_without(own))
                };
                terms.push(rate.map(|rate| cell.exposure * rate));
            }
            let unknown = cells.clone().zip(&terms).any(|(at, term)| term.is_none() && exposed(at));
            let whole = sum_of(&terms, cells.clone(), all_exposed, exposed);
            let part = sum_of(&terms, cells, all_widened, widened);
            found.subjects.push(*subject);
            found.observed.push(own.episodes as u32);
            found.exposure.push(own.exposure);
            found.expected.push((!unknown && whole > 0.0).then_some(whole));
            found.widened.push(if whole > 0.0 { (part / whole).clamp(0.0, 1.0) } else { 0.0 });
            found.carried.push(*carried);
        }
        found
    }

    /// The sum over the cells of the first one's group.
    fn sum_in_group(&self, cells: Range<usize>) -> Sum {
        let group = self.group_of(cells.start);
        let mut sum = Growing::default();
        for at in cells.take_while(|at| self.group_of(*at) == group) {
            sum.add(self.exposure[at], self.episodes[at]);
        }
        sum.sum()
    }
}

/// The sum of the terms of the cells that count, with the order of terms that polars had: where every cell of
/// the window counts, by halves.
fn sum_of(terms: &[Option<f64>], cells: Range<usize>, all_count: bool, counts: impl Fn(usize) -> bool) -> f64 {
    if all_count {
        let terms: Vec<f64> = terms.iter().map(|term| term.unwrap_or(0.0)).collect();
        return by_halves(&terms);
    }
    let counted = cells.zip(terms).filter(|(at, _)| counts(*at)).filter_map(|(_, term)| *term);
    counted.collect::<Compensated>().total()
}

impl Expected {
    /// The share of episodes whose subjects have exposure; 1 without episodes.
    pub fn coverage(&self) -> f64 {
        let all: u32 = self.observed.iter().sum();
        let covered: u32 = self.observed.iter().zip(&self.exposure).filter(|(_, x)| **x > 0.0).map(|(o, _)| *o).sum();
        if all == 0 { 1.0 } else { f64::from(covered) / f64::from(all) }
    }
}

/// The windows that tiers take their numbers from.
pub fn windows_of(rules: &Rules) -> Vec<i32> {
    WINDOWS.into_iter().filter(|days| rules.tiers().iter().any(|(_, tier)| tier.days == *days)).collect()
}
