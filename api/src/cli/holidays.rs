//! The command `holidays`: lists the years of the calendar, and changes those that the register has itself.

use super::output::{Output, print_note, table};
use anyhow::Context;
use schema::Db;
use schema::domain::inert;
use schema::domain::working_days::{Years, years_of};
use schema::register::administration::{
    CalendarYear, ChangedHolidays, HolidaySource, calendar_years, forget_holidays, import_holidays,
};
use schema::register::reference::Change;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the years of public holidays, and where each comes from
    List {
        /// Only this year
        #[arg(long)]
        year: Option<i32>,
    },
    /// Make the years of a file those of the register, and compute deadlines anew
    ///
    /// The file has the form of schema/src/domain/holidays.toml. Its years replace those of the configuration and of
    /// the program; years that it does not name stay as they are.
    Import {
        /// File with years of public holidays
        file: PathBuf,
        /// Why, such as the decision of the government
        #[arg(long)]
        reason: String,
        /// Print what will be done and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Leave a year of the register to the configuration and the program again, and compute deadlines anew
    Remove {
        /// The year
        year: i32,
        /// Why
        #[arg(long)]
        reason: String,
        /// Print what will be done and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// A command whose arguments are read, before a database is opened.
pub enum Plan {
    List { year: Option<i32> },
    Import { years: Years, reason: String, dry_run: bool },
    Remove { year: i32, reason: String, dry_run: bool },
}

impl Command {
    /// Reads the file and checks the reason.
    ///
    /// # Errors
    /// If the file cannot be read or has another form, or the reason is blank or too long.
    pub fn plan(&self) -> anyhow::Result<Plan> {
        let reason =
            |text: &str| inert::name("--reason", text, LONGEST_REASON).map(str::to_owned).map_err(anyhow::Error::msg);
        Ok(match self {
            Self::List { year } => Plan::List { year: *year },
            Self::Import { file, reason: why, dry_run } => {
                Plan::Import { years: years_in(file)?, reason: reason(why)?, dry_run: *dry_run }
            }
            Self::Remove { year, reason: why, dry_run } => {
                Plan::Remove { year: *year, reason: reason(why)?, dry_run: *dry_run }
            }
        })
    }
}

fn years_in(file: &Path) -> anyhow::Result<Years> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let years = years_of(&text).map_err(anyhow::Error::msg).with_context(|| format!("{name} has no holidays"))?;
    anyhow::ensure!(!years.is_empty(), "{name} names no year: write [2028] above the days of a year");
    Ok(years)
}

/// Runs `phananh holidays`.
///
/// # Errors
/// If the register refuses the days, or the database or the output fails.
pub fn run(db: &Db, plan: Plan, out: &Output) -> anyhow::Result<ExitCode> {
    match plan {
        Plan::List { year } => {
            let mut years = db.read(calendar_years)?;
            years.retain(|one| year.is_none_or(|year| one.year == year));
            list(&years, out)?;
        }
        Plan::Import { years, reason, dry_run } => {
            let done = db.write_unless(dry_run, "cli", |tx| import_holidays(tx, years, &reason))?.value;
            tell(&done, dry_run, out)?;
        }
        Plan::Remove { year, reason, dry_run } => {
            let done = db.write_unless(dry_run, "cli", |tx| forget_holidays(tx, year, &reason))?.value;
            tell(&done, dry_run, out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

const fn word_of(source: HolidaySource) -> &'static str {
    match source {
        HolidaySource::Program => "PROGRAM",
        HolidaySource::Configuration => "CONFIGURATION",
        HolidaySource::Register => "REGISTER",
    }
}

fn list(years: &[CalendarYear], out: &Output) -> anyhow::Result<()> {
    let document = |one: &CalendarYear| {
        json!({
            "year": one.year,
            "source": word_of(one.source),
            "daysOff": one.days.off,
            "daysWorked": one.days.worked,
            "reason": one.reason,
        })
    };
    let documents: Vec<Value> = years.iter().map(document).collect();
    out.print(&documents, |_| {
        let days = |days: &[chrono::NaiveDate]| {
            days.iter().map(|day| day.format("%d/%m").to_string()).collect::<Vec<_>>().join(" ")
        };
        let row = |one: &CalendarYear| {
            let reason = one.reason.clone().unwrap_or_else(|| "-".to_owned());
            let [off, worked] = [&one.days.off, &one.days.worked].map(|all| days(all));
            vec![one.year.to_string(), word_of(one.source).to_owned(), off, worked, reason]
        };
        table(&["YEAR", "SOURCE", "DAYS OFF", "DAYS WORKED", "REASON"], years.iter().map(row))
    })
}

/// Says what a change did, or would do.
fn tell(done: &ChangedHolidays, dry_run: bool, out: &Output) -> anyhow::Result<()> {
    let word = |change: Change| match change {
        Change::Created => "CREATED",
        Change::Updated => "UPDATED",
        Change::Unchanged => "UNCHANGED",
    };
    let years: Vec<Value> =
        done.years.iter().map(|(year, change)| json!({ "year": year, "change": word(*change) })).collect();
    let document = json!({ "applied": !dry_run, "years": years, "changedDeadlines": done.deadlines });
    out.print(&document, |_| {
        let rows = done.years.iter().map(|(year, change)| vec![year.to_string(), word(*change).to_owned()]);
        format!("{}\n\ncomplaints with another deadline: {}", table(&["YEAR", "CHANGE"], rows), done.deadlines)
    })?;
    if dry_run {
        print_note("dry run: nothing was written");
    }
    Ok(())
}
