use super::output::{Output, tell};
use super::progress::Interruptible;
use anyhow::Context;
use chrono::NaiveDate;
use schema::Db;
use schema::files::Draft;
use schema::register::demonstration;
use schema::world::{self, Parameters, UNTIL};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The world is invented, and whatever is shown of it says so.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many complaints, over five years
    #[arg(long, value_name = "N")]
    complaints: usize,
    /// The same seed makes the same world on every machine
    #[arg(long, value_name = "S")]
    seed: u64,
    /// The last day
    #[arg(long, value_name = "DATE", default_value_t = UNTIL, value_parser = super::jobs::day)]
    until: NaiveDate,
    /// Where to write what is true of the world, for tests of statistics
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

impl Args {
    pub fn parameters(&self) -> Parameters {
        Parameters { complaints: self.complaints, seed: self.seed, until: self.until }
    }
}

pub fn run(args: &Args, db: &Db, out: &Output) -> anyhow::Result<ExitCode> {
    let parameters = args.parameters();
    // A file that cannot be written is told before the world is stored.
    let draft = match args.truth.as_deref() {
        None => None,
        Some(path) => Some((path, Draft::begin(path).with_context(|| format!("cannot write {}", path.display()))?)),
    };
    let stored = db.read(demonstration::mark)?;
    let truth = if stored == Some(parameters) && args.truth.as_deref().is_some_and(|path| !path.exists()) {
        tell("the database holds this world already: only what is true of it is written");
        world::true_of(parameters)?
    } else {
        let mut bar = Interruptible::counting(args.complaints, "complaints")?;
        let generated = world::generate(db, parameters, &mut |stored| bar.at(stored));
        bar.finish();
        generated?
    };
    if let Some((path, mut draft)) = draft {
        let text = serde_json::to_string_pretty(&truth)?;
        let written = draft.write_all(text.as_bytes());
        written.and_then(|()| draft.keep()).with_context(|| {
            format!("the world is stored, but not {}: the same command again writes it", path.display())
        })?;
    }
    let summary = json!({
        "complaints": args.complaints,
        "officers": truth.officers.len(),
        "seed": args.seed,
        "until": args.until,
        "demonstration": true,
    });
    out.print(&summary, |_| {
        format!(
            "demonstration data: {} complaints about {} officers, up to {}",
            args.complaints,
            truth.officers.len(),
            args.until
        )
    })?;
    if args.truth.is_none() {
        tell("what is true of this world was not written: --truth FILE writes it");
    }
    Ok(ExitCode::SUCCESS)
}
