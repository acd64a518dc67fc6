//! The command `digest`: previews digests and manages subscriptions and deliveries.

use super::output::{Output, print_note, table};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::digest::{address, before, document, outbox, render};
use jobs::runner::settings::Settings;
use schema::Db;
use schema::enums::{DeliveryChannel, Locale};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Write a digest to a folder, without storing or sending it
    Preview {
        #[arg(long, value_parser = locale)]
        locale: Locale,
        /// Last day of the digest [default: yesterday]
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        as_of: Option<NaiveDate>,
        /// Folder for digest.html, digest.txt and digest.json
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Send the digests to a mail address or a folder
    Subscribe {
        #[command(flatten)]
        to: Recipient,
        #[arg(long, value_parser = locale)]
        locale: Locale,
    },
    /// End a subscription
    Unsubscribe {
        #[command(flatten)]
        to: Recipient,
    },
    /// List the subscriptions
    Subscriptions,
    /// Retry deliveries that were given up
    Retry,
    /// List the deliveries, sent or not, newest first
    Deliveries {
        /// Maximum number of deliveries
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
    },
}

impl Command {
    /// Whether the command may create a register.
    pub const fn prepares(&self) -> bool {
        matches!(self, Self::Subscribe { .. })
    }
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Recipient {
    /// Mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Folder that the server can write to
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Recipient {
    fn of(&self) -> anyhow::Result<(DeliveryChannel, String)> {
        match (&self.email, &self.folder) {
            (Some(address), _) => {
                address::check(DeliveryChannel::Email, address).map_err(anyhow::Error::msg)?;
                Ok((DeliveryChannel::Email, address.clone()))
            }
            (None, Some(folder)) => {
                // The server may run in another working directory or on another machine: store the absolute path.
                let folder = std::path::absolute(folder)?;
                if !folder.is_dir() {
                    print_note(format_args!(
                        "there is no folder {} on this machine: create it where the server runs",
                        folder.display()
                    ));
                }
                Ok((DeliveryChannel::Folder, folder.display().to_string()))
            }
            (None, None) => anyhow::bail!("name an address or a folder"),
        }
    }
}

fn locale(text: &str) -> Result<Locale, String> {
    text.parse().map_err(|_| format!("{text:?} is not a language of digests: write vi or en"))
}

/// Why mail is not sent from this configuration.
const NO_SERVER: &str = "the configuration (--config) has no [smtp]: only a server with one sends mail";

pub fn run(db: &Db, settings: &Settings, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Preview { locale, as_of, out: folder } => {
            let as_of = as_of.map_or_else(super::jobs::yesterday, Ok)?;
            preview(db, *locale, as_of, folder, out)?;
        }
        Command::Subscribe { to, locale } => {
            let (channel, address) = to.of()?;
            let row = db.write("cli", |tx| outbox::subscribe(tx, channel, &address, *locale))?.value;
            out.print(&json!({ "channel": row.channel, "address": row.address, "locale": row.locale }), |_| {
                format!("{} will receive the digests in {}", row.address, row.locale)
            })?;
            if channel == DeliveryChannel::Email && settings.smtp.is_none() {
                print_note(format_args!("note: {NO_SERVER}"));
            }
        }
        Command::Unsubscribe { to } => {
            let (channel, address) = to.of()?;
            db.write("cli", |tx| outbox::unsubscribe(tx, channel, &address))?;
            out.print(&json!({ "channel": channel, "address": address }), |_| {
                format!("{address} will receive no more digests")
            })?;
        }
        Command::Subscriptions => {
            let rows = db.read(outbox::subscriptions)?;
            let documents: Vec<Value> = rows
                .iter()
                .map(|row| json!({ "channel": row.channel, "address": row.address, "locale": row.locale }))
                .collect();
            out.print(&documents, |_| {
                let rows =
                    rows.iter().map(|row| vec![row.channel.to_string(), row.address.clone(), row.locale.to_string()]);
                table(&["CHANNEL", "ADDRESS", "LANGUAGE"], rows)
            })?;
        }
        Command::Retry => {
            let posted = db.write("cli", outbox::retry)?.value;
            out.print(&json!({ "posted": posted }), |_| format!("{posted} deliveries are queued again"))?;
        }
        Command::Deliveries { limit } => {
            let waiting = db.read(outbox::waiting_for_mail)?;
            if waiting > 0 && settings.smtp.is_none() {
                print_note(format_args!("note: {waiting} deliveries wait for a mail server: {NO_SERVER}"));
            }
            let rows = db.read(|conn| outbox::log(conn, *limit))?;
            let documents: Vec<Value> = rows
                .iter()
                .map(|(delivery, digest, recipient)| {
                    json!({
                        "digest": digest.id,
                        "asOf": digest.as_of,
                        "locale": digest.locale,
                        "channel": recipient.channel,
                        "address": recipient.address,
                        "state": delivery.state,
                        "attempts": delivery.attempts,
                        "sentAt": delivery.sent_at,
                        "error": delivery.error,
                    })
                })
                .collect();
            out.print(&documents, |_| {
                let rows = rows.iter().map(|(delivery, digest, recipient)| {
                    vec![
                        digest.as_of.to_string(),
                        digest.locale.to_string(),
                        recipient.address.clone(),
                        delivery.state.to_string(),
                        delivery.attempts.to_string(),
                        delivery.error.clone().unwrap_or_default(),
                    ]
                });
                table(&["AS OF", "LANGUAGE", "ADDRESS", "STATE", "TRIES", "ERROR"], rows)
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn preview(db: &Db, locale: Locale, as_of: NaiveDate, folder: &Path, out: &Output) -> anyhow::Result<()> {
    let document = db.read_snapshot(|conn| {
        let previous = before(conn, as_of, locale)?;
        document(conn, as_of, previous.as_ref().map(|(_, document)| document))
    })?;
    let rendered = render(&document, locale)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let json = serde_json::to_string_pretty(&document)?;
    for (name, text) in [("digest.html", &rendered.html), ("digest.txt", &rendered.text), ("digest.json", &json)] {
        let path = folder.join(name);
        schema::files::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let summary = json!({ "subject": rendered.subject, "asOf": as_of, "locale": locale, "folder": folder });
    out.print(&summary, |_| format!("{}\nwritten to {}", rendered.subject, folder.display()))
}
