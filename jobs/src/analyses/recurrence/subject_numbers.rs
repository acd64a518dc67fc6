//! The statistics of all subjects of a kind, whether they reach a tier or not.

use super::data_coverage::{Available, MissingData, available};
use super::significance::{Comparison, Dispersion};
use super::tiers::assess_kind;
use super::{Rules, counts_of};
use crate::facts::exposure::Basis;
use crate::facts::frames::Frames;
use chrono::NaiveDate;
use polars::prelude::PolarsResult;
use schema::enums::SubjectKind;
use serde::Serialize;

/// The statistics of all subjects of a kind in the longest window, unrounded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Numbers {
    pub as_of: NaiveDate,
    pub kind: SubjectKind,
    pub basis: Basis,
    /// None when no subject has exposure.
    pub scatter: Option<Dispersion>,
    /// Subjects with an expected count, by code.
    pub subjects: Vec<SubjectNumbers>,
    /// All subjects, with exposure or without; most complaints first.
    pub counts: Vec<SubjectCounts>,
    pub available: Available,
    /// The data that the rules need and the register lacks.
    pub lacks: Vec<MissingData>,
}

/// The counts of one subject in the longest window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectCounts {
    pub code: String,
    pub complaints: u32,
    pub episodes: u32,
    pub enterprises: u32,
    pub enterprises_confirmed: u32,
    pub anonymous: u32,
    pub serious: u32,
}

/// The statistics of one subject; `docs/statistics.md` defines each.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubjectNumbers {
    pub code: String,
    pub observed: u32,
    pub exposure: f64,
    pub expected: f64,
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
    pub p: f64,
    pub q: f64,
    pub ebgm: f64,
    pub eb05: f64,
    pub eb95: f64,
    pub widened: f64,
    pub carried: bool,
}

/// Computes the statistics of all subjects of a kind as of a day.
///
/// # Errors
/// If a frame lacks a column.
pub fn subject_numbers(frames: &Frames, kind: SubjectKind, as_of: NaiveDate, rules: &Rules) -> PolarsResult<Numbers> {
    let assessed = assess_kind(frames, kind, as_of, rules)?;
    let subjects = match kind {
        SubjectKind::Officer => &frames.officers,
        SubjectKind::Branch => &frames.branches,
    };
    let mut rows = Vec::new();
    for (index, _, _) in assessed.longest.iter().flat_map(Comparison::pairs) {
        let numbers = assessed.longest.as_ref().and_then(|longest| longest.numbers_of(index, 0, 0));
        let (Some(subject), Some(numbers)) = (subjects.get(index as usize), numbers) else { continue };
        rows.push(SubjectNumbers {
            code: subject.code.clone(),
            observed: numbers.observed,
            exposure: numbers.exposure,
            expected: numbers.expected,
            ratio: numbers.ratio,
            lower: numbers.lower,
            upper: numbers.upper,
            p: numbers.p,
            q: numbers.q,
            ebgm: numbers.ebgm,
            eb05: numbers.eb05,
            eb95: numbers.eb95,
            widened: numbers.widened,
            carried: numbers.carried,
        });
    }
    let mut counts: Vec<SubjectCounts> = counts_of(&assessed, as_of)?
        .into_iter()
        .filter_map(|(index, window)| {
            Some(SubjectCounts {
                code: subjects.get(index as usize)?.code.clone(),
                complaints: window.complaints,
                episodes: window.episodes,
                enterprises: window.enterprises,
                enterprises_confirmed: window.enterprises_confirmed,
                anonymous: window.anonymous,
                serious: window.serious,
            })
        })
        .collect();
    counts.sort_by(|a, b| b.complaints.cmp(&a.complaints).then_with(|| a.code.cmp(&b.code)));
    let available = available(frames, as_of, &[(kind, &assessed.rows)])?;
    // Only one kind is assessed here: drop what the register lacks for the other.
    let other = match kind {
        SubjectKind::Officer => {
            [MissingData::Branches, MissingData::ExposureOfBranches, MissingData::ExposureOfBranches]
        }
        SubjectKind::Branch => [MissingData::Officers, MissingData::ExposureOfOfficers, MissingData::Confirmed],
    };
    let lacks = available.lacks(rules, [assessed.basis; 2]).into_iter().filter(|lack| !other.contains(lack)).collect();
    let scatter = assessed.longest.map(|longest| longest.scatter);
    Ok(Numbers { as_of, kind, basis: assessed.basis, scatter, subjects: rows, counts, available, lacks })
}
