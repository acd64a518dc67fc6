//! The result of the recurrence job. It is separate from the job because flags and digests read it, and the job stores
//! flags.

use crate::analyses::recurrence::{Available, Comparisons, CusumSeries, Dispersion, FunnelPlot, MissingData};
use crate::facts::exposure::Basis;
use crate::facts::monthly::MonthlySource;
use schema::enums::SubjectKind;
use serde::{Deserialize, Serialize};

/// The name of the job and of its result.
pub const NAME: &str = "recurrence";

/// The name of the second result of the job: see [`ComparedDocument`].
pub const COMPARED: &str = "recurrence-compared";

/// The comparisons of the subjects that a run found. It is separate from [`RecurrenceDocument`], which has megabytes in
/// a large register: a question about one flag does not need to read those.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ComparedDocument {
    pub officers: Comparisons,
    pub branches: Comparisons,
}

impl ComparedDocument {
    /// The comparisons of the subjects of a kind.
    pub fn of(&self, kind: SubjectKind) -> &Comparisons {
        match kind {
            SubjectKind::Officer => &self.officers,
            SubjectKind::Branch => &self.branches,
        }
    }
}

/// The result that a run stores in addition to its flags.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecurrenceDocument {
    pub officers: KindDocument,
    pub branches: KindDocument,
    pub funnel: FunnelPlot,
    pub cusum: Vec<CusumSeries>,
    /// The data that the run could count.
    pub available: Available,
    /// The data that the rules of the run need and the register lacks.
    pub lacks: Vec<MissingData>,
    /// The sources that give only the month of receipt.
    pub monthly: Vec<MonthlySource>,
}

/// Comparison of the subjects of a kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KindDocument {
    pub basis: Basis,
    pub scatter: Vec<Dispersion>,
    /// Codes of subjects without known exposure that have enough distinct enterprises for a REVIEW.
    pub without_exposure: Vec<String>,
}
