//! The error of jobs, queries and statistics.

use schema::StoreError;

/// Why a job, a query or a statistic failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// A bad request: the caller has to change it.
    #[error("{0}")]
    Question(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("statistics: {0}")]
    Polars(#[from] polars::error::PolarsError),
    #[error("tables for analysts: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    #[error("rules {path}: {message}")]
    Rules { path: String, message: String },
    #[error("configuration {path}: {message}")]
    Settings { path: String, message: String },
    #[error("template: {0}")]
    Template(String),
    #[error("scheduler: {0}")]
    Scheduler(String),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("{0}")]
    NotFound(String),
    #[error("the stored history cannot be read or does not match the register: {0}; `phananh audit verify` checks it")]
    History(String),
    #[error("the register failed verification: {number} problems, first: {first}; `phananh audit verify` lists all")]
    NotVerified { number: u64, first: String },
    #[error(transparent)]
    Witness(#[from] schema::seal::witness::WitnessError),
    /// The folder or file, and what is wrong with it.
    #[error("the lake {path}: {message}")]
    Lake { path: String, message: String },
    #[error("internal error, a computation panicked: {0}")]
    Panicked(String),
}

impl From<diesel::result::Error> for JobError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A run by hand did not start, because the job is running.
#[derive(Debug, thiserror::Error)]
#[error("{job} is running already, on {node} since {since}: wait for it to end")]
pub struct Busy {
    pub job: String,
    pub node: String,
    pub since: String,
}
