//! The command `webhook`: manages the addresses that get signed messages about alerts and digests.

use super::alerts::reader_of;
use super::output::{Output, print_note, table};
use jobs::notify::endpoints::{self, NewEndpoint};
use jobs::notify::{EVENTS, outbox, secret};
use jobs::runner::settings::Settings;
use schema::Db;
use schema::enums::{Locale, NotificationChannel};
use schema::models::NotificationEndpoint;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add an address, or enable it anew with a new secret; prints the secret that verifies signatures
    Add {
        /// Where messages are sent: https://…
        #[arg(value_name = "URL")]
        url: String,
        /// What it is for
        #[arg(long)]
        name: String,
        /// Event that it gets; repeat it for several [default: all]
        #[arg(long = "event", value_name = "EVENT", value_parser = clap::builder::PossibleValuesParser::new(EVENTS))]
        events: Vec<String>,
        /// Name of a token or an account of the Board, a head of a unit or an ADMIN: send the alerts that it may see
        #[arg(long, value_name = "NAME")]
        reader: Option<String>,
    },
    /// List the addresses
    List,
    /// Print the secret of an address again
    Secret {
        #[arg(value_name = "URL")]
        url: String,
    },
    /// Make a new secret; for 24 hours messages are also signed with the one before
    Rotate {
        #[arg(value_name = "URL")]
        url: String,
    },
    /// Send nothing more to an address, and give up what waits for it
    Disable {
        #[arg(value_name = "URL")]
        url: String,
    },
    /// Send to a disabled address again
    Enable {
        #[arg(value_name = "URL")]
        url: String,
    },
    /// Queue a message that tests an address; the job notify sends it
    Test {
        #[arg(value_name = "URL")]
        url: String,
    },
    /// List the messages to addresses, sent or not, newest first
    Deliveries {
        /// Maximum number of messages
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
    },
}

/// Runs `phananh webhook`.
///
/// # Errors
/// If an argument is refused, there is no such webhook, or the database or the output fails.
pub fn run(db: &Db, settings: &Settings, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    let keys = settings.keys.as_deref();
    let find = |url: &str| db.read(|conn| endpoints::by_address(conn, NotificationChannel::Webhook, url));
    let print_secret = |row: &NotificationEndpoint| -> anyhow::Result<()> {
        let secret = secret(keys, row)?;
        out.print(&json!({ "id": row.id, "address": row.address, "secret": secret }), |_| {
            format!("{}: {secret}", row.address)
        })
    };
    match command {
        Command::Add { url, name, events, reader } => {
            let reader = reader_of(db, reader.as_deref())?;
            let new = NewEndpoint {
                channel: NotificationChannel::Webhook,
                name,
                address: url,
                locale: Locale::Vi,
                events,
                reader: reader.as_ref(),
            };
            let row = db.write("cli", |tx| endpoints::create(tx, keys, settings, &new))?.value;
            print_secret(&row)?;
            if url.starts_with("http://") && settings.webhooks.allow_networks.is_empty() {
                print_note(
                    "note: http is not protected in transit: messages go there only if webhooks.allow_networks in the \
                     configuration of the server permits the address",
                );
            }
        }
        Command::List => {
            let rows = db.read(endpoints::all)?;
            let documents: Vec<Value> = rows.iter().map(document).collect();
            out.print(&documents, |_| {
                let rows = rows.iter().map(|row| {
                    vec![
                        row.channel.to_string(),
                        row.address.clone(),
                        row.name.clone(),
                        endpoints::events_of(row).join(", "),
                        row.disabled_reason.clone().unwrap_or_default(),
                    ]
                });
                table(&["CHANNEL", "ADDRESS", "NAME", "EVENTS", "DISABLED"], rows)
            })?;
        }
        Command::Secret { url } => print_secret(&find(url)?)?,
        Command::Rotate { url } => {
            let id = find(url)?.id;
            let row = db.write("cli", |tx| endpoints::rotate(tx, keys, id))?.value;
            print_secret(&row)?;
        }
        Command::Disable { url } => {
            let id = find(url)?.id;
            let row = db.write("cli", |tx| endpoints::disable(tx, id, "disabled at the command line"))?.value;
            out.print(&document(&row), |_| format!("{} gets nothing more", row.address))?;
        }
        Command::Enable { url } => {
            let id = find(url)?.id;
            let row = db.write("cli", |tx| endpoints::enable(tx, id, settings))?.value;
            out.print(&document(&row), |_| format!("{} gets messages again", row.address))?;
        }
        Command::Test { url } => {
            let id = find(url)?.id;
            let message = db.write("cli", |tx| outbox::post_test(tx, id))?.value;
            out.print(&json!({ "id": message.id }), |_| {
                format!("message {} is queued: `phananh webhook deliveries` tells what becomes of it", message.id)
            })?;
        }
        Command::Deliveries { limit } => {
            let rows = db.read(|conn| outbox::log(conn, *limit))?;
            let documents: Vec<Value> = rows
                .iter()
                .map(|(message, endpoint)| {
                    json!({
                        "id": message.id,
                        "event": message.event,
                        "channel": endpoint.channel,
                        "address": endpoint.address,
                        "state": message.state,
                        "attempts": message.attempts,
                        "status": message.status,
                        "nextAttemptAt": message.next_attempt_at,
                        "sentAt": message.sent_at,
                        "error": message.error,
                    })
                })
                .collect();
            out.print(&documents, |_| {
                let rows = rows.iter().map(|(message, endpoint)| {
                    vec![
                        message.created_at.utc().format("%F %T").to_string(),
                        message.event.clone(),
                        endpoint.address.clone(),
                        message.state.to_string(),
                        message.attempts.to_string(),
                        message.error.clone().unwrap_or_default(),
                    ]
                });
                table(&["CREATED (UTC)", "EVENT", "ADDRESS", "STATE", "TRIES", "ERROR"], rows)
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn document(row: &NotificationEndpoint) -> Value {
    json!({
        "id": row.id,
        "channel": row.channel,
        "address": row.address,
        "name": row.name,
        "events": endpoints::events_of(row),
        "disabledAt": row.disabled_at,
        "disabledReason": row.disabled_reason,
    })
}
