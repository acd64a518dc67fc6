//! The evidence of a flag: its numbers, and the reviews of it.

use crate::graphql::enums::{FlagState, Tier};
use crate::graphql::scalars::{Moment, id};
use async_graphql::{ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::analyses::recurrence::{self, WindowNumbers};
use jobs::facts::exposure::Basis;
use schema::models;

/// The unit of exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum ExposureBasis {
    /// Customs declarations handled.
    Declarations,
    /// Days in posting, where too little workload is recorded.
    PostingDays,
    /// No exposure is known.
    None,
}

impl From<Basis> for ExposureBasis {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::Declarations => Self::Declarations,
            Basis::PostingDays => Self::PostingDays,
            Basis::None => Self::None,
        }
    }
}

/// The numbers behind a flag. docs/statistics.md defines each.
#[derive(SimpleObject)]
pub struct FlagNumbers {
    /// Whether the numbers are not adjusted for workload.
    pub unadjusted: bool,
    /// The unit of the exposure.
    pub basis: ExposureBasis,
    /// One entry for each window, the shortest first.
    pub windows: Vec<FlagWindow>,
}

impl FlagNumbers {
    /// Reads the numbers of an assessment.
    ///
    /// # Errors
    /// If the stored windows do not parse.
    pub fn of(numbers: &serde_json::Value) -> Result<Self> {
        let windows: Vec<WindowNumbers> = serde_json::from_value(numbers["windows"].clone())?;
        Ok(Self {
            unadjusted: numbers["unadjusted"].as_bool().unwrap_or(true),
            basis: serde_json::from_value::<Basis>(numbers["basis"].clone()).unwrap_or_default().into(),
            windows: windows.into_iter().map(Into::into).collect(),
        })
    }
}

/// The counts of one window of days up to the as-of day.
#[derive(SimpleObject)]
pub struct FlagWindow {
    /// Length of the window in days.
    days: i32,
    /// Complaints about conduct that count.
    complaints: u32,
    /// The same without complaints found NOT_SUSTAINED.
    complaints_without_not_sustained: u32,
    /// Episodes that began in the window.
    episodes: u32,
    /// Enterprises that complained; a campaign counts as one. Under the rule `own_enterprise` each anonymous
    /// complaint counts as one as well: see `anonymous`.
    distinct_enterprises: u32,
    /// The same, with each enterprise of a campaign counted.
    distinct_enterprises_of_campaigns_apart: u32,
    /// The same as `distinctEnterprises`, of complaints with a CONFIRMED attribution.
    distinct_enterprises_confirmed: u32,
    /// The same as `distinctEnterprises`, without complaints found NOT_SUSTAINED.
    distinct_enterprises_without_not_sustained: u32,
    /// Complaints that belong to a campaign.
    campaign_complaints: u32,
    /// Anonymous complaints.
    anonymous: u32,
    /// Complaints of a serious category.
    serious: u32,
    /// Numbers adjusted for exposure; null in windows that no tier uses, and without exposure.
    adjusted: Option<AdjustedNumbers>,
    /// The same, of complaints with a CONFIRMED attribution.
    adjusted_confirmed: Option<AdjustedNumbers>,
}

/// Observed against expected episodes, adjusted for exposure and after shrinkage.
#[derive(SimpleObject)]
pub struct AdjustedNumbers {
    /// Episodes that began in the window (O).
    observed: u32,
    /// The exposure of the subject in the window, in declarations or days in posting (`basis`).
    exposure: f64,
    /// Episodes expected from the exposure at the rate of the other subjects (E).
    expected: f64,
    /// O / E.
    ratio: f64,
    /// Lower exact 95 % limit of O / E.
    ratio_lower: f64,
    /// Upper exact 95 % limit of O / E.
    ratio_upper: f64,
    /// Mid-p upper tail of the Poisson distribution.
    p: f64,
    /// The q-value of `p` over all subjects with exposure (Benjamini and Hochberg), a false discovery rate.
    q: f64,
    /// The rate ratio after empirical Bayes shrinkage (EBGM).
    ebgm: f64,
    /// The rate ratio is above this value with probability 95 % (EB05).
    eb05: f64,
    /// The rate ratio is below this value with probability 95 % (EB95).
    eb95: f64,
    /// Episodes of the enterprise with the most episodes.
    largest: u32,
    /// The share of that enterprise, from 0 to 1.
    largest_share: f64,
    /// `p` without that enterprise.
    p_without_largest: f64,
    /// `eb05` without that enterprise.
    eb05_without_largest: f64,
    /// `p` without anonymous complaints.
    p_without_anonymous: f64,
    /// `eb05` without anonymous complaints.
    eb05_without_anonymous: f64,
    /// The share of E that comes from widened strata, from 0 to 1.
    widened: f64,
    /// Whether some of the exposure is carried over from another month.
    carried: bool,
}

