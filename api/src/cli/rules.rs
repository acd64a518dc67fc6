//! The command `rules`: tries a rule of the form "K events in W days".

use super::output::{Output, table};
use chrono::Days;
use clap::ValueEnum;
use jobs::analyses::recurrence::{Count, Reach, Rules, reach};
use jobs::scheduled::recurrence::load_frames;
use schema::domain::calendar::local_date;
use schema::enums::SubjectKind;
use schema::{Db, Timestamp};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Count subjects that ever reached K events within W days, by the year in which they first did
    Try {
        /// Number of events K
        #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        min: u32,
        /// Days W: the K-th event is less than W days after the first
        #[arg(long, value_name = "W", value_parser = clap::value_parser!(u32).range(1..=100_000))]
        days: u32,
        /// Kind of subjects
        #[arg(long, value_enum, default_value_t = Subject::Officer)]
        subject: Subject,
        /// Events to count: every complaint, or episodes or distinct enterprises of conduct complaints that hold
        #[arg(long, value_enum, default_value_t = What::Complaints)]
        count: What,
        /// List the subjects, with the day on which each first reached it
        #[arg(long)]
        list: bool,
        /// Rules for anonymous complaints and episodes other than the defaults, which are in docs/rules.toml
        #[arg(long, value_name = "RULES.toml")]
        rules: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Subject {
    Officer,
    Branch,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum What {
    Complaints,
    Episodes,
    Enterprises,
}

/// Runs `phananh rules`.
///
/// # Errors
/// If the rules cannot be read, or the database or the output fails.
pub fn run(db: &Db, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    let Command::Try { min, days, subject, count, list, rules } = command;
    let rules = rules.as_deref().map(Rules::load).transpose()?.unwrap_or_default();
    let kind = match subject {
        Subject::Officer => SubjectKind::Officer,
        Subject::Branch => SubjectKind::Branch,
    };
    let count = match count {
        What::Complaints => Count::Complaints,
        What::Episodes => Count::Episodes,
        What::Enterprises => Count::Enterprises,
    };
    // All complaints: none is received later than tomorrow.
    let tomorrow = local_date(Timestamp::now()) + Days::new(1);
    let (frames, _) = load_frames(db, tomorrow, None)?;
    let result = reach(&frames, kind, count, *min, *days, &rules, *list)?;
    let text = |result: &Reach| {
        let years = table(
            &["YEAR", "FIRST REACHED"],
            result.by_year.iter().map(|y| vec![y.year.to_string(), y.subjects.to_string()]),
        );
        let named = result.reached.iter().map(|reached| {
            let rows = reached.iter().map(|one| vec![one.on.to_string(), one.code.clone()]);
            format!("\n\n{}", table(&["REACHED ON", "CODE"], rows))
        });
        format!("{} reached {min} in {days} days\n{years}{}", result.subjects, named.collect::<String>())
    };
    match &result.reached {
        Some(reached) => out.print_document(&result, reached, |_| text(&result))?,
        None => out.print(&result, text)?,
    }
    Ok(ExitCode::SUCCESS)
}
