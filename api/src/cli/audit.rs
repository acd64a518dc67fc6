//! The command `audit`: seals the register and verifies it.

use super::output::{Output, print_note, table};
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
    /// Verify that no sealed row was changed, removed or inserted, and that every row matches its events; exit status
    /// 1 if not
    Verify {
        /// Check that this seal is still there, CHAIN:NUMBER:HASH as printed in digests; seals of digests in the
        /// database are checked anyway
        #[arg(long = "expect", visible_alias = "seal", value_name = "SEAL")]
        expected: Vec<SealName>,
        /// Folder of witnessed seals [default: that of the configuration]
        #[arg(long, value_name = "DIR")]
        witness: Option<PathBuf>,
    },
    /// Seal the rows that are not sealed yet; a server does this every few seconds
    Seal,
}

const NO_KEY: &str =
    "seals need the key file: name it with --key-file or PHANANH_KEY_FILE (`phananh key create FILE` makes one)";

/// Runs `phananh audit`. A verification that finds a problem ends with code 1, which is no error.
///
/// # Errors
/// If sealing lacks the key file, or the database or the output fails.
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
                print_note(NO_KEY);
            }
            let witness = witness.as_deref().or(settings.audit.witness.as_deref()).map(witness::read);
            witness.iter().flat_map(|witness| &witness.problems).for_each(print_note);
            let mut seals = printed_seals(db)?;
            seals.extend(expected.iter().cloned());
            let scope = Scope { keys, expected_seals: &seals, witness: witness.as_ref(), since: None };
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
    text.push_str(&format!("\n{compared} rows of {} tables compared with their chains", report.tables.len()));
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
