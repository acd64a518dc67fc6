//! The command `lake`: writes the tables of analysts to a folder of Parquet files, and verifies such a folder.

use super::noted;
use super::output::{Output, print_note};
use super::reader::Reader;
use super::sql::{LakeOfFolder, Limits, print_answer};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::JobError;
use jobs::lake::{Manifest, SyncOptions, Synced, Verified, recurrence, sync, verify};
use jobs::runner::settings::Settings;
use jobs::snapshot::{Snapshot, SnapshotFile, SnapshotStore};
use schema::Db;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Bring a lake up to date, or make one: Parquet files of all tables, and lake.sql that makes the tables in DuckDB,
    /// DataFusion, Spark, ClickHouse and Trino
    Sync {
        /// Folder of the lake; made if it is missing
        dir: PathBuf,
        /// Role for which to derive pseudonyms
        #[arg(long = "for", value_name = "ROLE", value_enum, default_value_t)]
        reader: Reader,
        /// Write all files, also over a lake of another register, role or key
        #[arg(long)]
        anew: bool,
        /// Hours for which files of earlier states stay for their readers
        #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8760))]
        keep_hours: u32,
    },
    /// Count complaints, episodes and enterprises of each officer, with observed and expected episodes, where the lake
    /// lies: on this machine or in a cluster
    Counts {
        /// Folder of the lake
        dir: PathBuf,
        /// Count as of the end of this day; by default the day of the lake
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        as_of: Option<NaiveDate>,
        /// A cluster that speaks Spark Connect: sc://HOST:PORT
        #[arg(long, value_name = "URL")]
        engine: Option<String>,
        /// The folder as the cluster sees it, if that is another one
        #[arg(long, value_name = "URL", requires = "engine")]
        lake_url: Option<String>,
        /// Memory limit of this machine's engine in megabytes
        #[arg(long, default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(512..=1_048_576))]
        memory_mb: u32,
        /// Time limit in seconds
        #[arg(long, default_value_t = 3_600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
        seconds: u32,
    },
    /// Verify that the files of a lake are those of its manifest, and that the register has their rows; exit status 1 if
    /// not
    Verify {
        /// Folder of the lake
        dir: PathBuf,
    },
}

/// Most rows of counts: officers of a country.
const MOST_OFFICERS: u64 = 10_000_000;

const NO_KEY: &str = "a lake needs the key file, which makes its pseudonyms: name it with --key-file or \
                      PHANANH_KEY_FILE (`phananh key create FILE` makes one)";

/// Runs `phananh lake`.
///
/// # Errors
/// If the lake cannot be read or written, there is no key file, the question fails, or the database or the output
/// fails.
pub fn run(
    db: impl FnOnce() -> anyhow::Result<Db>,
    settings: &Settings,
    command: &Command,
    out: &Output,
) -> anyhow::Result<ExitCode> {
    if let Command::Counts { dir, as_of, engine, lake_url, memory_mb, seconds } = command {
        let limits = Limits { rows: MOST_OFFICERS, memory_mb: *memory_mb, seconds: *seconds };
        let lake = LakeOfFolder::open(dir, engine.as_deref(), lake_url.as_deref(), limits)?;
        let manifest = Manifest::of(dir)?;
        if let Some(missing) = recurrence::TABLES.iter().find(|name| !manifest.tables.contains_key(**name)) {
            anyhow::bail!(
                "the lake has no table {missing}: `phananh lake sync` adds it to a lake of an earlier version"
            );
        }
        let as_of = as_of.unwrap_or(manifest.day);
        let sql = recurrence::counts(as_of);
        print_answer(lake.ask(&Arc::default(), &sql, &[])?, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let db = db()?;
    let keys = settings.keys.as_deref().context(NO_KEY)?;
    let newest = Newest { db: &db, settings, store: OnceLock::new() };
    match command {
        Command::Sync { dir, reader, anew, keep_hours } => {
            let options = SyncOptions { role: reader.role(), anew: *anew, keep_hours: *keep_hours };
            let objects = json!({ "table": "lake", "form": "parquet", "keyVersion": keys.version() });
            noted::export(&db, reader.role(), "phananh lake sync", &objects)?;
            let done = sync(&db, keys, dir, options, &|| newest.load(), &|| false)?;
            if done.went_back {
                print_note(
                    "note: the register is at an earlier state than the lake was, as after the restore of a backup: \
                     the lake has that state now",
                );
            }
            out.print(&done, synced)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Counts { .. } => anyhow::bail!("counts need no database"),
        Command::Verify { dir } => {
            let found = verify(&db, keys, dir, &|| newest.load())?;
            out.print(&found, verified)?;
            Ok(if found.verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
    }
}

/// The newest snapshot of the register: loaded once, then refreshed.
struct Newest<'a> {
    db: &'a Db,
    settings: &'a Settings,
    store: OnceLock<SnapshotStore>,
}

impl Newest<'_> {
    fn load(&self) -> Result<Arc<Snapshot>, JobError> {
        if let Some(store) = self.store.get() {
            store.refresh(self.db)?;
            return Ok(store.current());
        }
        let file = SnapshotFile::of(self.db, &self.settings.snapshot, self.settings.keys.clone());
        let loaded = SnapshotStore::load_kept(self.db, file.as_ref())?;
        Ok(self.store.get_or_init(|| loaded).current())
    }
}

fn synced(done: &Synced) -> String {
    let Synced { position, tables, rows, files, written, .. } = done;
    let written = match written.as_slice() {
        [] => "nothing changed".to_owned(),
        [only] => format!("{only} written"),
        many => format!("{} files written", many.len()),
    };
    format!("the register at position {position}: {tables} tables, {rows} rows, {files} files; {written}")
}

fn verified(found: &Verified) -> String {
    let Verified { position, files, rows, register_position, went_back, problems, behind, .. } = found;
    let mut text = format!("the register at position {position}: {rows} rows, {files} files");
    if *went_back {
        text.push_str(&format!(
            "\nthe register is not the one at that position any more (position {register_position} now), as after the \
             restore of a backup: `phananh lake sync` brings the lake to its state"
        ));
    }
    for problem in problems {
        text.push_str(&format!("\n{problem}"));
    }
    if !behind.is_empty() {
        text.push_str(&format!("\n{} files are not of the present state: {}", behind.len(), behind.join(", ")));
    }
    text.push_str(if problems.is_empty() { "\nverified" } else { "\nNOT VERIFIED" });
    text
}
