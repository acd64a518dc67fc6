//! Unusual findings among all units: branches outside of the limits of chance, and the gravest flag. Only the Board
//! reads it.

use super::people::UnitName;
use crate::analyses::recurrence::{Adjusted, FunnelPlot, WindowNumbers};
use crate::charts::funnel::FunnelPoint;
use crate::flags::Stored;
use crate::numeric::funnel::{Funnel, Z_95, Z_998};
use crate::snapshot::Reference;
use schema::Id;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnusualPart {
    /// None where no exposure is known.
    pub funnel: Option<FunnelPart>,
    /// None without a flag of the highest tier whose exposure is known.
    pub gravest: Option<GravestPart>,
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

/// The unusual findings in the result of a recurrence run and its flags.
pub(super) fn unusual_part(plot: &FunnelPlot, flagged: &[Stored], reference: &Reference) -> UnusualPart {
    let line = |code: &str, observed: u32, expected: f64| {
        let unit = reference.unit_by_code(code);
        let name_vi = unit.map_or_else(|| code.to_owned(), |unit| unit.name_vi.clone());
        let branch = UnitName { code: code.to_owned(), name_vi, name_en: unit.and_then(|unit| unit.name_en.clone()) };
        FunnelLine { branch, observed, expected }
    };
    let drawn = plot.units.iter().filter(|unit| unit.expected > 0.0);
    let branches: Vec<FunnelLine> = drawn.map(|unit| line(&unit.code, unit.observed, unit.expected)).collect();
    let funnel = FunnelPart { days: plot.days, phi: plot.phi, tau2: plot.tau2, branches };
    let funnel = Some(funnel).filter(|funnel| !funnel.branches.is_empty());
    UnusualPart { funnel, gravest: gravest(flagged) }
}

/// The flag of the highest tier whose lower limit exceeds the expected number most.
fn gravest(flagged: &[Stored]) -> Option<GravestPart> {
    let highest = flagged.iter().map(|stored| stored.assessment.tier).max()?;
    let of_tier = flagged.iter().filter(|stored| stored.assessment.tier == highest);
    let known = of_tier.filter_map(|stored| {
        let windows = windows(&stored.assessment.numbers.0);
        Some((longest(&windows)?.lower, stored, windows))
    });
    let found = known.max_by(|one, other| one.0.total_cmp(&other.0).then_with(|| other.1.code.cmp(&one.1.code)));
    found.map(|(_, stored, windows)| GravestPart { flag: stored.assessment.flag_id, windows })
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
    use crate::charts::Unusual;

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
        let funnel = unusual_part(&plot, &[], &Reference::default()).funnel.expect("a funnel");
        let codes: Vec<&str> = funnel.branches.iter().map(|line| line.branch.code.as_str()).collect();
        assert_eq!(codes, ["01AF", "02AB"], "one without an expectation has no ratio");
        assert_eq!(funnel.branches[0].branch.name_vi, "01AF", "the register may not know it any more");
        let unusual = |index: usize| funnel.point(&funnel.branches[index], String::new()).unusual();
        assert_eq!((unusual(0), unusual(1)), (Some(Unusual::High), None));
        assert_eq!(unusual_part(&FunnelPlot::default(), &[], &Reference::default()), UnusualPart::default());
    }
}
