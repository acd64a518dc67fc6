use super::output::{Output, table};
use anyhow::Context;
use jobs::settings::Settings;
use jobs::work::audit::printed;
use schema::Db;
use schema::seal::{self, SealName};
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Verify that nothing which was sealed was changed, removed or put in later; status 1 where something was
    Verify {
        /// A seal that was printed in a digest, CHAIN:NUMBER:HASH: that it is still there. Those of digests in the
        /// database are known
        #[arg(long = "seal", value_name = "SEAL")]
        seals: Vec<SealName>,
    },
    /// Seal what is not sealed yet; a server does it every few seconds
    Seal,
}

pub fn run(db: &Db, settings: &Settings, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    let keys = settings.keys.as_deref().context(
        "seals need the key file: name it with --key-file or PHANANH_KEY_FILE (`phananh key create FILE` makes one)",
    )?;
    match command {
        Command::Seal => {
            let sealed = seal::seal(db, keys)?;
            out.print(&json!({ "sealed": sealed }), |_| format!("{sealed} rows sealed"))?;
        }
        Command::Verify { seals } => {
            let mut known = db.read(printed)?;
            known.extend(seals.iter().cloned());
            let report = seal::verify(db, keys, &known)?;
            out.print(&report, |report| {
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
                for problem in &report.problems {
                    text.push_str(&format!("\n{}: {}", problem.chain, problem.message));
                }
                text.push_str(if report.verified { "\nverified" } else { "\nNOT AS IT WAS" });
                text
            })?;
            if !report.verified {
                return Ok(ExitCode::from(1));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
