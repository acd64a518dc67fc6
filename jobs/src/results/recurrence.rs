//! The result of the recurrence job. It stands apart from the job because flags and digests read it, and the job stores
//! flags.

use crate::analyses::recurrence::{Available, CusumSeries, Dispersion, FunnelPlot, MissingData};
use crate::facts::exposure::Basis;
use crate::facts::monthly::MonthlySource;
use serde::{Deserialize, Serialize};

/// The name of the job and of its result.
pub const NAME: &str = "recurrence";

/// The result that a run stores beside its flags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecurrenceDocument {
    pub officers: KindDocument,
    pub branches: KindDocument,
    pub funnel: FunnelPlot,
    pub cusum: Vec<CusumSeries>,
    /// Which data the run could count.
    pub available: Available,
    /// Which data the rules of the run need and the register lacks.
    pub lacks: Vec<MissingData>,
    /// The sources that give only the month of receipt.
    pub monthly: Vec<MonthlySource>,
}

/// How the subjects of a kind were compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KindDocument {
    pub basis: Basis,
    pub scatter: Vec<Dispersion>,
    /// Codes of subjects without known exposure that have enough distinct enterprises for a REVIEW.
    pub without_exposure: Vec<String>,
}
