//! The command `token`: creates and revokes tokens, and fills the allow-lists of operations.

use super::output::Output;
use crate::access::signatures;
use anyhow::Context;
use schema::enums::Role;
use schema::register::access::{Holder, create_token, revoke_tokens, trust_operations};
use schema::{Db, Timestamp};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Create a token; it is shown only once
    Create {
        /// Name of the person or program that uses it
        #[arg(long)]
        name: String,
        /// Role of the token
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(Role::WORDS))]
        role: String,
        /// Unit of a UNIT_HEAD
        #[arg(long, value_name = "CODE")]
        unit: Option<String>,
        /// Officer that the token belongs to: complaints that name the officer are withheld from it
        #[arg(long, value_name = "CODE")]
        officer: Option<String>,
        /// The data shown to the token leaves the organisation: groups of a DASHBOARD must be larger (10 complaints
        /// instead of 5)
        #[arg(long)]
        outside: bool,
        /// Days until it expires [default: never]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires_in: Option<u32>,
    },
    /// Add the operations in GraphQL files to the allow-list of a name
    ///
    /// Roles named in the configuration (api.trusted_operations) may run only operations on it. White space, comments
    /// and the order of fields do not matter.
    Trust {
        /// Name of the token
        #[arg(long)]
        name: String,
        /// Documents with one operation or more
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Revoke all tokens of a name
    Revoke {
        /// Name of the tokens
        #[arg(long)]
        name: String,
    },
}

impl Command {
    /// Whether the command may create a register: the first token may come before anything else.
    pub const fn makes_one(&self) -> bool {
        matches!(self, Self::Create { .. })
    }
}

/// Runs `phananh token`.
///
/// # Errors
/// If an argument is refused, there is no such token, or the database or the output fails.
pub fn run(db: &Db, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { name, role, unit, officer, outside, expires_in } => {
            let role: Role = role.parse()?;
            let in_days = |days: &u32| chrono::TimeDelta::days(i64::from(*days));
            let expires = expires_in.as_ref().map(|days| Timestamp::from(Timestamp::now().utc() + in_days(days)));
            let (unit, officer) = (unit.as_deref(), officer.as_deref());
            let holder = Holder { name, role, unit, officer, outside: *outside };
            let token = db.write("cli", |tx| create_token(tx, holder, expires))?.value;
            out.print(&json!({ "token": token }), |_| token.clone())?;
        }
        Command::Trust { name, files } => {
            let mut operations = Vec::new();
            for file in files {
                let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
                let found = signatures(&text).with_context(|| format!("{} is not GraphQL", file.display()))?;
                operations.extend(found.into_iter().map(|(name, signature)| (signature, name, text.clone())));
            }
            let added = db.write("cli", |tx| trust_operations(tx, name, &operations))?.value;
            let existing = operations.len() - added;
            out.print(&json!({ "added": added, "known": existing }), |_| {
                format!("{added} added, {existing} known already")
            })?;
        }
        Command::Revoke { name } => {
            let revoked = db.write("cli", |tx| revoke_tokens(tx, name))?.value;
            anyhow::ensure!(
                revoked > 0,
                "{name:?} has no token that is valid: the query `principals` lists the tokens"
            );
            out.print(&json!({ "revoked": revoked }), |_| format!("{revoked} revoked"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
