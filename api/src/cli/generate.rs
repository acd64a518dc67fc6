//! The command `generate`: fills the database with an invented register.

use super::output::{Output, print_note};
use super::progress::Interruptible;
use anyhow::Context;
use chrono::NaiveDate;
use jobs::lake::invented::{Invented, Written, invent};
use schema::Db;
use schema::files::AtomicFile;
use schema::register::demonstration;
use schema::world::{self, Bursts, Parameters, UNTIL};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `generate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number of complaints, over five years
    #[arg(long, value_name = "N")]
    complaints: usize,
    /// Seed: the same seed makes the same register on every machine
    #[arg(long, value_name = "S")]
    seed: u64,
    /// Last day of the register
    #[arg(long, value_name = "DATE", default_value_t = UNTIL, value_parser = super::jobs::day)]
    until: NaiveDate,
    /// File for the ground truth of the register, for tests of statistics
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Plant bursts of technical complaints in the last 120 days, in addition to the other complaints: the truth file
    /// has them
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=24),
        conflicts_with = "lake"
    )]
    bursts: u32,
    /// Complaints of each burst
    #[arg(
        long,
        value_name = "N",
        default_value_t = 12,
        value_parser = clap::value_parser!(u32).range(1..=1_000),
        requires = "bursts"
    )]
    burst_size: u32,
    /// Write a lake to this folder instead of a register to the database: complaints straight as Parquet files, which
    /// may be more than a database holds
    #[arg(long, value_name = "DIR", conflicts_with = "truth")]
    lake: Option<PathBuf>,
}

impl Args {
    pub fn parameters(&self) -> Parameters {
        let bursts = match self.bursts {
            0 => Bursts::default(),
            number => Bursts { number, size: self.burst_size },
        };
        Parameters { complaints: self.complaints, seed: self.seed, until: self.until, bursts }
    }
}

/// Writes an invented lake, if the arguments ask for one.
///
/// # Errors
/// If the folder cannot be written, or the command is interrupted.
pub fn lake(args: &Args, out: &Output) -> anyhow::Result<Option<ExitCode>> {
    let Some(dir) = &args.lake else { return Ok(None) };
    let of = Invented { complaints: args.complaints as u64, seed: args.seed, until: args.until };
    let mut bar = Interruptible::counting(args.complaints, "complaints")?;
    let written = invent(dir, of, &mut |stored| bar.at(stored));
    bar.finish();
    out.print(&written?, |one| {
        let Written { complaints, allegations, files, bytes } = one;
        format!("an invented lake: {complaints} complaints, {allegations} allegations, {files} files, {bytes} bytes")
    })?;
    Ok(Some(ExitCode::SUCCESS))
}

/// Runs `phananh generate`.
///
/// # Errors
/// If the database holds other complaints, a file cannot be written, the command is interrupted, or the database fails.
pub fn run(args: &Args, db: &Db, out: &Output) -> anyhow::Result<ExitCode> {
    let parameters = args.parameters();
    // Fail on an unwritable file before the register is stored.
    let draft = match args.truth.as_deref() {
        None => None,
        Some(path) => {
            Some((path, AtomicFile::begin(path).with_context(|| format!("cannot write {}", path.display()))?))
        }
    };
    let stored = db.read(demonstration::mark)?;
    let truth = if stored == Some(parameters) && args.truth.as_deref().is_some_and(|path| !path.exists()) {
        print_note("the database already holds this register: only its ground truth is written");
        world::ground_truth(parameters)?
    } else {
        let mut bar = Interruptible::counting(parameters.total(), "complaints")?;
        let generated = world::generate(db, parameters, &mut |stored| bar.at(stored));
        bar.finish();
        generated?
    };
    if let Some((path, mut draft)) = draft {
        let text = serde_json::to_string_pretty(&truth)?;
        let written = draft.write_all(text.as_bytes());
        written.and_then(|()| draft.keep()).with_context(|| {
            format!("the register is stored, but {} is not: run the same command again to write it", path.display())
        })?;
    }
    let summary = json!({
        "complaints": parameters.total(),
        "officers": truth.officers.len(),
        "seed": args.seed,
        "until": args.until,
        "demonstration": true,
    });
    out.print(&summary, |_| {
        format!(
            "demonstration data: {} complaints about {} officers, up to {}",
            parameters.total(),
            truth.officers.len(),
            args.until
        )
    })?;
    if args.truth.is_none() {
        print_note("the ground truth of this register was not written: --truth FILE writes it");
    }
    Ok(ExitCode::SUCCESS)
}