impl From<recurrence::Adjusted> for AdjustedNumbers {
    fn from(numbers: recurrence::Adjusted) -> Self {
        Self {
            observed: numbers.observed,
            exposure: numbers.exposure,
            expected: numbers.expected,
            ratio: numbers.ratio,
            ratio_lower: numbers.lower,
            ratio_upper: numbers.upper,
            p: numbers.p,
            q: numbers.q,
            ebgm: numbers.ebgm,
            eb05: numbers.eb05,
            eb95: numbers.eb95,
            largest: numbers.largest,
            largest_share: f64::from(numbers.largest) / f64::from(numbers.observed.max(1)),
            p_without_largest: numbers.p_without_largest,
            eb05_without_largest: numbers.eb05_without_largest,
            p_without_anonymous: numbers.p_without_anonymous,
            eb05_without_anonymous: numbers.eb05_without_anonymous,
            widened: numbers.widened,
            carried: numbers.carried,
        }
    }
}

impl From<WindowNumbers> for FlagWindow {
    fn from(window: WindowNumbers) -> Self {
        Self {
            days: window.days,
            complaints: window.complaints,
            complaints_without_not_sustained: window.complaints_without_not_sustained,
            episodes: window.episodes,
            distinct_enterprises: window.enterprises,
            distinct_enterprises_of_campaigns_apart: window.enterprises_of_campaigns_apart,
            distinct_enterprises_confirmed: window.enterprises_confirmed,
            distinct_enterprises_without_not_sustained: window.enterprises_without_not_sustained,
            campaign_complaints: window.campaign_complaints,
            anonymous: window.anonymous,
            serious: window.serious,
            adjusted: window.adjusted.map(Into::into),
            adjusted_confirmed: window.adjusted_confirmed.map(Into::into),
        }
    }
}

/// A tier of a flag.
#[derive(SimpleObject)]
pub struct FlagTier {
    /// The as-of day of the first run that found the tier.
    pub since: NaiveDate,
    pub tier: Tier,
}

pub struct FlagReview(pub models::FlagReview);

/// A decision of a person about a flag, or the explanation of an officer.
#[Object]
impl FlagReview {
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    async fn from_state(&self) -> FlagState {
        self.0.from_state.into()
    }

    async fn to_state(&self) -> FlagState {
        self.0.to_state.into()
    }

    /// The grounds; null if none were given.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// The day on which the officer was told; null if not stated here.
    async fn notified_on(&self) -> Option<NaiveDate> {
        self.0.notified_on
    }

    /// What the officer said; null if not stated here.
    async fn explanation(&self) -> Option<&str> {
        self.0.explanation.as_deref()
    }

    /// The author of the review, `token:NAME`.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    async fn reviewed_at(&self) -> Moment {
        self.0.reviewed_at.into()
    }
}

/// The explanation of an officer about a flag.
#[derive(SimpleObject)]
pub struct FlagExplanation {
    /// The day on which the officer was told; null if not stated.
    pub notified_on: Option<NaiveDate>,
    /// What the officer said, or that the officer said nothing.
    pub explanation: String,
    pub recorded_at: Moment,
    /// The author of the record, `token:NAME`.
    pub actor: String,
}

impl FlagExplanation {
    /// The explanation in a review; None if it has none.
    pub fn of(review: models::FlagReview) -> Option<Self> {
        let models::FlagReview { notified_on, explanation, reviewed_at, actor, .. } = review;
        Some(Self { notified_on, explanation: explanation?, recorded_at: reviewed_at.into(), actor })
    }
}
