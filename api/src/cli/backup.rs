use super::output::{Output, tell};
use schema::Db;
use schema::db::restore;
use std::path::PathBuf;
use std::process::ExitCode;

/// Whatever is written meanwhile; of a register in PostgreSQL see docs/operations.md
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// A file that is not there yet
    file: PathBuf,
}

/// Nothing may be there; of a register in PostgreSQL see docs/operations.md
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// A file that `backup` wrote
    file: PathBuf,
}

pub fn back_up(db: &Db, args: &BackupArgs, out: &Output) -> anyhow::Result<ExitCode> {
    let backup = db.back_up(&args.file)?;
    out.print(&backup, |done| {
        format!("{}: the register up to position {}, {} bytes", done.file.display(), done.position, done.bytes)
    })?;
    tell("note: the key file is not in it: keep a copy of it, and in another place");
    Ok(ExitCode::SUCCESS)
}

pub fn restored(database: &str, args: &RestoreArgs, out: &Output) -> anyhow::Result<ExitCode> {
    let restored = restore(database, &args.file)?;
    out.print(&restored, |done| format!("{}: the register up to position {}", done.file.display(), done.position))?;
    if restored.is_behind {
        tell("note: an older version wrote it: `phananh migrate` brings it up to date");
    }
    tell("note: what was done after the backup is undone: tokens that were ended since are valid again");
    Ok(ExitCode::SUCCESS)
}
