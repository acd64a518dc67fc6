use super::SOME_REJECTED;
use super::output::{Output, tell};
use super::progress::Interruptible;
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use jobs::runner::settings::Settings;
use jobs::scheduled::audit::seal_and_witness;
use schema::files::{WorkFolder, write};
use schema::import::inspect::inspect;
use schema::import::{
    Import, Kind, Mapping, Notices, Options, Progress, Reject, RejectSink, Report, Summary, Tallied, run as import,
};
use schema::seal::Sealer;
use schema::{Conn, Db, StoreError};
use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The mapping says which column is which; docs/import.md tells how to write one.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    look: Option<Look>,
    /// What the file is about: complaints, units, officers, postings, enterprises, categories, workload, incidents or responses
    #[arg(required = true)]
    kind: Option<Kind>,
    /// A CSV file, gzipped or not; - for standard input
    #[arg(required = true)]
    file: Option<PathBuf>,
    /// What the columns of the file mean
    #[arg(long, value_name = "MAP.toml", required = true)]
    mapping: Option<PathBuf>,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Where rejected rows go; without it the first 20 are told on standard error
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Where the report of what was met in each column goes, as JSON; without it, it is told on standard error
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Look {
    /// Show what a file looks like, and draft a mapping for complaints: its output is one
    Inspect {
        /// A CSV file, gzipped or not; - for standard input
        file: PathBuf,
    },
}

/// The file, or standard input, and its size where it has one.
fn opened(path: &Path) -> anyhow::Result<(Box<dyn Read>, Option<u64>)> {
    if path.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let meta = file.metadata()?;
    anyhow::ensure!(!meta.is_dir(), "{} is a folder, not a CSV file", path.display());
    Ok((Box::new(file), Some(meta.len()).filter(|_| meta.is_file())))
}

/// The register of a database, where it holds one.
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
        anyhow::bail!("say what to import, the file and its --mapping");
    };
    // What can be wrong without a database is told before one is made.
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
        None => RejectSink::tell(tell_reject),
    };
    // A check makes no register: where there is none, it is made against an empty one that goes with the command.
    let scratch;
    let db = if !args.dry_run {
        super::register_or_new(open()?)?
    } else if let Some(db) = register_of(database)? {
        super::migrated(db)?
    } else {
        scratch = WorkFolder::new()?;
        super::migrated(Db::open(&format!("sqlite:{}", scratch.path().join("empty.db").display()))?)?
    };
    let name = path.display().to_string();
    let options = Options { dry_run: args.dry_run };
    let mut bar = Bar::new(size)?;
    let job = Import { db: &db, kind, name: &name, mapping: &mapping, options: &options };
    let (result, summary, tallied, rejected_rows, untold) = {
        let notices = Notices::new(|message| tell(format_args!("warning: {message}")));
        let mut report =
            Report { summary: Summary::default(), rejects, notices, tallied: Tallied::default(), progress: &mut bar };
        let result = import(job, input, &mut report);
        (result, report.summary, report.tallied, report.rejects.rows(), report.notices.untold())
    };
    bar.0.finish();
    if untold > 0 {
        tell(format_args!("warning: … and {untold} more of this kind"));
    }
    if result.is_err() && summary.read > 0 {
        let written = if args.dry_run { "nothing was written" } else { "what was written stays" };
        tell(format_args!(
            "stopped after: {}; {written}, the same import run again completes it",
            text(kind, &summary)
        ));
    }
    result?;
    if let Some(keys) = settings.keys.as_deref().filter(|_| !args.dry_run) {
        seal_and_witness(&mut Sealer::default(), &db, keys, &settings.audit)?;
    }
    out.print(&summary, |summary| {
        let dry = if args.dry_run { " (dry run: nothing was written)" } else { "" };
        format!("{}{dry}", text(kind, summary))
    })?;
    match &args.report {
        Some(path) => write_report(path, &tallied)?,
        // Of a file that is imported every night and changed nothing there is nothing to read.
        None if summary.read > summary.unchanged => lines(&tallied).iter().for_each(tell),
        None => {}
    }
    if summary.rejected == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    match &args.rejects {
        Some(path) => tell(format_args!("{rejected_rows} rows were rejected: see {}", path.display())),
        None if rejected_rows > 20 => {
            tell(format_args!("… and {} more: --rejects FILE writes them all to a file", rejected_rows - 20));
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

/// Values of a column of which it is told that several cells were read as one.
const MERGED: usize = 10;

fn write_report(path: &Path, report: &Tallied) -> anyhow::Result<()> {
    let text = format!("{}\n", serde_json::to_string_pretty(report)?);
    write(path, text).with_context(|| format!("--report {}", path.display()))
}

/// What a person should read of a report: what was made, and the columns of which there is something to say.
fn lines(report: &Tallied) -> Vec<String> {
    let mut lines = Vec::new();
    if !report.created.is_empty() {
        let created = report.created.iter().map(|one| {
            let more = if one.number > one.codes.len() as u64 { ", …" } else { "" };
            format!("{}: {} ({}{more})", one.kind, one.number, one.codes.join(", "))
        });
        lines.push(format!("created, since nobody had described them: {}", created.collect::<Vec<_>>().join("; ")));
    }
    let counted = |cells: &[(String, u64)]| {
        cells.iter().map(|(cell, number)| format!("{cell:?} ({number})")).collect::<Vec<_>>().join(", ")
    };
    for column in &report.columns {
        let mut said = Vec::new();
        if column.blank > 0 {
            said.push(format!("{} of {} cells blank", column.blank, column.blank + column.filled));
        }
        if column.unknown > 0 {
            said.push(format!("{} not in the mapping: {}", column.unknown, counted(&column.unknown_values)));
        }
        if column.rejected > 0 {
            said.push(format!("rejected rows: {}", column.rejected));
        }
        said.extend(column.merged.iter().take(MERGED).map(|one| {
            let more = if one.different > one.cells.len() as u64 { ", …" } else { "" };
            format!("read as {:?}: {}{more}", one.read_as, counted(&one.cells))
        }));
        if !said.is_empty() {
            lines.push(format!("column {:?} ({}): {}", column.column, column.field, said.join("; ")));
        }
    }
    lines
}

fn tell_reject(reject: &Reject) {
    let column = if reject.column.is_empty() { String::new() } else { format!(", column {:?}", reject.column) };
    tell(format_args!("row {}{column}: {}", reject.row, reject.reason));
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
