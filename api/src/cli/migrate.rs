//! The command `migrate`: creates or upgrades the tables.

use super::output::Output;
use schema::Db;
use std::process::ExitCode;

pub fn run(db: &Db, out: &Output) -> anyhow::Result<ExitCode> {
    let report = db.migrate()?;
    out.print(&report, |report| match report.applied.len() {
        0 => "nothing to do: the database is up to date".to_owned(),
        n => format!("applied {n} migrations: {}", report.applied.join(", ")),
    })?;
    Ok(ExitCode::SUCCESS)
}
