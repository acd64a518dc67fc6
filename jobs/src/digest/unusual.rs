//! Unusual findings: branches and provinces outside of the limits of chance, a branch whose sum signals, and the gravest
//! flag. Only the Board reads it.

use super::board::unit_name;
use super::people::UnitName;
use super::timeline::TimelinePart;
use crate::analyses::recurrence::{Adjusted, CusumSeries, CusumWeek, FunnelPlot, WindowNumbers, round_6_digits};
use crate::charts::Unusual;
use crate::charts::funnel::FunnelPoint;
use crate::charts::map::{Located, Places, areas, unusual};
use crate::flags::Stored;
use crate::numeric::funnel::{Funnel, Z_95, Z_998};
use crate::snapshot::Reference;
use chrono::NaiveDate;
use schema::Id;
use schema::enums::Locale;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnusualPart {
    /// None where no exposure is known.
    pub funnel: Option<FunnelPart>,
    /// None without a flag of the highest tier whose exposure is known.
    pub gravest: Option<GravestPart>,
    /// Of the gravest flag on an officer that is new or was raised.
    #[serde(default)]
    pub timeline: Option<TimelinePart>,
    /// Of the branch whose sum signals in the last week; in the digest about a branch, of that one.
    #[serde(default)]
    pub cusum: Option<CusumPart>,
}

/// The episodes of all branches in the days up to the run, observed and expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelPart {
    pub days: i32,
    /// Over-dispersion, and the variance between branches: the limits of chance allow for it.
    pub phi: f64,
    pub tau2: f64,
    pub branches: Vec<FunnelLine>,
    /// The provinces in which branches lie.
    #[serde(default)]
    pub provinces: Vec<ProvinceLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunnelLine {
    #[serde(flatten)]
    pub branch: UnitName,
    pub observed: u32,
    /// More than 0.
    pub expected: f64,
}

/// A province with the numbers of its branches; or several, if it is not known in which of them branches lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvinceLine {
    pub name_vi: String,
    pub name_en: String,
    /// The ids of its shapes on the map.
    pub shapes: Vec<String>,
    pub observed: u32,
    /// More than 0.
    pub expected: f64,
}

impl ProvinceLine {
    /// The name in a language.
    pub(super) fn in_language(&self, is_english: bool) -> &str {
        if is_english { &self.name_en } else { &self.name_vi }
    }
}

/// The weeks of a branch, with the sum by which it exceeds its expectation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CusumPart {
    #[serde(flatten)]
    pub branch: UnitName,
    /// A sum above it is a signal.
    pub limit: f64,
    pub weeks: Vec<CusumWeek>,
}

/// The numbers of the gravest flag. The list of current flags names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GravestPart {
    pub flag: Id,
    /// The shortest window first.
    pub windows: Vec<WindowLine>,
}

/// The episodes of a window as a multiple of those expected, with 95 % limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowLine {
    pub days: i32,
    /// Whether it counts confirmed complaints alone.
    pub is_confirmed: bool,
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
}

impl FunnelPart {
    /// A branch with its limits.
    pub(super) fn point(&self, line: &FunnelLine, label: String) -> FunnelPoint {
        let shape = Funnel { z: Vec::new(), phi: self.phi, tau2: self.tau2 };
        let [narrow, wide] = [Z_95, Z_998].map(|z| shape.limits(line.expected, z));
        FunnelPoint {
            label,
            observed: f64::from(line.observed),
            expected: line.expected,
            lower_95: narrow.lower,
            upper_95: narrow.upper,
            lower_998: wide.lower,
            upper_998: wide.upper,
        }
    }

    /// Whether chance hardly explains the numbers of a province.
    pub(super) fn unusual(&self, line: &ProvinceLine) -> Option<Unusual> {
        unusual(f64::from(line.observed), line.expected, self.tau2)
    }
}

impl GravestPart {
    /// The longest window with all complaints that count.
    pub(super) fn longest(&self) -> Option<&WindowLine> {
        longest(&self.windows)
    }
}

