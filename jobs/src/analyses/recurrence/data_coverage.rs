//! The data available to a run, so that a run without flags can say what is missing.

use super::{AnonymousRule, Rules, WINDOWS};
use crate::facts::days::day_number;
use crate::facts::exposure::Basis;
use crate::facts::frames::Frames;
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use schema::enums::SubjectKind;
use serde::{Deserialize, Serialize};

/// Number of subjects of each kind that [`Available::most`] lists.
const MAX_TOP_SUBJECTS: u32 = 5;

/// The data available in the longest window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Available {
    pub days: i32,
    /// Day of the latest complaint up to the as-of day, also outside the window.
    pub latest: Option<NaiveDate>,
    /// Complaints received.
    pub complaints: u32,
    /// Complaints that count: those about conduct, not void, and with an allegation that was not cleared.
    pub conduct: u32,
    /// Complaints that count, from a known enterprise; and anonymous ones.
    pub with_enterprise: u32,
    pub anonymous: u32,
    /// Complaints that count, about an officer; and those of them with a CONFIRMED attribution.
    pub about_officers: u32,
    pub confirmed: u32,
    /// Complaints that count, about a branch.
    pub about_branches: u32,
    /// The subjects of each kind with the most complaints that count.
    pub most: Vec<TopSubject>,
}

/// A subject and the number of complaints about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopSubject {
    pub kind: SubjectKind,
    pub code: String,
    pub complaints: u32,
}

/// Missing data without which no subject, or not every subject, can be flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MissingData {
    /// No complaint was received in the window.
    Complaints,
    /// No complaint about conduct counts.
    Conduct,
    /// All complaints that count are anonymous, and the rules do not count these as enterprises.
    Enterprises,
    /// No complaint that counts names an officer.
    Officers,
    /// No complaint that counts belongs to a branch.
    Branches,
    /// No attribution is CONFIRMED, and some tier counts no other.
    Confirmed,
    /// Workload and postings are missing, or known of too few officers: the numbers are not adjusted.
    ExposureOfOfficers,
    /// The same for branches.
    ExposureOfBranches,
}

/// Counts the data available as of a day. `rows` are those that count for each kind of subject: `subject`
/// (u32) and `day` (i32).
///
/// # Errors
/// If the allegations or some `rows` lack a column that it reads.
pub fn available(frames: &Frames, as_of: NaiveDate, rows: &[(SubjectKind, &DataFrame)]) -> PolarsResult<Available> {
    let days = WINDOWS[WINDOWS.len() - 1];
    let until = day_number(as_of);
    let within = || col("day").gt(lit(until - days)).and(col("day").lt_eq(lit(until)));
    let distinct = |condition: Expr| col("complaint").filter(condition).n_unique().cast(DataType::UInt32);
    let counts = || col("conduct").and(col("void").not()).and(col("cleared").not());
    let table = frames
        .allegations
        .clone()
        .lazy()
        .filter(within())
        .select([
            col("complaint").n_unique().cast(DataType::UInt32).alias("complaints"),
            distinct(counts()).alias("conduct"),
            distinct(counts().and(col("enterprise").is_not_null())).alias("with_enterprise"),
            distinct(counts().and(col("officer").is_not_null())).alias("about_officers"),
            distinct(counts().and(col("officer").is_not_null()).and(col("confirmed"))).alias("confirmed"),
            distinct(counts().and(col("branch").is_not_null())).alias("about_branches"),
        ])
        .collect()?;
    let number = |name: &str| -> PolarsResult<u32> { Ok(table.column(name)?.u32()?.get(0).unwrap_or(0)) };
    let latest = frames.allegations.column("day")?.i32()?.max().and_then(|day| u64::try_from(day).ok());
    let mut most = Vec::new();
    for (kind, rows) in rows {
        let subjects = match kind {
            SubjectKind::Officer => &frames.officers,
            SubjectKind::Branch => &frames.branches,
        };
        let rows = (*rows)
            .clone()
            .lazy()
            .filter(within())
            .group_by([col("subject")])
            .agg([len().cast(DataType::UInt32).alias("n")])
            .sort(["n", "subject"], SortMultipleOptions::default().with_order_descending_multi([true, false]))
            .limit(MAX_TOP_SUBJECTS)
            .collect()?;
        most.extend(rows.column("subject")?.u32()?.iter().zip(rows.column("n")?.u32()?.iter()).filter_map(
            |(index, complaints)| {
                let code = subjects.get(index? as usize)?.code.clone();
                Some(TopSubject { kind: *kind, code, complaints: complaints? })
            },
        ));
    }
    let (conduct, with_enterprise) = (number("conduct")?, number("with_enterprise")?);
    Ok(Available {
        days,
        latest: latest.map(|day| NaiveDate::default() + Days::new(day)),
        complaints: number("complaints")?,
        conduct,
        with_enterprise,
        anonymous: conduct - with_enterprise,
        about_officers: number("about_officers")?,
        confirmed: number("confirmed")?,
        about_branches: number("about_branches")?,
        most,
    })
}

impl Available {
    /// The data missing for the rules, the root cause first. `basis` is that of officers and of branches.
    pub fn lacks(&self, rules: &Rules, basis: [Basis; 2]) -> Vec<MissingData> {
        if self.complaints == 0 {
            return vec![MissingData::Complaints];
        }
        if self.conduct == 0 {
            return vec![MissingData::Conduct];
        }
        let [officers, branches] = basis;
        let confirmed = rules.tiers().iter().any(|(_, tier)| tier.confirmed);
        let lacks = [
            (MissingData::Enterprises, self.with_enterprise == 0 && rules.anonymous == AnonymousRule::NotCounted),
            (MissingData::Officers, self.about_officers == 0),
            (MissingData::Branches, self.about_branches == 0),
            (MissingData::Confirmed, self.about_officers > 0 && self.confirmed == 0 && confirmed),
            (MissingData::ExposureOfOfficers, self.about_officers > 0 && officers == Basis::None),
            (MissingData::ExposureOfBranches, self.about_branches > 0 && branches == Basis::None),
        ];
        lacks.into_iter().filter(|(_, missing)| *missing).map(|(lack, _)| lack).collect()
    }
}
