use super::output::{Output, tell};
use super::progress::Interruptible;
use anyhow::Context;
use chrono::NaiveDate;
use schema::Db;
use schema::world::{self, Parameters, UNTIL};
use serde_json::json;
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
    // A file that cannot be written is told before the world is stored: it cannot be made again.
    if let Some(path) = &args.truth {
        std::fs::write(path, "").with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut bar = Interruptible::counting(args.complaints, "complaints")?;
    let generated = world::generate(db, parameters, &mut |stored| bar.at(stored));
    bar.finish();
    let truth = generated?;
    if let Some(path) = &args.truth {
        let text = serde_json::to_string_pretty(&truth)?;
        std::fs::write(path, text).with_context(|| format!("the world is stored, but not {}", path.display()))?;
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
