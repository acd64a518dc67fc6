//! What a run had to count, so that one that flags nobody says why.

use super::{AnonymousRule, Rules, WINDOWS};
use crate::facts::exposure::Basis;
use crate::facts::frames::{Frames, day_number};
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use schema::enums::SubjectKind;
use serde::{Deserialize, Serialize};

/// Subjects that are named with most complaints.
const MOST: u32 = 5;

/// What there is in the longest window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Available {
    pub days: i32,
    /// The last day by the as-of day on which anything was received, whatever the window.
    pub latest: Option<NaiveDate>,
    /// Complaints received.
    pub complaints: u32,
    /// Those of them that count: about conduct, not void, and not cleared altogether.
    pub conduct: u32,
    /// Of these: from an enterprise that is known, and from nobody.
    pub with_enterprise: u32,
    pub anonymous: u32,
    /// Of these: about an officer, and about one whose attribution is CONFIRMED.
    pub about_officers: u32,
    pub confirmed: u32,
    /// Of these: about a branch.
    pub about_branches: u32,
    /// Whom most of them are about.
    pub most: Vec<Most>,
}

/// Somebody who is complained about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Most {
    pub kind: SubjectKind,
    pub code: String,
    pub complaints: u32,
}

/// Something without which nobody, or not everybody, can be flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Lack {
    /// Nothing was received in the window.
    Complaints,
    /// Nothing of it is about conduct.
    Conduct,
    /// No enterprise is known, and the rules count nobody else.
    Enterprises,
    /// No officer is named.
    Officers,
    /// No complaint lies below a branch.
    Branches,
    /// No attribution is CONFIRMED, and tiers count nothing else.
    Confirmed,
    /// No workload and no posting of officers, or of too few: the numbers are not adjusted.
    ExposureOfOfficers,
    /// The same of branches.
    ExposureOfBranches,
}

/// Counts what there is as of a day. `rows` are what was counted of each kind of subject.
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
            .limit(MOST)
            .collect()?;
        most.extend(rows.column("subject")?.u32()?.iter().zip(rows.column("n")?.u32()?.iter()).filter_map(
            |(place, complaints)| {
                let code = subjects.get(place? as usize)?.code.clone();
                Some(Most { kind: *kind, code, complaints: complaints? })
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
    /// What is missing for the rules, the first cause first. `basis` is that of officers and of branches.
    pub fn lacks(&self, rules: &Rules, basis: [Basis; 2]) -> Vec<Lack> {
        if self.complaints == 0 {
            return vec![Lack::Complaints];
        }
        if self.conduct == 0 {
            return vec![Lack::Conduct];
        }
        let [officers, branches] = basis;
        let confirmed = rules.tiers().iter().any(|(_, tier)| tier.confirmed);
        let lacks = [
            (Lack::Enterprises, self.with_enterprise == 0 && rules.anonymous == AnonymousRule::NotCounted),
            (Lack::Officers, self.about_officers == 0),
            (Lack::Branches, self.about_branches == 0),
            (Lack::Confirmed, self.about_officers > 0 && self.confirmed == 0 && confirmed),
            (Lack::ExposureOfOfficers, self.about_officers > 0 && officers == Basis::None),
            (Lack::ExposureOfBranches, self.about_branches > 0 && branches == Basis::None),
        ];
        lacks.into_iter().filter(|(_, missing)| *missing).map(|(lack, _)| lack).collect()
    }
}