fn longest(windows: &[WindowLine]) -> Option<&WindowLine> {
    windows.iter().rev().find(|window| !window.is_confirmed)
}

/// The unusual findings about branches in the result of a recurrence run for a day.
pub(super) fn unusual_part(
    plot: &FunnelPlot,
    series: &[CusumSeries],
    reference: &Reference,
    (places, day): (&Places, NaiveDate),
) -> UnusualPart {
    let drawn = || plot.units.iter().filter(|unit| unit.expected > 0.0);
    let branches: Vec<FunnelLine> = drawn()
        .map(|unit| FunnelLine {
            branch: named(&unit.code, reference),
            observed: unit.observed,
            expected: unit.expected,
        })
        .collect();
    let located = drawn().map(|unit| Located {
        shapes: shapes_of(&unit.code, reference, places, day),
        observed: f64::from(unit.observed),
        expected: unit.expected,
    });
    let (provinces, _) = areas(places, day, located);
    let provinces = provinces.iter().filter(|area| area.expected > 0.0).map(|area| ProvinceLine {
        name_vi: area.label(Locale::Vi),
        name_en: area.label(Locale::En),
        shapes: area.shapes(),
        observed: area.observed as u32,
        expected: round_6_digits(area.expected),
    });
    let provinces = provinces.collect();
    let funnel = FunnelPart { days: plot.days, phi: plot.phi, tau2: plot.tau2, branches, provinces };
    let funnel = Some(funnel).filter(|funnel| !funnel.branches.is_empty());
    UnusualPart { funnel, cusum: signalling(series, reference), ..UnusualPart::default() }
}

/// The name of a branch: its code, if the register does not know it any more.
fn named(code: &str, reference: &Reference) -> UnitName {
    let unknown = || UnitName { code: code.to_owned(), name_vi: code.to_owned(), name_en: None };
    reference.unit_by_code(code).map_or_else(unknown, unit_name)
}

/// The shapes of a branch, or else of the lowest unit above it that has some on a day.
fn shapes_of<'p>(branch: &str, reference: &Reference, places: &'p Places, day: NaiveDate) -> &'p [String] {
    let Some(unit) = reference.unit_by_code(branch) else { return places.of_unit(branch) };
    let upwards = std::iter::successors(Some(unit), |unit| reference.unit(reference.tree.parent_on(unit.id, day)?));
    places.of_lowest(upwards.map(|unit| unit.code.as_str()))
}

/// The branch whose sum signals in the last week, and exceeds its limit most.
fn signalling(series: &[CusumSeries], reference: &Reference) -> Option<CusumPart> {
    let times = |one: &CusumSeries| one.weeks.last().filter(|week| week.signal).map(|week| week.sum / one.limit);
    let known = series.iter().filter_map(|one| Some((times(one)?, one)));
    let found = known.max_by(|one, other| one.0.total_cmp(&other.0).then_with(|| other.1.code.cmp(&one.1.code)));
    found.map(|(_, one)| part_of(one, reference))
}

/// The weeks of one branch; None where its exposure is not known.
pub(super) fn cusum_of(branch: &str, series: &[CusumSeries], reference: &Reference) -> Option<CusumPart> {
    series.iter().find(|one| one.code == branch).map(|one| part_of(one, reference))
}

fn part_of(series: &CusumSeries, reference: &Reference) -> CusumPart {
    CusumPart { branch: named(&series.code, reference), limit: series.limit, weeks: series.weeks.clone() }
}

/// The gravest of some flags: the flag of the highest tier whose lower limit exceeds the expected number most. A flag
/// whose exposure is not known comes last.
pub(super) fn gravest_of<'f>(flagged: impl IntoIterator<Item = &'f Stored>) -> Option<(&'f Stored, GravestPart)> {
    let ranked = flagged.into_iter().map(|stored| {
        let windows = windows(&stored.assessment.numbers.0);
        let lower = longest(&windows).map_or(f64::NEG_INFINITY, |window| window.lower);
        (lower, stored, windows)
    });
    let found = ranked.max_by(|one, other| {
        let by_tier = one.1.assessment.tier.cmp(&other.1.assessment.tier);
        by_tier.then_with(|| one.0.total_cmp(&other.0)).then_with(|| other.1.code.cmp(&one.1.code))
    });
    found.map(|(_, stored, windows)| (stored, GravestPart { flag: stored.assessment.flag_id, windows }))
}

