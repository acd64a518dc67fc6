//! The command `key`: creates and rotates the key file.

use super::output::Output;
use schema::keys::Keys;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a key file; keep it outside the database, and keep a copy elsewhere
    Create {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Add a key and use it from now on: pseudonyms change, old seals can still be verified
    Rotate {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs `phananh key`.
///
/// # Errors
/// If the key file cannot be read or written, or a file to create exists.
pub fn run(command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    let (file, keys) = match command {
        Command::Create { file } => (file, Keys::create(file)?),
        Command::Rotate { file } => (file, Keys::rotate(file)?),
    };
    let version = keys.version();
    out.print(&json!({ "file": file, "version": version }), |_| format!("{}: key {version}", file.display()))?;
    Ok(ExitCode::SUCCESS)
}
