use super::output::{Output, table};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::flags::{self, Stored};
use jobs::ledger;
use jobs::recurrence::Rules;
use jobs::work::recurrence::{KnownAt, numbers, reproduce};
use schema::enums::SubjectKind;
use schema::{Db, Id};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use uuid::Uuid;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// All flags, one for each subject
    List,
    /// One flag: its numbers, reasons, evidence, rules and hash
    Show {
        /// The id of a flag, or the code of an officer or branch
        id: String,
    },
    /// What a run would compute of everybody, also of those who are not flagged; nothing is stored
    Numbers {
        /// The day for which; yesterday unless told
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        as_of: Option<NaiveDate>,
        /// Rules other than the defaults (docs/rules.toml has these)
        #[arg(long, value_name = "RULES.toml")]
        rules: Option<PathBuf>,
        /// Who is looked at
        #[arg(long, value_enum, default_value_t = Who::Officer)]
        subject: Who,
    },
    /// Derive a run again from the register and compare
    Reproduce {
        /// The id of a run: `phananh jobs history` lists them
        #[arg(value_parser = run_id)]
        run: Uuid,
        /// The position that the register is taken at: that of the run, unless told; `now`, or a number
        #[arg(long, value_name = "POSITION", value_parser = known_at)]
        known_at: Option<KnownAt>,
    },
}

/// Officers or branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Who {
    Officer,
    Branch,
}

impl From<Who> for SubjectKind {
    fn from(who: Who) -> Self {
        match who {
            Who::Officer => Self::Officer,
            Who::Branch => Self::Branch,
        }
    }
}

fn run_id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| format!("{text:?} is no id of a run: `phananh jobs history` lists them"))
}

fn known_at(text: &str) -> Result<KnownAt, String> {
    if text == "now" {
        return Ok(KnownAt::Now);
    }
    match text.parse() {
        Ok(position) if position >= 0 => Ok(KnownAt::Position(position)),
        _ => Err(format!("{text:?} is neither `now` nor a position")),
    }
}

pub fn run(db: &Db, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::List => {
            let all = db.read(flags::all)?;
            let documents: Vec<Value> = all.iter().map(document).collect();
            out.print(&documents, |_| {
                if all.is_empty() {
                    return "nobody is flagged: `phananh jobs run recurrence` looks".to_owned();
                }
                table(
                    &["SUBJECT", "CODE", "TIER", "STATE", "D 365", "FLAG"],
                    all.iter().map(|stored| {
                        vec![
                            stored.flag.subject_kind.to_string(),
                            stored.code.clone(),
                            stored.flag.tier.to_string(),
                            stored.flag.state.to_string(),
                            stored.assessment.numbers.0["windows"][3]["enterprises"].to_string(),
                            stored.flag.id.to_string(),
                        ]
                    }),
                )
            })?;
        }
        Command::Show { id } => show(db, id, out)?,
        Command::Numbers { as_of, rules, subject } => {
            let rules = rules.as_deref().map(Rules::load).transpose()?.unwrap_or_default();
            let as_of = as_of.map_or_else(super::jobs::yesterday, Ok)?;
            let numbers = numbers(db, as_of, &rules, (*subject).into())?;
            if numbers.subjects.is_empty() {
                super::output::tell("nobody has exposure: there are no numbers but counts, which `flags show` has");
            }
            out.print_document(&numbers, &numbers.subjects, |rows| {
                let short = |value: f64| format!("{value:.4}");
                table(
                    &["CODE", "O", "EXPOSURE", "E", "O/E", "95 %", "Q", "EBGM", "EB05"],
                    rows.iter().map(|row| {
                        vec![
                            row.code.clone(),
                            row.observed.to_string(),
                            format!("{:.0}", row.exposure),
                            short(row.expected),
                            short(row.ratio),
                            format!("{:.2}-{:.2}", row.lower, row.upper),
                            format!("{:.2e}", row.q),
                            short(row.ebgm),
                            short(row.eb05),
                        ]
                    }),
                )
            })?;
        }
        Command::Reproduce { run, known_at } => {
            let result = reproduce(db, Id(*run), known_at.unwrap_or(KnownAt::Recorded))?;
            out.print(&result, |result| match &result.first_difference {
                None => format!("reproduced: {}", result.derived_hash),
                Some(first) => format!(
                    "differs first in {first}\nrecorded {}\nderived  {}",
                    result.recorded_hash, result.derived_hash
                ),
            })?;
            if !result.reproduced {
                return Ok(ExitCode::from(1));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(db: &Db, id: &str, out: &Output) -> anyhow::Result<()> {
    let all = db.read(flags::all)?;
    let matching: Vec<&Stored> =
        all.iter().filter(|stored| stored.code == id || stored.flag.id.to_string() == id).collect();
    let stored = match matching[..] {
        [] => anyhow::bail!("there is no flag {id:?}: `phananh flags list` lists them"),
        [one] => one,
        _ => anyhow::bail!("{id:?} is the code of an officer and of a branch: name the flag by its id"),
    };
    let run = db.read(|conn| ledger::find(conn, stored.flag.run_id)).context("the run of the flag")?;
    let mut full = document(stored);
    full["asOf"] = json!(run.as_of);
    full["rules"] = json!(run.rules);
    full["codeVersion"] = json!(run.code_version);
    full["hash"] = json!(run.result_hash);
    out.print(&full, |full| {
        let windows = full["numbers"]["windows"].as_array().cloned().unwrap_or_default();
        let header = ["DAYS", "COMPLAINTS", "EPISODES", "ENTERPRISES", "CONFIRMED", "W/O NOT SUSTAINED", "ANONYMOUS", "SERIOUS"];
        let fields =
            ["days", "complaints", "episodes", "enterprises", "enterprisesConfirmed", "enterprisesWithoutNotSustained", "anonymous", "serious"];
        let rows = windows.iter().map(|window| fields.iter().map(|field| window[*field].to_string()).collect());
        let evidence = full["evidence"].as_array().cloned().unwrap_or_default();
        let evidence: Vec<_> = evidence.iter().filter_map(Value::as_str).collect();
        format!(
            "{} {}: {} ({})\n{}\n{}\n\n{}\n\nunadjusted for workload; as of {}, known at {}\nevidence: {}\nrules {}\nrun {}, code {}, hash {}",
            stored.flag.subject_kind,
            stored.code,
            stored.flag.tier,
            stored.flag.state,
            stored.assessment.reason_vi,
            stored.assessment.reason_en,
            table(&header, rows),
            run.as_of.map(|day| day.to_string()).unwrap_or_default(),
            run.known_at.unwrap_or_default(),
            evidence.join(" "),
            full["rules"],
            run.id,
            run.code_version,
            run.result_hash.as_deref().unwrap_or_default()
        )
    })
}

fn document(stored: &Stored) -> Value {
    json!({
        "id": stored.flag.id,
        "subject": { "kind": stored.flag.subject_kind, "code": stored.code },
        "tier": stored.flag.tier,
        "state": stored.flag.state,
        "run": stored.flag.run_id,
        "openedAt": stored.flag.opened_at,
        "changedAt": stored.flag.changed_at,
        "numbers": stored.assessment.numbers,
        "reasonVi": stored.assessment.reason_vi,
        "reasonEn": stored.assessment.reason_en,
        "evidence": stored.assessment.evidence,
    })
}
