//! The command `migrate`: creates or upgrades the tables, and computes deadlines by the
//! files that the settings name.

use super::output::Output;
use jobs::runner::settings::Settings;
use schema::Db;
use schema::register::use_rules;
use std::process::ExitCode;

/// Runs `phananh migrate`.
///
/// # Errors
/// If a file of the configuration cannot be read, or a migration fails.
pub fn run(db: &Db, settings: &Settings, out: &Output) -> anyhow::Result<ExitCode> {
    let report = db.migrate()?;
    use_rules(db, settings.clock_files().map_err(anyhow::Error::msg)?.as_ref())?;
    out.print(&report, |report| match report.applied.len() {
        0 => "nothing to do: the database is up to date".to_owned(),
        n => format!("applied {n} migrations: {}", report.applied.join(", ")),
    })?;
    Ok(ExitCode::SUCCESS)
}
