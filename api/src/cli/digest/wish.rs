//! The arguments of `digest subscribe` for a subscription with a reader.

use anyhow::Context;
use chrono::NaiveDate;
use jobs::digest::reader::{Wish, subscribe as store};
use jobs::runner::settings::Settings;
use jobs::snapshot::Reference;
use schema::enums::{DeliveryChannel, DigestCondition, DigestSection, Locale};
use schema::models::DigestSubscription;
use schema::{Db, StoreError, queries};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the token or the account of the reader: the digests have what it may see when they are sent. Without
    /// a reader the address receives the Board's whole digest of each day
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,
    /// Code of the unit that the digests are about [default: the unit of a head, all units for the Board]
    #[arg(long, value_name = "CODE", requires = "reader")]
    unit: Option<String>,
    /// Sections with commas between them, such as FLAGS,OVERDUE [default: all]
    #[arg(long, value_name = "SECTIONS", requires = "reader", value_delimiter = ',', value_parser = section)]
    sections: Vec<DigestSection>,
    /// Cron expression of the times at which digests are made [default: "0 7 * * *"]
    #[arg(long, value_name = "CRON", requires = "reader")]
    schedule: Option<String>,
    /// Time zone of the schedule [default: Asia/Ho_Chi_Minh]
    #[arg(long, value_name = "ZONE", requires = "reader")]
    timezone: Option<String>,
    /// When a digest is sent: ALWAYS, ANYTHING_NEW, NEW_FLAG (new or raised, at REVIEW or above) or OVERDUE
    /// [default: ALWAYS]
    #[arg(long, value_name = "CONDITION", requires = "reader", value_parser = condition)]
    condition: Option<DigestCondition>,
    /// With --condition OVERDUE: a digest has more overdue complaints than this
    #[arg(long, value_name = "N", requires = "reader")]
    min_overdue: Option<i32>,
    /// Last day without digests
    #[arg(long, value_name = "DATE", requires = "reader", value_parser = crate::cli::jobs::day)]
    quiet_until: Option<NaiveDate>,
}

fn section(text: &str) -> Result<DigestSection, String> {
    text.trim().parse().map_err(|_| format!("{text:?} is not a section: write {}", DigestSection::WORDS.join(", ")))
}

fn condition(text: &str) -> Result<DigestCondition, String> {
    text.parse().map_err(|_| format!("{text:?} is not a condition: write {}", DigestCondition::WORDS.join(", ")))
}

/// The code of the unit and what else the reader wants.
pub struct Wanted {
    unit: Option<String>,
    wish: Wish,
}

impl Args {
    /// The name of the reader and its wish; None without a reader.
    pub fn for_reader(&self, channel: DeliveryChannel, address: &str, locale: Locale) -> Option<(String, Wanted)> {
        let reader = self.reader.as_ref()?;
        let wish = Wish {
            channel,
            address: address.to_owned(),
            locale,
            unit_id: None,
            sections: self.sections.clone(),
            schedule: self.schedule.clone(),
            timezone: self.timezone.clone(),
            condition: self.condition.unwrap_or(DigestCondition::Always),
            min_overdue: self.min_overdue,
            quiet_until: self.quiet_until,
        };
        Some((reader.clone(), Wanted { unit: self.unit.clone(), wish }))
    }
}

/// Subscribes a reader by the name of its tokens.
///
/// # Errors
/// `NotFound` if no token or account has this name; if the wish is refused, or the database fails.
pub fn subscribe(db: &Db, settings: &Settings, reader: &str, wanted: Wanted) -> anyhow::Result<DigestSubscription> {
    let reference = db.read(|conn| Ok(Reference::load(conn)))??;
    let Wanted { unit, mut wish } = wanted;
    if let Some(code) = unit {
        let unit = reference.unit_by_code(&code).with_context(|| crate::cli::no_unit(&code))?;
        wish.unit_id = Some(unit.id);
    }
    let stored = db.write("cli", |tx| {
        let principal = queries::principal_by_name(tx.conn, reader)?.ok_or_else(|| {
            let message =
                format!("there is no token or account with the name {reader:?}: `phananh token create` makes a token");
            StoreError::NotFound(message)
        })?;
        store(tx, &reference.tree, &principal, &wish, &settings.digests.domains)
    })?;
    Ok(stored.value)
}
