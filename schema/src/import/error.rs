//! Errors that stop an import.

use crate::db::StoreError;
use std::path::PathBuf;

/// The error that stopped an import. A bad row does not stop it: see [`super::Reject`].
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("mapping {path}: {message}")]
    Mapping { path: String, message: String },
    #[error("cannot read {path}: {source}")]
    Open { path: PathBuf, source: std::io::Error },
    #[error("{path}: {message}")]
    File { path: String, message: String },
    #[error("{path}, row {row}: {message}")]
    Row { path: String, row: u64, message: String },
    #[error("cannot write the rejected rows to {path}: {source}")]
    Rejects { path: String, source: std::io::Error },
    #[error("cannot stage rows in the folder for temporary files (TMPDIR): {0}")]
    Stage(std::io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("stopped by a signal")]
    Stopped,
}
