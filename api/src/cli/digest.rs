//! The command `digest`: previews digests and manages subscriptions and deliveries.

mod wish;

use super::output::{Output, print_note, table};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::digest::address::{self, check_domain};
use jobs::digest::reader::{self, AccountRule, Composed, Made, compose, sections_of, send_on_trial};
use jobs::digest::{DigestDocument, Rendered, before, document, files, outbox, parts, render};
use jobs::runner::job::Context as JobContext;
use jobs::runner::settings::Settings;
use jobs::scheduled::REGISTRY;
use jobs::snapshot::{Reference, Snapshot};
use schema::enums::{DeliveryChannel, Locale};
use schema::models::DigestSubscription;
use schema::{Db, queries};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Write a digest to a folder, without storing or sending it
    Preview {
        /// Language of the Board's digest: vi or en
        #[arg(long, value_parser = locale, required_unless_present = "address")]
        locale: Option<Locale>,
        /// Address or folder of a subscription with a reader: write what this reader would get
        #[arg(long = "for", id = "address", value_name = "ADDRESS", conflicts_with = "locale")]
        address: Option<String>,
        /// Last day of the digest [default: yesterday]
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        as_of: Option<NaiveDate>,
        /// Folder for digest.html with its pictures, digest.txt, digest.json and digest.xlsx
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Send the digests to a mail address or a folder
    Subscribe {
        #[command(flatten)]
        to: Recipient,
        /// Language of the digests: vi or en
        #[arg(long, value_parser = locale)]
        locale: Locale,
        #[command(flatten)]
        wish: wish::Args,
    },
    /// Send the digest that a subscription with a reader would get now, marked as a test
    Test {
        #[command(flatten)]
        to: Recipient,
        /// Last day of the digest [default: yesterday]
        #[arg(long, value_name = "DATE", value_parser = super::jobs::day)]
        as_of: Option<NaiveDate>,
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
    fn destination(&self) -> anyhow::Result<(DeliveryChannel, String)> {
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

/// The reason why mail is not sent from this configuration.
const NO_SERVER: &str = "the configuration (--config) has no [smtp]: only a server with one sends mail";

/// Runs `phananh digest`.
///
/// # Errors
/// If an argument is refused, a digest cannot be made, or the database or the output fails.
pub fn run(db: &Db, settings: &Settings, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::Preview { locale, address, as_of, out: folder } => {
            let as_of = as_of.map_or_else(super::jobs::yesterday, Ok)?;
            match (address, locale) {
                (Some(address), _) => preview_of_reader(db, settings, address, as_of, folder, out)?,
                (None, Some(locale)) => preview(db, settings, *locale, as_of, folder, out)?,
                (None, None) => anyhow::bail!("name a language (--locale) or a subscription (--for)"),
            }
        }
        Command::Subscribe { to, locale, wish } => {
            let (channel, address) = to.destination()?;
            let row = match wish.for_reader(channel, &address, *locale) {
                Some((name, wish)) => wish::subscribe(db, settings, &name, wish)?,
                None => {
                    check_domain(channel, &address, &settings.digests.domains).map_err(anyhow::Error::msg)?;
                    db.write("cli", |tx| outbox::subscribe(tx, channel, &address, *locale))?.value
                }
            };
            out.print(&subscription_json(db, &row, &State::load(db, settings)?)?, |_| {
                format!("{} will receive the digests in {}", row.address, row.locale)
            })?;
            if channel == DeliveryChannel::Email && settings.smtp.is_none() {
                print_note(format_args!("note: {NO_SERVER}"));
            }
        }
        Command::Test { to, as_of } => {
            let as_of = as_of.map_or_else(super::jobs::yesterday, Ok)?;
            let (_, address) = to.destination()?;
            let (subscription, made) = composed(db, settings, &address, as_of)?;
            send_on_trial(settings, &subscription, &made)?;
            out.print(&json!({ "address": subscription.address, "subject": made.rendered.subject }), |_| {
                format!("sent to {}: {}", subscription.address, made.rendered.subject)
            })?;
        }
        Command::Unsubscribe { to } => {
            let (channel, address) = to.destination()?;
            db.write("cli", |tx| outbox::unsubscribe(tx, channel, &address))?;
            out.print(&json!({ "channel": channel, "address": address }), |_| {
                format!("{address} will receive no more digests")
            })?;
        }
        Command::Subscriptions => {
            let rows = db.read(outbox::subscriptions)?;
            let state = State::load(db, settings)?;
            let documents =
                rows.iter().map(|row| subscription_json(db, row, &state)).collect::<anyhow::Result<Vec<Value>>>()?;
            out.print(&documents, |_| {
                let lines = rows.iter().zip(&documents).map(|(row, document)| {
                    let text = |field: &str| document[field].as_str().unwrap_or_default().to_owned();
                    vec![
                        row.channel.to_string(),
                        row.address.clone(),
                        row.locale.to_string(),
                        text("reader"),
                        text("unit"),
                        text("schedule"),
                        text("suspended"),
                    ]
                });
                table(&["CHANNEL", "ADDRESS", "LANGUAGE", "READER", "UNIT", "SCHEDULE", "SENT NOTHING"], lines)
            })?;
        }
        Command::Retry => {
            let posted = db.write("cli", |tx| Ok(outbox::retry(tx)? + reader::outbox::retry(tx)?))?.value;
            out.print(&json!({ "posted": posted }), |_| format!("{posted} deliveries are queued again"))?;
        }
        Command::Deliveries { limit } => deliveries(db, settings, *limit, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The state that decides whether readers are sent digests.
struct State {
    reference: Reference,
    rule: AccountRule,
}

impl State {
    fn load(db: &Db, settings: &Settings) -> anyhow::Result<Self> {
        let reference = db.read(|conn| Ok(Reference::load(conn)))??;
        Ok(Self { reference, rule: AccountRule::of(settings) })
    }
}

/// A subscription as JSON: one without a reader has the fields that it always had.
fn subscription_json(db: &Db, row: &DigestSubscription, state: &State) -> anyhow::Result<Value> {
    let mut document = json!({ "channel": row.channel, "address": row.address, "locale": row.locale });
    let Some(principal) = row.principal_id else { return Ok(document) };
    let principal = db.read(|conn| queries::principal_by_id(conn, principal))?;
    let standing = db.read(|conn| reader::current_reader(conn, &state.reference.tree, &state.rule, row))?;
    let unit = match row.unit_id {
        Some(unit) => db.read(|conn| queries::unit_by_id(conn, unit))?.map(|unit| unit.code),
        None => None,
    };
    let more = json!({
        "reader": principal.as_ref().map(|principal| &principal.name),
        "issuer": principal.as_ref().and_then(|principal| principal.issuer.as_ref()),
        "role": row.role,
        "unit": unit,
        "sections": sections_of(row),
        "schedule": row.schedule,
        "timezone": row.timezone,
        "condition": row.condition,
        "minOverdue": row.min_overdue,
        "quietUntil": row.quiet_until,
        "signInBy": principal.as_ref().and_then(|principal| state.rule.until(principal)),
        "suspended": standing.err().map(|lost| lost.why),
    });
    if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
        document.extend(more);
    }
    Ok(document)
}

fn deliveries(db: &Db, settings: &Settings, limit: i64, out: &Output) -> anyhow::Result<()> {
    let waiting = db.read(outbox::waiting_for_mail)?;
    if waiting > 0 && settings.smtp.is_none() {
        print_note(format_args!("note: {waiting} deliveries wait for a mail server: {NO_SERVER}"));
    }
    let mut rows = db.read(|conn| outbox::log(conn, limit))?;
    let of_readers = db.read(|conn| reader::outbox::log(conn, limit))?;
    rows.extend(of_readers.into_iter().map(|(digest, recipient)| reader::outbox::outgoing(digest, recipient)));
    rows.sort_by(|(_, a, to_a), (_, b, to_b)| b.as_of.cmp(&a.as_of).then_with(|| to_a.address.cmp(&to_b.address)));
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
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
    })
}

fn preview(
    db: &Db,
    settings: &Settings,
    locale: Locale,
    as_of: NaiveDate,
    folder: &Path,
    out: &Output,
) -> anyhow::Result<()> {
    let snapshot = snapshot(db, settings)?;
    let document = db.read_snapshot(|conn| {
        let previous = before(conn, as_of, locale)?;
        document(conn, &snapshot, settings.places.as_deref(), as_of, previous.as_ref().map(|(_, document)| document))
    })?;
    let rendered = render(&document, locale, settings.links.base_url.as_deref())?;
    let summary = json!({ "subject": rendered.subject, "asOf": as_of, "locale": locale, "folder": folder });
    write(&document, &rendered, locale, folder)?;
    out.print(&summary, |_| format!("{}\nwritten to {}", rendered.subject, folder.display()))
}

fn preview_of_reader(
    db: &Db,
    settings: &Settings,
    address: &str,
    as_of: NaiveDate,
    folder: &Path,
    out: &Output,
) -> anyhow::Result<()> {
    let (subscription, made) = composed(db, settings, address, as_of)?;
    write(&made.document, &made.rendered, subscription.locale, folder)?;
    let summary = json!({
        "subject": made.rendered.subject,
        "asOf": as_of,
        "locale": subscription.locale,
        "folder": folder,
        "isWanted": made.is_wanted(),
        "notWanted": made.unmet,
    });
    out.print(&summary, |_| {
        let unmet = made.unmet.as_ref().map(|why| format!("\nnot to be sent: {why}")).unwrap_or_default();
        format!("{}\nwritten to {}{unmet}", made.rendered.subject, folder.display())
    })
}

/// The digest of the current subscription of an address that has a reader.
fn composed(
    db: &Db,
    settings: &Settings,
    address: &str,
    as_of: NaiveDate,
) -> anyhow::Result<(DigestSubscription, Box<Made>)> {
    let all = db.read(|conn| reader::own(conn, None))?;
    let is_same = |row: &&DigestSubscription| {
        address::identity(row.channel, &row.address) == address::identity(row.channel, address)
    };
    let subscription = all.iter().find(is_same).cloned().with_context(|| {
        format!("{address} has no subscription with a reader: `phananh digest subscriptions` lists all")
    })?;
    let snapshot = snapshot(db, settings)?;
    match compose(db, &snapshot, settings, &subscription, as_of)? {
        Composed::Made(made) => Ok((subscription, made)),
        Composed::Lost(why) => anyhow::bail!("there is no digest for {address}: {why}"),
    }
}

fn snapshot(db: &Db, settings: &Settings) -> anyhow::Result<Arc<Snapshot>> {
    let context = JobContext { db, settings, jobs: REGISTRY, snapshots: None, rules: None, stop: None };
    Ok(context.snapshot()?)
}

fn write(document: &DigestDocument, rendered: &Rendered, locale: Locale, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let parts = parts(document, &rendered.html, locale)?;
    for (name, bytes) in files("digest", &rendered.html, &rendered.text, &parts) {
        let path = folder.join(name);
        schema::files::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
