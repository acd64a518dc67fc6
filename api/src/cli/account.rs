//! The command `account`: lists the accounts of another issuer, and disables and enables them.

use super::output::{Output, table};
use jobs::digest::reader::AccountRule;
use jobs::runner::settings::Settings;
use schema::models::Principal;
use schema::register::accounts::{accounts, disable_account, enable_account};
use schema::{Db, Timestamp, queries};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the accounts that have signed in, with what their issuer last asserted
    List,
    /// Disable an account: it cannot sign in, its sessions end, and nothing is sent to it
    Disable {
        /// Name of the account, such as jwt:SUBJECT
        #[arg(long)]
        name: String,
    },
    /// Enable an account that was disabled
    Enable {
        /// Name of the account, such as jwt:SUBJECT
        #[arg(long)]
        name: String,
    },
}

/// Runs `phananh account`.
///
/// # Errors
/// If the register has no such account, or the database or the output fails.
pub fn run(db: &Db, settings: &Settings, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::List => list(db, settings, out)?,
        Command::Disable { name } => {
            let account = db.write("cli", |tx| disable_account(tx, name))?.value;
            out.print(&json!({ "name": account.name, "disabledAt": account.disabled_at }), |_| {
                format!("{name} is disabled")
            })?;
        }
        Command::Enable { name } => {
            let account = db.write("cli", |tx| enable_account(tx, name))?.value;
            out.print(&json!({ "name": account.name, "disabledAt": account.disabled_at }), |_| {
                format!("{name} may sign in again")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(db: &Db, settings: &Settings, out: &Output) -> anyhow::Result<()> {
    let rule = AccountRule::of(settings);
    let rows = db.read(accounts)?;
    let documents = rows.iter().map(|row| account_json(db, &rule, row)).collect::<anyhow::Result<Vec<Value>>>()?;
    let day = |moment: Option<Timestamp>| moment.map_or_else(String::new, |at| at.utc().format("%F %T").to_string());
    out.print(&documents, |_| {
        let lines = rows.iter().zip(&documents).map(|(row, document)| {
            vec![
                row.name.clone(),
                row.role.to_string(),
                document["unit"].as_str().unwrap_or_default().to_owned(),
                row.issuer.clone().unwrap_or_default(),
                day(row.asserted_at),
                day(rule.until(row)),
                day(row.disabled_at),
            ]
        });
        table(&["NAME", "ROLE", "UNIT", "ISSUER", "SIGNED IN (UTC)", "DIGESTS UNTIL (UTC)", "DISABLED (UTC)"], lines)
    })
}

fn account_json(db: &Db, rule: &AccountRule, row: &Principal) -> anyhow::Result<Value> {
    let unit = match row.unit_id {
        Some(unit) => db.read(|conn| queries::unit_by_id(conn, unit))?.map(|unit| unit.code),
        None => None,
    };
    Ok(json!({
        "name": row.name,
        "role": row.role,
        "unit": unit,
        "issuer": row.issuer,
        "subject": row.subject,
        "assertedAt": row.asserted_at,
        "digestsUntil": rule.until(row),
        "disabledAt": row.disabled_at,
    }))
}
