use schema::StoreError;

/// What can go wrong with a job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A question that cannot be answered as it is.
    #[error("{0}")]
    Question(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("statistics: {0}")]
    Polars(#[from] polars::error::PolarsError),
    #[error("rules {path}: {message}")]
    Rules { path: String, message: String },
    #[error("configuration {path}: {message}")]
    Settings { path: String, message: String },
    #[error("template: {0}")]
    Template(String),
    #[error("scheduler: {0}")]
    Scheduler(String),
    #[error(transparent)]
    Busy(#[from] crate::runner::ledger::Busy),
    #[error("{0}")]
    NotFound(String),
    #[error("the history of the register does not fit its present: {0}")]
    History(String),
    #[error("the register is not verified: {number} problems; the first: {first}; `phananh audit verify` lists them")]
    NotVerified { number: u64, first: String },
    #[error(transparent)]
    Witness(#[from] schema::seal::witness::WitnessError),
    #[error("the job broke off: {0}")]
    Panicked(String),
}

impl From<diesel::result::Error> for JobError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}
