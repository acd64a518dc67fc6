//! The command `routing`: lists the rules that say which unit has to answer, and changes them.

use super::output::{Output, print_note, table};
use chrono::NaiveDate;
use schema::domain::calendar::is_valid_on;
use schema::enums::CategoryKind;
use schema::models::{IssueCategory, RoutingRule, UNKNOWN_START, Unit};
use schema::register::reference::Stored;
use schema::register::{NewRule, end_rule, put_rule, rules};
use schema::{Conn, Db, Id, StoreError};
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List routing rules, those with the latest beginning first
    List {
        /// Only rules in force on this day
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        on: Option<NaiveDate>,
    },
    /// Store a rule, new or in place of another one; it needs a category, a kind or a unit
    ///
    /// It counts for complaints that come in from now on or are classified anew. Those that are routed keep their unit.
    Put(PutArgs),
    /// Give a rule a last day
    End {
        /// Id of the rule: `phananh routing list` shows it
        #[arg(value_parser = rule_id)]
        id: Id,
        /// The last day of receipt for which the rule counts
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        on: NaiveDate,
        /// Print what will be done and change nothing
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, clap::Args)]
pub struct PutArgs {
    /// Id of the rule to replace [default: a new rule]
    #[arg(long, value_parser = rule_id)]
    id: Option<Id>,
    /// Complaints of this category, or of one below it
    #[arg(long, value_name = "CODE")]
    category: Option<String>,
    /// Complaints of categories of this kind
    #[arg(long, value_parser = kind)]
    kind: Option<CategoryKind>,
    /// Complaints about this unit, or about one below it
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// The unit that has to answer [default: the branch complained about]
    #[arg(long, value_name = "CODE")]
    responsible_unit: Option<String>,
    /// The first day of receipt [default: no beginning]
    #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
    from: Option<NaiveDate>,
    /// The last day of receipt [default: no end]
    #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
    until: Option<NaiveDate>,
    /// Print what will be done and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `phananh routing`.
///
/// # Errors
/// If an argument or a rule is refused, or the database or the output fails.
pub fn run(db: &Db, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { on } => {
            let listed = db.read(|conn: &mut Conn| -> Result<Vec<Rule>, StoreError> {
                let mut all = rules(conn)?;
                all.retain(|rule| on.is_none_or(|on| is_valid_on(on, rule.valid_from, rule.valid_to)));
                with_codes(conn, &all)
            })?;
            out.print_rows(&listed, rules_table)?;
        }
        Command::Put(args) => {
            if let (Some(from), Some(until)) = (args.from, args.until) {
                anyhow::ensure!(from <= until, "--from {from} lies after --until {until}");
            }
            let code = |code: Option<&String>| code.map(|code| code.trim().to_owned());
            let new = NewRule {
                id: args.id,
                category: code(args.category.as_ref()),
                kind: args.kind,
                unit: code(args.unit.as_ref()),
                responsible_unit: code(args.responsible_unit.as_ref()),
                valid_from: args.from.unwrap_or(UNKNOWN_START),
                valid_to: args.until,
            };
            let done = db.write_unless(args.dry_run, "cli", |tx| {
                let rule = put_rule(tx, &new)?;
                with_codes(tx.conn, &[rule])
            })?;
            tell(&done.value, args.dry_run, out)?;
        }
        Command::End { id, on, dry_run } => {
            let done = db.write_unless(*dry_run, "cli", |tx| {
                let rule = end_rule(tx, *id, *on)?;
                with_codes(tx.conn, &[rule])
            })?;
            tell(&done.value, *dry_run, out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn rule_id(text: &str) -> Result<Id, String> {
    text.parse().map_err(|_| format!("{text:?} is not the id of a rule: `phananh routing list` lists them"))
}

fn kind(text: &str) -> Result<CategoryKind, String> {
    let words = CategoryKind::WORDS.join(", ");
    text.parse().map_err(|_| format!("{text:?} is not a kind of categories: write one of {words}"))
}

/// A rule with codes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: Id,
    category: Option<String>,
    kind: Option<&'static str>,
    unit: Option<String>,
    /// None for the branch complained about.
    responsible_unit: Option<String>,
    valid_from: Option<NaiveDate>,
    valid_to: Option<NaiveDate>,
}

fn with_codes(conn: &mut Conn, rules: &[RoutingRule]) -> Result<Vec<Rule>, StoreError> {
    let categories: Vec<Id> = rules.iter().filter_map(|rule| rule.category_id).collect();
    let units: Vec<Id> = rules.iter().flat_map(|rule| [rule.unit_id, rule.responsible_unit_id]).flatten().collect();
    let (categories, units) = (IssueCategory::load(conn, &categories)?, Unit::load(conn, &units)?);
    let unit = |id: Option<Id>| units.get(&id?).map(|unit| unit.code.clone());
    let rule = |rule: &RoutingRule| Rule {
        id: rule.id,
        category: rule.category_id.and_then(|id| categories.get(&id)).map(|category| category.code.clone()),
        kind: rule.kind.map(CategoryKind::as_str),
        unit: unit(rule.unit_id),
        responsible_unit: unit(rule.responsible_unit_id),
        valid_from: Some(rule.valid_from).filter(|from| *from != UNKNOWN_START),
        valid_to: rule.valid_to,
    };
    Ok(rules.iter().map(rule).collect())
}

fn rules_table(rules: &[Rule]) -> String {
    let row = |rule: &Rule| {
        let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
        let day = |day: Option<NaiveDate>| day.map_or_else(|| "-".to_owned(), |day| day.to_string());
        vec![
            rule.id.to_string(),
            or_dash(rule.category.as_deref()),
            or_dash(rule.kind),
            or_dash(rule.unit.as_deref()),
            rule.responsible_unit.as_deref().unwrap_or("the branch").to_owned(),
            day(rule.valid_from),
            day(rule.valid_to),
        ]
    };
    table(&["ID", "CATEGORY", "KIND", "UNIT", "ANSWERS", "FROM", "UNTIL"], rules.iter().map(row))
}

/// Says what a change stored, or would store.
fn tell(changed: &[Rule], dry_run: bool, out: &Output) -> anyhow::Result<()> {
    let document = json!({ "applied": !dry_run, "rule": changed.first() });
    out.print(&document, |_| rules_table(changed))?;
    if dry_run {
        print_note("dry run: nothing was written");
    }
    Ok(())
}
