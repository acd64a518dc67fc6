use super::output::{Output, table, tell};
use anyhow::Context;
use jobs::runner::settings::Settings;
use jobs::scheduled::audit::{printed_seals, seal_and_witness};
use schema::Db;
use schema::seal::{self, Report, Scope, SealName, Sealer, witness};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Verify that nothing which was sealed was changed, removed or put in later, and that every row is what its events
    /// say; status 1 where something is not
    Verify {
        /// A seal that was seen elsewhere, CHAIN:NUMBER:HASH as digests print it: that it is still there. Those of
        /// digests in the database are known
        #[arg(long = "expect", visible_alias = "seal", value_name = "SEAL")]
        expected: Vec<SealName>,
        /// A folder of witnessed seals, instead of the one of the configuration
        #[arg(long, value_name = "DIR")]
        witness: Option<PathBuf>,
    },
    /// Seal what is not sealed yet; a server does it every few seconds
    Seal,
}

const NO_KEY: &str =
    "seals need the key file: name it with --key-file or PHANANH_KEY_FILE (`phananh key create FILE` makes one)";

pub fn run(db: &Db, settings: &Settings, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Seal => {
            let keys = settings.keys.as_deref().context(NO_KEY)?;
            let sealed = seal_and_witness(&mut Sealer::default(), db, keys, &settings.audit)?;
            out.print(&json!({ "sealed": sealed }), |_| format!("{sealed} rows sealed"))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Verify { expected, witness } => {
            let keys = settings.keys.as_deref();
            if keys.is_none() {
                tell(NO_KEY);
            }
            let witness = witness.as_deref().or(settings.audit.witness.as_deref()).map(witness::read);
            witness.iter().flat_map(|witness| &witness.problems).for_each(tell);
            let mut known = printed_seals(db)?;
            known.extend(expected.iter().cloned());
            let scope = Scope { keys, known: &known, witness: witness.as_ref(), since: None };
            let report = seal::verify(db, scope)?;
            out.print(&report, text)?;
            Ok(if report.verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
        }
    }
}

fn text(report: &Report) -> String {
    let rows = report.chains.iter().map(|chain| {
        let newest = chain.newest.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![
            chain.chain.to_string(),
            chain.seals.to_string(),
            chain.rows.to_string(),
            chain.unsealed.to_string(),
            newest,
        ]
    });
    let mut text = table(&["chain", "seals", "rows", "not sealed", "newest seal"], rows);
    let compared: u64 = report.tables.iter().map(|table| table.rows).sum();
    text.push_str(&format!("\n{compared} rows of {} tables compared with what their chains say", report.tables.len()));
    for problem in &report.problems {
        let chain = problem.chain.map_or_else(|| "all".to_owned(), |chain| chain.to_string());
        text.push_str(&format!("\n{chain}: {}", problem.message));
    }
    if report.more > 0 {
        text.push_str(&format!("\nand {} more of the same kinds", report.more));
    }
    text.push_str(if report.verified { "\nverified" } else { "\nNOT VERIFIED" });
    text
}
