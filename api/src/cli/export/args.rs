//! The options of the command `export`.

use crate::cli::jobs::day;
use crate::cli::reader::Reader;
use crate::export::{Form, Format, Subject};
use crate::http::StatisticsArguments;
use anyhow::{bail, ensure};
use chrono::NaiveDate;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// File, with its format as extension (.csv, .parquet, .arrow, .xlsx); - for standard output; a folder with
    /// --by-month
    pub path: PathBuf,
    /// What to export [default: complaints; with --group-by: statistics]
    #[arg(long, value_enum, value_name = "TABLE")]
    table: Option<Subject>,
    /// Format, if the file name does not show it [default with --by-month: parquet]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Format>,
    /// Begin a CSV file with a byte order mark, which some spreadsheets need to read Vietnamese letters
    #[arg(long)]
    pub bom: bool,
    /// Write one file of complaints per month received, such as month=2026-01/complaints.parquet
    #[arg(long)]
    pub by_month: bool,
    /// Only complaints received on this day or later, or what belongs to them
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub from: Option<NaiveDate>,
    /// Only complaints received on this day or earlier
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub until: Option<NaiveDate>,
    /// Only complaints of this unit and the units below it
    #[arg(long, value_name = "CODE")]
    pub unit: Option<String>,
    /// Only complaints that this filter selects: a ComplaintFilter of the API as JSON, for statistics a
    /// ComplaintStatisticsFilter; or @ and the name of a file with one
    #[arg(long, value_name = "JSON")]
    pub filter: Option<String>,
    /// The groups of statistics: dimensions of complaintStatistics, such as DEPARTMENT,MONTH
    #[arg(long, value_name = "DIMENSION,…")]
    pub group_by: Option<String>,
    /// The numbers of each group of statistics, such as complaints,costVnd [default: all]
    #[arg(long, value_name = "MEASURE,…")]
    pub measures: Option<String>,
    /// Only groups that meet this condition: a StatisticsHaving of the API as JSON, or @ and the name of a file
    #[arg(long, value_name = "JSON")]
    pub having: Option<String>,
    /// The day of statistics by which complaints are open or overdue
    #[arg(long, value_name = "DATE", value_parser = day)]
    pub as_of: Option<NaiveDate>,
    /// The time zone of the periods of statistics, such as Asia/Ho_Chi_Minh
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// Include periods of statistics without complaints
    #[arg(long)]
    pub fill: bool,
    /// Role for which to derive pseudonyms
    #[arg(long = "for", value_name = "ROLE", value_enum, default_value_t)]
    pub reader: Reader,
    /// Include the reference numbers of other registers: with --for BOARD only, under pseudonyms that no other file
    /// has
    #[arg(long)]
    pub references: bool,
}

impl Args {
    /// What to export.
    pub fn subject(&self) -> Subject {
        let of_options = if self.group_by.is_some() { Subject::Statistics } else { Subject::Complaints };
        self.table.unwrap_or(of_options)
    }

    /// # Errors
    /// If neither the file name nor an option shows the format.
    pub fn format(&self) -> anyhow::Result<Format> {
        match self.form.or_else(|| Format::of_path(&self.path)) {
            Some(format) => Ok(format),
            None if self.by_month => Ok(Format::Parquet),
            None => {
                let path = self.path.display();
                bail!("{path}: the name does not show the format: add --as csv, parquet, arrow or xlsx")
            }
        }
    }

    /// The arguments of a statistic; `having` is that of `--having` as JSON.
    pub fn of_statistics(&self, having: Option<String>) -> StatisticsArguments {
        StatisticsArguments {
            group_by: self.group_by.clone(),
            measures: self.measures.clone(),
            having,
            as_of: self.as_of.map(|day| day.to_string()),
            timezone: self.timezone.clone(),
            fill: self.fill.then_some(true),
        }
    }

    /// Whether an option selects complaints.
    pub fn selects(&self) -> bool {
        self.from.is_some() || self.until.is_some() || self.unit.is_some() || self.filter.is_some()
    }

    /// Refuses options that do not go together.
    ///
    /// # Errors
    /// Says which ones, and what to do.
    pub fn check(&self, form: Form, to_output: bool) -> anyhow::Result<()> {
        let subject = self.subject();
        let name = subject.name();
        if let (Some(from), Some(until)) = (self.from, self.until) {
            ensure!(from <= until, "--from {from} lies after --until {until}");
        }
        ensure!(!(to_output && self.by_month), "--by-month writes files: name a folder instead of -");
        ensure!(
            !self.references || self.reader == Reader::Board,
            "--references reveals who is behind the pseudonyms: it is for the Board, add --for BOARD"
        );
        ensure!(!self.bom || form.format == Format::Csv, "--bom is for CSV files");
        if subject == Subject::Statistics {
            ensure!(
                self.group_by.is_some(),
                "statistics need groups: add --group-by with dimensions of complaintStatistics, such as \
                 --group-by DEPARTMENT,MONTH"
            );
        } else {
            ensure!(
                self.of_statistics(self.having.clone()).is_empty(),
                "--group-by, --measures, --having, --as-of, --timezone and --fill are for statistics: add \
                 --table statistics, or leave them out"
            );
        }
        if subject != Subject::Complaints {
            ensure!(!self.by_month, "--by-month is for complaints: leave it out, or leave --table out");
            ensure!(!self.references, "--references is for complaints: {name} has none");
        }
        ensure!(
            !self.selects() || subject.is_of_complaints() || subject == Subject::Statistics,
            "--from, --until, --unit and --filter select complaints, and {name} has all rows: leave them out"
        );
        Ok(())
    }
}
