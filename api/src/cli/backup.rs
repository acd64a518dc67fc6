//! The commands `backup` and `restore` for registers in SQLite.

use super::output::{Output, print_note};
use schema::Db;
use schema::db::restore;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// The new file; must not exist
    file: PathBuf,
}

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// A file written by `backup`
    file: PathBuf,
}

/// Runs `phananh backup`.
///
/// # Errors
/// If the file exists or cannot be written, or the database fails.
pub fn back_up(db: &Db, args: &BackupArgs, out: &Output) -> anyhow::Result<ExitCode> {
    let backup = db.back_up(&args.file)?;
    out.print(&backup, |done| {
        format!("{}: the register up to position {}, {} bytes", done.file.display(), done.position, done.bytes)
    })?;
    print_note("note: the key file is not in it: keep a copy of the key file in another place");
    Ok(ExitCode::SUCCESS)
}

/// Runs `phananh restore`.
///
/// # Errors
/// If the file is no backup, the database exists already, or it cannot be written.
pub fn restored(database: &str, args: &RestoreArgs, out: &Output) -> anyhow::Result<ExitCode> {
    let restored = restore(database, &args.file)?;
    out.print(&restored, |done| format!("{}: the register up to position {}", done.file.display(), done.position))?;
    if restored.is_behind {
        print_note("note: an older version wrote the backup: `phananh migrate` brings it up to date");
    }
    print_note("note: changes made since the backup are lost: tokens revoked since are valid again");
    Ok(ExitCode::SUCCESS)
}
