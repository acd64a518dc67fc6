//! The command `import`: reads a CSV file with a mapping, and reports rejected rows and columns.

use super::SOME_REJECTED;
use super::output::{Output, print_note};
use super::progress::Interruptible;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use jobs::runner::settings::Settings;
use jobs::scheduled::audit::seal_and_witness;
use schema::files::{WorkFolder, write};
use schema::import::inspect::inspect;
use schema::import::{
    Import, ImportError, Kind, Mapping, Notices, Options, Progress, Reject, RejectSink, Report, Summary, Tallied,
    run as import,
};
use schema::seal::Sealer;
use schema::{Conn, Db, StoreError};
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    look: Option<Look>,
    /// Kind of rows: complaints, units, officers, postings, enterprises, categories, workload, incidents or responses
    #[arg(required = true)]
    kind: Option<Kind>,
    /// CSV file, gzipped or not; - for standard input
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// Mapping from the columns of the file to fields (docs/import.md says how to write one)
    #[arg(long, value_name = "MAP.toml", required = true)]
    mapping: Option<PathBuf>,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
    /// File for rejected rows; without it, print the first 20 to standard error
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// File for the report on each column, as JSON; without it, print the report to standard error
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Look {
    /// Show what a file looks like, and print a draft of a mapping for complaints
    Inspect {
        /// CSV file, gzipped or not; - for standard input
        file: PathBuf,
    },
}

/// Opens the file or standard input; the size is None if unknown.
fn opened(path: &Path) -> anyhow::Result<(Box<dyn Read>, Option<u64>)> {
    if path.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let meta = file.metadata()?;
    anyhow::ensure!(!meta.is_dir(), "{} is a folder, not a CSV file", path.display());
    Ok((Box::new(file), Some(meta.len()).filter(|_| meta.is_file())))
}

