//! The command `reorganise`: applies a reorganisation of units, or explains it.

use super::output::{Output, print_note, table};
use anyhow::Context;
use schema::Db;
use schema::register::administration::{Reorganisation, ReorganisationReport, reorganise};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// File with the reorganisation (docs/reorganisation-2025.toml is an example)
    file: PathBuf,
    /// Print what will be done and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    /// The reorganisation that the file describes.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is wrong.
    pub fn plan(&self) -> anyhow::Result<Reorganisation> {
        let name = self.file.display();
        let text = std::fs::read_to_string(&self.file).with_context(|| format!("cannot read {name}"))?;
        Reorganisation::parse(&text).with_context(|| format!("{name} is not a reorganisation"))
    }
}

/// Runs `phananh reorganise`.
///
/// # Errors
/// If the register refuses the plan, or the database or the output fails.
pub fn run(db: &Db, args: &Args, plan: &Reorganisation, out: &Output) -> anyhow::Result<ExitCode> {
    let report = db.write_unless(args.dry_run, "cli", |tx| reorganise(tx, plan))?.value;
    let mut document = serde_json::to_value(&report)?;
    document["applied"] = json!(!args.dry_run);
    out.print(&document, |_| text(&report))?;
    print_note(if args.dry_run { "dry run: nothing was written" } else { "the reorganisation was applied" });
    Ok(ExitCode::SUCCESS)
}

/// The changes of a reorganisation, as text.
fn text(report: &ReorganisationReport) -> String {
    let mut parts = vec![format!("reorganisation {:?}, in force from {}", report.name, report.in_force)];
    parts.extend(report.decision.clone());
    let none = || "-".to_owned();
    let mut section = |title: &str, header: &[&str], rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            parts.push(format!("\n{title}: {}\n{}", rows.len(), table(header, rows)));
        }
    };
    section(
        "created",
        &["UNIT", "KIND", "BELOW", "NAME"],
        report
            .created
            .iter()
            .map(|unit| {
                let below = unit.parent.clone().unwrap_or_else(none);
                vec![unit.code.clone(), unit.kind.to_string(), below, unit.name_vi.clone()]
            })
            .collect(),
    );
    section(
        "closed",
        &["UNIT", "LAST DAY", "SUCCESSOR", "COMPLAINTS", "OPEN", "RECEIVED LATER", "NAME"],
        report
            .closed
            .iter()
            .map(|unit| {
                vec![
                    unit.code.clone(),
                    unit.last_day.to_string(),
                    unit.successor.clone().unwrap_or_else(none),
                    unit.complaints.to_string(),
                    unit.open_complaints.to_string(),
                    unit.later_complaints.to_string(),
                    unit.name_vi.clone(),
                ]
            })
            .collect(),
    );
    section(
        "moved",
        &["UNIT", "FROM", "TO"],
        report
            .moved
            .iter()
            .map(|unit| vec![unit.code.clone(), unit.from.clone().unwrap_or_else(none), unit.to.clone()])
            .collect(),
    );
    section(
        "changed",
        &["UNIT", "NAME BEFORE", "NAME"],
        report.changed.iter().map(|unit| vec![unit.code.clone(), unit.from.clone(), unit.to.clone()]).collect(),
    );
    section(
        "postings that go on elsewhere",
        &["OFFICER", "FROM", "TO"],
        report.postings.iter().map(|one| vec![one.officer.clone(), one.from.clone(), one.to.clone()]).collect(),
    );
    section(
        "heads of closed units, who need a token for another unit",
        &["NAME", "ROLE", "UNIT", "SUCCESSOR"],
        report
            .principals
            .iter()
            .map(|head| {
                let successor = head.successor.clone().unwrap_or_else(none);
                vec![head.name.clone(), head.role.to_string(), head.unit.clone(), successor]
            })
            .collect(),
    );
    parts.push(format!(
        "\ncomplaints of days from {} on that count for other units above theirs: {}",
        report.in_force, report.complaints_rewritten
    ));
    parts.join("\n")
}
