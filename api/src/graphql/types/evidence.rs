//! What stands behind a flag: its numbers, and what people decided about it.

use crate::graphql::enums::FlagState;
use crate::graphql::scalars::{Moment, id};
use async_graphql::{ID, Object, Result, SimpleObject};
use chrono::NaiveDate;
use jobs::analyses::recurrence::{self, WindowNumbers};
use jobs::facts::exposure::Basis;
use schema::models;

/// What exposure is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum ExposureBasis {
    Declarations,
    PostingDays,
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

/// The numbers of a flag. docs/statistics.md says what each means.
#[derive(SimpleObject)]
pub struct FlagNumbers {
    /// Whether the numbers are not adjusted for workload.
    pub unadjusted: bool,
    pub basis: ExposureBasis,
    pub windows: Vec<FlagWindow>,
}

impl FlagNumbers {
    /// Those of an assessment.
    pub fn of(numbers: &serde_json::Value) -> Result<Self> {
        let windows: Vec<WindowNumbers> = serde_json::from_value(numbers["windows"].clone())?;
        Ok(Self {
            unadjusted: numbers["unadjusted"].as_bool().unwrap_or(true),
            basis: serde_json::from_value::<Basis>(numbers["basis"].clone()).unwrap_or_default().into(),
            windows: windows.into_iter().map(Into::into).collect(),
        })
    }
}

/// What one window shows.
#[derive(SimpleObject)]
pub struct FlagWindow {
    days: i32,
    complaints: u32,
    complaints_without_not_sustained: u32,
    episodes: u32,
    /// A campaign counts as one. By the rule `own_enterprise` each anonymous complaint counts as one, too: see `anonymous`.
    distinct_enterprises: u32,
    distinct_enterprises_of_campaigns_apart: u32,
    distinct_enterprises_confirmed: u32,
    distinct_enterprises_without_not_sustained: u32,
    campaign_complaints: u32,
    anonymous: u32,
    serious: u32,
    /// Adjusted for exposure; null in windows that no tier takes its numbers from, and without exposure.
    adjusted: Option<AdjustedNumbers>,
    /// The same of complaints whose attribution is CONFIRMED.
    adjusted_confirmed: Option<AdjustedNumbers>,
}

/// Observed against expected, and how much of it to believe.
#[derive(SimpleObject)]
pub struct AdjustedNumbers {
    /// Episodes that began in the window (O).
    observed: u32,
    /// Declarations, or days in posting.
    exposure: f64,
    /// Episodes that the others' rate would have made of it (E).
    expected: f64,
    /// O / E, with exact limits of 95 %.
    ratio: f64,
    ratio_lower: f64,
    ratio_upper: f64,
    /// Mid-p upper tail of the Poisson distribution.
    p: f64,
    /// Benjamini and Hochberg, over all subjects with exposure.
    q: f64,
    /// The rate ratio after shrinkage, and what it exceeds and stays below with 95 %.
    ebgm: f64,
    eb05: f64,
    eb95: f64,
    /// Episodes of the enterprise that has most of them, and its share.
    largest: u32,
    largest_share: f64,
    /// p and EB05 without that enterprise, and without anonymous complaints.
    p_without_largest: f64,
    eb05_without_largest: f64,
    p_without_anonymous: f64,
    eb05_without_anonymous: f64,
    /// The share of the expected that comes from widened strata.
    widened: f64,
    /// Whether some of the exposure was taken over from another month.
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

/// What a person decided about a flag, and on which grounds.
pub struct FlagReview(pub models::FlagReview);

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

    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When the officer was told.
    async fn notified_on(&self) -> Option<NaiveDate> {
        self.0.notified_on
    }

    /// What the officer said.
    async fn explanation(&self) -> Option<&str> {
        self.0.explanation.as_deref()
    }

    /// Who decided.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    async fn reviewed_at(&self) -> Moment {
        self.0.reviewed_at.into()
    }
}

/// What an officer said about a flag.
#[derive(SimpleObject)]
pub struct FlagExplanation {
    /// When the officer was told.
    pub notified_on: Option<NaiveDate>,
    /// What the officer said, or that nothing was said.
    pub explanation: String,
    pub recorded_at: Moment,
    pub actor: String,
}

impl FlagExplanation {
    /// What a review says of it; None where it says nothing.
    pub fn of(review: models::FlagReview) -> Option<Self> {
        let models::FlagReview { notified_on, explanation, reviewed_at, actor, .. } = review;
        Some(Self { notified_on, explanation: explanation?, recorded_at: reviewed_at.into(), actor })
    }
}