/// The register of a database; None if it holds none.
fn register_of(database: &str) -> anyhow::Result<Option<Db>> {
    match Db::open_existing(database) {
        Ok(db) => Ok(db.read(Conn::holds_register)?.then_some(db)),
        Err(StoreError::NoDatabase(_)) => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

fn inspect_file(path: &Path, out: &Output) -> anyhow::Result<ExitCode> {
    let found = inspect(&path.display().to_string(), opened(path)?.0)?;
    out.print(&found, |found| found.mapping.clone())?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `phananh import`.
///
/// # Errors
/// If a file cannot be read or written, the mapping is wrong, or the database fails. A rejected row is no error.
pub fn run(
    args: &Args,
    database: &str,
    settings: &Settings,
    open: impl FnOnce() -> Result<Db, StoreError>,
    out: &Output,
) -> anyhow::Result<ExitCode> {
    if let Some(Look::Inspect { file }) = &args.look {
        return inspect_file(file, out);
    }
    let (Some(kind), Some(path), Some(map)) = (args.kind, &args.file, &args.mapping) else {
        anyhow::bail!("name the kind of rows, the file and its --mapping");
    };
    // Fail on errors in the arguments before a database is created.
    let mapping = Mapping::load(map, kind)?;
    let (input, size) = opened(path)?;
    let sqlite = database.strip_prefix("sqlite:").map(PathBuf::from);
    for (option, written, other) in
        [("--rejects", &args.rejects, &args.report), ("--report", &args.report, &args.rejects)]
    {
        let precious = [Some(path), Some(map), sqlite.as_ref(), other.as_ref()].into_iter().flatten();
        let Some(written) = written else { continue };
        if let Some(other) = precious.into_iter().find(|other| *other == written || same_file(written, other)) {
            anyhow::bail!("{option} would overwrite {}: name another file", other.display());
        }
    }
    let rejects = match &args.rejects {
        Some(rejected) => RejectSink::file(rejected)?,
        None => RejectSink::callback(print_reject),
    };
    // A dry run creates no register: without one, it checks against a temporary empty one.
    let scratch;
    // Taken before the register is opened as others open it, who make the indexes that an import left out.
    let mut lock = None;
    let db = if !args.dry_run {
        let db = open()?;
        if kind == Kind::Complaints {
            lock = db.begin_import()?;
        }
        super::register_or_new(db, settings)?
    } else if let Some(db) = register_of(database)? {
        super::migrated(db, settings)?
    } else {
        scratch = WorkFolder::new()?;
        super::migrated(Db::open(&format!("sqlite:{}", scratch.path().join("empty.db").display()))?, settings)?
    };
    let name = path.display().to_string();
    let options = Options { dry_run: args.dry_run, defers_indexes: lock.is_some() };
    let mut bar = Bar::new(size)?;
    let job = Import { db: &db, kind, name: &name, mapping: &mapping, options: &options };
    let (result, summary, tallied, rejected_rows, unreported) = {
        let notices = Notices::new(|message| print_note(format_args!("warning: {message}")));
        let mut report =
            Report { summary: Summary::default(), rejects, notices, tallied: Tallied::default(), progress: &mut bar };
        let result = import(job, input, &mut report);
        (result, report.summary, report.tallied, report.rejects.rows(), report.notices.unreported())
    };
    bar.0.finish();
    let defers_indexes = lock.is_some();
    drop(lock);
    // After a stop the next command makes them; the same import, at its end.
    let is_stopped = matches!(result, Err(ImportError::Stopped));
    let made = if defers_indexes && !is_stopped { db.make_deferred_indexes() } else { Ok(()) };
    if unreported > 0 {
        print_note(format_args!("warning: … and {unreported} more of this kind"));
    }
    if result.is_err() && summary.read > 0 {
        let written = if args.dry_run { "nothing was written" } else { "what was written stays" };
        print_note(format_args!(
            "stopped after: {}; {written}, the same import run again completes it",
            text(kind, &summary)
        ));
    }
    result?;
    made.context("all complaints are stored, but indexes are missing: the next command that writes makes them")?;
    if let Some(keys) = settings.keys.as_deref().filter(|_| !args.dry_run) {
        seal_and_witness(&mut Sealer::default(), &db, keys, &settings.audit)?;
    }
    out.print(&summary, |summary| {
        let dry = if args.dry_run { " (dry run: nothing was written)" } else { "" };
        format!("{}{dry}", text(kind, summary))
    })?;
    match &args.report {
        Some(path) => write_report(path, &tallied)?,
        // Stay silent if nothing changed, as in a nightly import of the same file.
        None if summary.read > summary.unchanged => lines(&tallied).iter().for_each(print_note),
        None => {}
    }
    if summary.rejected == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    match &args.rejects {
        Some(path) => print_note(format_args!("{rejected_rows} rows were rejected: see {}", path.display())),
        None if rejected_rows > 20 => {
            print_note(format_args!("… and {} more: --rejects FILE writes them all to a file", rejected_rows - 20));
        }
        None => {}
    }
    Ok(ExitCode::from(SOME_REJECTED))
}

fn text(kind: Kind, summary: &Summary) -> String {
    format!(
        "{} rows, {} {}: {} imported, {} updated, {} unchanged, {} rejected",
        summary.rows,
        summary.read,
        kind.name(),
        summary.imported,
        summary.updated,
        summary.unchanged,
        summary.rejected
    )
}

/// Values per column whose different spellings are reported.
const MERGED: usize = 10;

fn write_report(path: &Path, report: &Tallied) -> anyhow::Result<()> {
    let text = format!("{}\n", serde_json::to_string_pretty(report)?);
    write(path, text).with_context(|| format!("--report {}", path.display()))
}

/// The report for people: created rows, and the columns with something to report.
fn lines(report: &Tallied) -> Vec<String> {
    let mut lines = Vec::new();
    if !report.created.is_empty() {
        let created = report.created.iter().map(|one| {
            let more = if one.number > one.codes.len() as u64 { ", …" } else { "" };
            format!("{}: {} ({}{more})", one.kind, one.number, one.codes.join(", "))
        });
        lines.push(format!("created from their codes alone: {}", created.collect::<Vec<_>>().join("; ")));
    }
    let counted = |cells: &[(String, u64)]| {
        cells.iter().map(|(cell, number)| format!("{cell:?} ({number})")).collect::<Vec<_>>().join(", ")
    };
    for column in &report.columns {
        let mut parts = Vec::new();
        if column.blank > 0 {
            parts.push(format!("{} of {} cells blank", column.blank, column.blank + column.filled));
        }
        if column.unknown > 0 {
            parts.push(format!("{} not in the mapping: {}", column.unknown, counted(&column.unknown_values)));
        }
        if column.rejected > 0 {
            parts.push(format!("rejected rows: {}", column.rejected));
        }
        parts.extend(column.merged.iter().take(MERGED).map(|one| {
            let more = if one.different > one.cells.len() as u64 { ", …" } else { "" };
            format!("read as {:?}: {}{more}", one.read_as, counted(&one.cells))
        }));
        if !parts.is_empty() {
            lines.push(format!("column {:?} ({}): {}", column.column, column.field, parts.join("; ")));
        }
    }
    lines
}

fn print_reject(reject: &Reject) {
    let column = if reject.column.is_empty() { String::new() } else { format!(", column {:?}", reject.column) };
    print_note(format_args!("row {}{column}: {}", reject.row, reject.reason));
}

fn same_file(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

struct Bar(Interruptible);

impl Bar {
    fn new(size: Option<u64>) -> anyhow::Result<Self> {
        let bar = if !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else if let Some(size) = size {
            ProgressBar::new(size)
                .with_style(ProgressStyle::with_template("{msg} [{wide_bar}] {bytes}/{total_bytes} {eta}")?)
        } else {
            ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}")?)
        };
        Ok(Self(Interruptible::new(bar)?))
    }
}

impl Progress for Bar {
    fn reading(&mut self, bytes: u64, rows: u64) -> bool {
        self.0.bar.set_position(bytes);
        self.0.bar.set_message(format!("read {rows} rows"));
        self.0.check_cancelled()
    }

    fn writing(&mut self, summary: &Summary) -> bool {
        self.0.bar.set_message(format!("read {} rows, written {}", summary.rows, summary.read - summary.rejected));
        self.0.check_cancelled()
    }
}
