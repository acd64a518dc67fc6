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
    /// Make a token; it is shown once and cannot be shown again
    Create {
        /// Who uses it
        #[arg(long)]
        name: String,
        /// What it may do
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(Role::WORDS))]
        role: String,
        /// The unit of a UNIT_HEAD
        #[arg(long, value_name = "CODE")]
        unit: Option<String>,
        /// The officer that it is: what names this one is kept from it
        #[arg(long, value_name = "CODE")]
        officer: Option<String>,
        /// What it is shown leaves the house: a DASHBOARD's groups have to be larger then (10 complaints instead of 5)
        #[arg(long)]
        outside: bool,
        /// Days until it expires; without it, never
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires_in: Option<u32>,
    },
    /// Put the operations of GraphQL files on the allow-list of a name
    ///
    /// Roles that the configuration names (api.trusted_operations) run only what is on it. White space,
    /// comments and the order of fields do not matter.
    Trust {
        /// Whose
        #[arg(long)]
        name: String,
        /// Documents with one operation or more
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// End all tokens of a name
    Revoke {
        /// Whose
        #[arg(long)]
        name: String,
    },
}

impl Command {
    /// The first token may be made before anything else is there.
    pub const fn makes_one(&self) -> bool {
        matches!(self, Self::Create { .. })
    }
}

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
                let found = signatures(&text).with_context(|| format!("{} is no GraphQL", file.display()))?;
                operations.extend(found.into_iter().map(|(name, signature)| (signature, name, text.clone())));
            }
            let added = db.write("cli", |tx| trust_operations(tx, name, &operations))?.value;
            let known = operations.len() - added;
            out.print(&json!({ "added": added, "known": known }), |_| format!("{added} added, {known} known already"))?;
        }
        Command::Revoke { name } => {
            let revoked = db.write("cli", |tx| revoke_tokens(tx, name))?.value;
            anyhow::ensure!(revoked > 0, "{name:?} has no token that is valid");
            out.print(&json!({ "revoked": revoked }), |_| format!("{revoked} revoked"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
