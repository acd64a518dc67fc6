//! The command `backtest`: precision and recall of past rankings of officers.

use super::output::{Output, print_note, table};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::analyses::backtest::{History, Question, RankingOutcome, backtest};
use schema::Db;
use std::process::ExitCode;

/// Arguments of `backtest`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// First year: its first day is the first origin
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=2200))]
    from: i32,
    /// Last year: its first day is the last origin
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=2200))]
    to: i32,
    /// Days after the origin in which sustained complaints count
    #[arg(long, value_name = "DAYS", default_value_t = 730, value_parser = clap::value_parser!(i32).range(1..=36_500))]
    horizon: i32,
    /// Share of officers that a ranking names, as 5% or 0.05
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    top: f64,
}

fn share(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is not a share: write it as 5% or 0.05");
    let value: f64 = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|value| value / 100.0),
        None => text.parse(),
    }
    .map_err(|_| wrong())?;
    if value > 0.0 && value < 1.0 { Ok(value) } else { Err(wrong()) }
}

/// Runs `phananh backtest`.
///
/// # Errors
/// If the years are in the wrong order or have no officers to rank, or the database or the output fails.
pub fn run(db: &Db, args: &Args, out: &Output) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.from <= args.to, "--from {} lies after --to {}", args.from, args.to);
    let origins: Vec<NaiveDate> =
        (args.from..=args.to).filter_map(|year| NaiveDate::from_ymd_opt(year, 1, 1)).collect();
    let history = db.read_snapshot(|conn| History::load(conn, None)).context("the history of the register")?;
    let outcomes = backtest(&history, &Question { origins, horizon: args.horizon, top: args.top })?;
    anyhow::ensure!(
        !outcomes.is_empty(),
        "no officer has a complaint before these years: take later years or a larger --top"
    );
    let early: Vec<&RankingOutcome> = outcomes.iter().filter(|one| one.observed_days < args.horizon).collect();
    if let (Some(first), Some(observed)) = (early.first(), early.iter().map(|one| one.observed_days).min()) {
        print_note(format_args!(
            "warning: the horizon of {} days is not over for the origins from {} on (of the last one {observed} days are in \
             the register): later complaints are missing, and what was found is too little; take an earlier --to or a \
             shorter --horizon",
            args.horizon, first.origin
        ));
    }
    out.print_rows(&outcomes, |outcomes| {
        let percent = |value: f64| format!("{:.1} %", 100.0 * value);
        table(
            &["ORIGIN", "RANKING", "NAMED", "FOUND", "PRECISION", "RECALL", "95 %", "LIFT", "OVER PLAIN", "95 %"],
            outcomes.iter().map(|one| {
                vec![
                    one.origin.to_string(),
                    one.ranking.to_owned(),
                    format!("{} of {}", one.named, one.population),
                    format!("{:.1} of {}", one.found, one.later_sustained),
                    percent(one.precision),
                    percent(one.recall),
                    format!("{}-{}", percent(one.recall_lower), percent(one.recall_upper)),
                    format!("{:.2}", one.lift),
                    format!("{:.3}", one.over_plain),
                    format!("{:.3}-{:.3}", one.over_plain_lower, one.over_plain_upper),
                ]
            }),
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
