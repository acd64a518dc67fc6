//! The command `alerts`: lists alerts, and manages who gets them by mail.

use super::output::{Output, print_note, table};
use jobs::notify::endpoints::{self, NewEndpoint};
use jobs::runner::settings::Settings;
use schema::Db;
use schema::enums::{Locale, NotificationChannel};
use schema::models::Principal;
use schema::queries::{AlertSort, Direction, ListOrder, Window};
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the alerts, newest first
    List {
        /// Maximum number of alerts
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Send alerts to a mail address
    Subscribe {
        /// Mail address
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Language of the mails
        #[arg(long, default_value = "vi", value_parser = clap::builder::PossibleValuesParser::new(Locale::WORDS))]
        locale: String,
        /// Name of a token or an account of the Board, a head of a unit or an ADMIN: send the alerts that it may see
        #[arg(long, value_name = "NAME")]
        reader: Option<String>,
    },
    /// Send no more alerts to a mail address
    Unsubscribe {
        /// Mail address
        #[arg(long, value_name = "ADDRESS")]
        email: String,
    },
}

/// Runs `phananh alerts`.
///
/// # Errors
/// If an argument is refused, or the database or the output fails.
pub fn run(db: &Db, settings: &Settings, command: &Command, out: &Output) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { limit } => list(db, *limit, out)?,
        Command::Subscribe { email, locale, reader } => {
            let reader = reader_of(db, reader.as_deref())?;
            let new = NewEndpoint {
                channel: NotificationChannel::Email,
                name: "alerts by mail",
                address: email,
                locale: locale.parse()?,
                events: &[],
                reader: reader.as_ref(),
            };
            let keys = settings.keys.as_deref();
            let row = db.write("cli", |tx| endpoints::create(tx, keys, settings, &new))?.value;
            out.print(&json!({ "address": row.address, "locale": row.locale }), |_| {
                format!("{} will receive alerts in {}", row.address, row.locale)
            })?;
            if settings.smtp.is_none() {
                print_note("note: the configuration (--config) has no [smtp]: only a server with one sends mail");
            }
        }
        Command::Unsubscribe { email } => {
            let address = email.to_lowercase();
            db.write("cli", |tx| {
                let id = endpoints::by_address(tx.conn, NotificationChannel::Email, &address)?.id;
                endpoints::disable(tx, id, "unsubscribed at the command line")
            })?;
            out.print(&json!({ "address": address }), |_| format!("{address} will receive no more alerts"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The principal with a name, where one is given.
///
/// # Errors
/// If no principal has this name, or the database fails.
pub fn reader_of(db: &Db, name: Option<&str>) -> anyhow::Result<Option<Principal>> {
    let Some(name) = name else { return Ok(None) };
    Ok(Some(db.read(|conn| endpoints::reader_named(conn, name))?))
}

fn list(db: &Db, limit: u32, out: &Output) -> anyhow::Result<()> {
    let order = [(AlertSort::RaisedAt, Direction::Desc)];
    let window = Window { limit: usize::try_from(limit)?, ..Window::default() };
    let rows = db.read(|conn| AlertSort::list(conn, None, &order, &window))?.rows;
    let documents: Vec<Value> = rows
        .iter()
        .map(|alert| {
            json!({
                "id": alert.id,
                "kind": alert.kind,
                "subject": alert.subject,
                "day": alert.day,
                "details": alert.details,
                "raisedAt": alert.raised_at,
                "clearedAt": alert.cleared_at,
                "readerId": alert.principal_id,
            })
        })
        .collect();
    out.print(&documents, |_| {
        let rows = rows.iter().map(|alert| {
            let end = alert.cleared_at.map_or_else(String::new, |end| end.utc().format("%F %T").to_string());
            vec![
                alert.raised_at.utc().format("%F %T").to_string(),
                alert.kind.to_string(),
                alert.subject.clone(),
                end,
                alert.details.0.to_string(),
            ]
        });
        table(&["RAISED (UTC)", "KIND", "SUBJECT", "OVER (UTC)", "DETAILS"], rows)
    })
}