/// The windows of a flag with known exposure; none if its numbers cannot be parsed.
fn windows(numbers: &Value) -> Vec<WindowLine> {
    let all: Vec<WindowNumbers> = serde_json::from_value(numbers["windows"].clone()).unwrap_or_default();
    let line = |days: i32, is_confirmed: bool, found: &Adjusted| WindowLine {
        days,
        is_confirmed,
        ratio: found.ratio,
        lower: found.lower,
        upper: found.upper,
    };
    let mut lines = Vec::new();
    for window in &all {
        lines.extend(window.adjusted.as_ref().map(|found| line(window.days, false, found)));
        lines.extend(window.adjusted_confirmed.as_ref().map(|found| line(window.days, true, found)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyses::recurrence::FunnelUnit;

    #[test]
    fn branches_are_named_and_have_limits() {
        let unit = |code: &str, observed: u32, expected: f64| FunnelUnit {
            code: code.to_owned(),
            observed,
            expected,
            ratio: f64::from(observed) / expected,
            z: 0.0,
            lower_95: 0.0,
            upper_95: 0.0,
            lower_998: 0.0,
            upper_998: 0.0,
        };
        let units = vec![unit("01AF", 40, 10.0), unit("02AB", 10, 10.0), unit("03AA", 0, 0.0)];
        let plot = FunnelPlot { days: 365, phi: 1.0, tau2: 0.0, units };
        let places = Places::built_in().expect("the places");
        let on = (&places, NaiveDate::from_ymd_opt(2025, 6, 30).expect("a day"));
        let funnel = unusual_part(&plot, &[], &Reference::default(), on).funnel.expect("a funnel");
        let codes: Vec<&str> = funnel.branches.iter().map(|line| line.branch.code.as_str()).collect();
        assert_eq!(codes, ["01AF", "02AB"], "one without an expectation has no ratio");
        assert_eq!(funnel.branches[0].branch.name_vi, "01AF", "the register may not know it any more");
        let unusual = |index: usize| funnel.point(&funnel.branches[index], String::new()).unusual();
        assert_eq!((unusual(0), unusual(1)), (Some(Unusual::High), None));
        let provinces: Vec<(&str, u32)> =
            funnel.provinces.iter().map(|line| (line.name_en.as_str(), line.observed)).collect();
        assert_eq!(provinces, [("Ho Chi Minh City", 10), ("Vinh Phuc", 40)], "only those with a branch");
        let none = unusual_part(&FunnelPlot::default(), &[], &Reference::default(), on);
        assert_eq!(none, UnusualPart::default());
    }

    #[test]
    fn a_branch_is_drawn_while_its_sum_signals_in_the_last_week() {
        let week = |sum: f64, signal: bool| CusumWeek {
            from: NaiveDate::from_ymd_opt(2025, 6, 2).expect("a day"),
            observed: 3,
            expected: 1.0,
            sum,
            signal,
        };
        let one = |code: &str, weeks: Vec<CusumWeek>| CusumSeries { code: code.to_owned(), limit: 2.0, weeks };
        let over = one("01AF", vec![week(5.0, true), week(0.5, false)]);
        let (less, most) = (one("02AB", vec![week(2.5, true)]), one("03AA", vec![week(4.0, true)]));
        let reference = Reference::default();
        let drawn = |series: &[CusumSeries]| signalling(series, &reference).map(|part| part.branch.code);
        assert_eq!(drawn(std::slice::from_ref(&over)), None, "the signal is over");
        assert_eq!(drawn(&[over.clone(), less, most]).as_deref(), Some("03AA"));
        assert_eq!(cusum_of("01AF", &[over], &reference).map(|part| part.weeks.len()), Some(2));
    }
}
