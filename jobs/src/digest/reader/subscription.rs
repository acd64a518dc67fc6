//! Subscriptions of readers: their checks and changes.

use super::unit_of;
use crate::digest::address;
use crate::digest::outbox::spellings;
use crate::digest::sections::sections_for;
use crate::runner::cron::Schedule;
use chrono::NaiveDate;
use chrono_tz::Asia::Ho_Chi_Minh;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::domain::calendar::start_of_day;
use schema::domain::ids::random_id;
use schema::domain::tree::UnitTree;
use schema::each;
use schema::enums::{DeliveryChannel, DigestCondition, DigestSection, Locale};
use schema::models::{DigestSubscription, Principal};
use schema::refusal::SubscriptionRefusal;
use schema::states::StateTable;
use schema::tables::digest_subscriptions;
use schema::{Conn, Id, StoreError, Timestamp};

/// The schedule of readers that name none: after the jobs whose results a digest reads.
pub const SCHEDULE: &str = "0 7 * * *";
pub const TIMEZONE: &str = "Asia/Ho_Chi_Minh";

/// A subscription as its reader wants it.
#[derive(Debug, Clone)]
pub struct Wish {
    pub channel: DeliveryChannel,
    pub address: String,
    pub locale: Locale,
    /// None: the unit of a head, all units for the Board.
    pub unit_id: Option<Id>,
    /// Empty: all of them.
    pub sections: Vec<DigestSection>,
    /// None: [`SCHEDULE`].
    pub schedule: Option<String>,
    /// None: [`TIMEZONE`].
    pub timezone: Option<String>,
    pub condition: DigestCondition,
    pub min_overdue: Option<i32>,
    pub quiet_until: Option<NaiveDate>,
}

/// Subscribes a reader, or changes its subscription with this address.
///
/// # Errors
/// `Rule` when the address, the domain, the unit, a section, the schedule or the number is wrong, or the schedule has
/// several times a day; `Conflict` when the address has a subscription of another reader.
pub fn subscribe(
    tx: &mut WriteTx<'_>,
    tree: &UnitTree,
    reader: &Principal,
    wish: &Wish,
    domains: &[String],
) -> Result<DigestSubscription, StoreError> {
    let address = address::check(wish.channel, &wish.address).map_err(|why| SubscriptionRefusal::Address { why })?;
    address::check_domain(wish.channel, address, domains)
        .map_err(|why| SubscriptionRefusal::Domain { domains: domains.join(", "), why })?;
    let unit_id = unit_of(tree, reader, wish.unit_id).map_err(|why| SubscriptionRefusal::Reader { why })?;
    let given = sections_for(reader.role, unit_id.is_some());
    if let Some(section) = wish.sections.iter().find(|section| !given.contains(section)) {
        return Err(SubscriptionRefusal::Section { section: *section }.into());
    }
    let schedule = wish.schedule.as_deref().unwrap_or(SCHEDULE);
    let timezone = wish.timezone.as_deref().unwrap_or(TIMEZONE);
    let times = Schedule::parse(schedule, timezone).map_err(|why| SubscriptionRefusal::Schedule { why })?;
    if let Some(twice) = times.twice_a_day(tx.now) {
        let clock = |time: Timestamp| time.utc().with_timezone(&Ho_Chi_Minh).format("%Y-%m-%d %H:%M").to_string();
        let (schedule, example) = (schedule.to_owned(), SCHEDULE.to_owned());
        let [first, second] = twice.map(clock);
        return Err(SubscriptionRefusal::TwiceADay { schedule, first, second, example }.into());
    }
    match (wish.condition, wish.min_overdue) {
        (DigestCondition::Overdue, Some(0..)) => {}
        (DigestCondition::Overdue, _) => return Err(SubscriptionRefusal::NumberMissing.into()),
        (_, None) => {}
        (condition, Some(_)) => return Err(SubscriptionRefusal::NumberNotNeeded { condition }.into()),
    }
    let existing = spellings(tx.conn, wish.channel, address)?.into_iter().next();
    if let Some(existing) = existing.as_ref().filter(|existing| existing.ended_at.is_none())
        && existing.principal_id != Some(reader.id)
    {
        return Err(SubscriptionRefusal::Subscribed { address: address.to_owned() }.into());
    }
    let id = existing.as_ref().map_or_else(random_id, |row| row.id);
    // An address has one row. Digests from before `created_at` were made for other rights: no code reads, compares or
    // sends them any more.
    let is_same = |row: &&DigestSubscription| {
        (row.principal_id, row.role, row.unit_id) == (Some(reader.id), Some(reader.role), unit_id)
    };
    let created_at = existing.as_ref().filter(is_same).map_or(tx.now, |row| row.created_at);
    let row = DigestSubscription {
        id,
        channel: wish.channel,
        address: existing.as_ref().map_or_else(|| address.to_owned(), |row| row.address.clone()),
        locale: wish.locale,
        created_at,
        ended_at: None,
        principal_id: Some(reader.id),
        role: Some(reader.role),
        unit_id,
        sections: words(&wish.sections),
        schedule: Some(schedule.to_owned()),
        timezone: Some(timezone.to_owned()),
        condition: Some(wish.condition),
        min_overdue: wish.min_overdue,
        quiet_until: wish.quiet_until,
        // The first digest comes at the next time of the schedule.
        considered_at: Some(tx.now),
    };
    match existing {
        Some(_) => {
            each!(&mut *tx.conn, c => diesel::update(digest_subscriptions::table.find(id)).set(&row).execute(c)?);
        }
        None => {
            each!(&mut *tx.conn, c => diesel::insert_into(digest_subscriptions::table).values(&row).execute(c)?);
        }
    }
    tx.record_state(StateTable::DigestSubscriptions, &row.id);
    Ok(row)
}

/// The first scheduled time of a subscription that nothing was done about, not before its quiet days are over; None if
/// it has no schedule.
pub fn first_due(subscription: &DigestSubscription) -> Option<Timestamp> {
    let (schedule, zone) = (subscription.schedule.as_deref()?, subscription.timezone.as_deref()?);
    let since = subscription.considered_at.unwrap_or(subscription.created_at);
    let loud = subscription.quiet_until.and_then(|day| day.succ_opt()).map(start_of_day);
    Schedule::parse(schedule, zone).ok()?.next_after(loud.map_or(since, |loud| since.max(loud)))
}

/// The sections of a subscription; empty for all of them.
pub fn sections_of(subscription: &DigestSubscription) -> Vec<DigestSection> {
    let words = subscription.sections.as_deref().unwrap_or_default();
    words.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Sections as the register stores them: each once, in the order of digests.
fn words(sections: &[DigestSection]) -> Option<String> {
    let mut sections = sections.to_vec();
    sections.sort_unstable();
    sections.dedup();
    let words: Vec<&str> = sections.into_iter().map(DigestSection::as_str).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The current subscriptions with a reader, of one principal or of all, by address.
///
/// # Errors
/// If the database cannot be read.
pub fn own(conn: &mut Conn, principal: Option<Id>) -> Result<Vec<DigestSubscription>, StoreError> {
    let mut all: Vec<DigestSubscription> = digest_subscriptions::table
        .filter(digest_subscriptions::ended_at.is_null())
        .filter(digest_subscriptions::principal_id.is_not_null())
        .order((digest_subscriptions::channel, digest_subscriptions::address))
        .select(DigestSubscription::as_select())
        .load(conn)?;
    all.retain(|row| principal.is_none_or(|principal| row.principal_id == Some(principal)));
    Ok(all)
}

/// Ends a subscription of a reader; `principal` None ends that of any reader.
///
/// # Errors
/// `NotFound` if the reader has no such subscription.
pub fn end(tx: &mut WriteTx<'_>, id: Id, principal: Option<Id>) -> Result<DigestSubscription, StoreError> {
    let Some(mut row) = own(tx.conn, principal)?.into_iter().find(|row| row.id == id) else {
        return Err(StoreError::NotFound(format!("you have no current subscription {id}")));
    };
    diesel::update(digest_subscriptions::table.find(id))
        .set(digest_subscriptions::ended_at.eq(Some(tx.now)))
        .execute(tx.conn)?;
    tx.record_state(StateTable::DigestSubscriptions, &id);
    row.ended_at = Some(tx.now);
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn a_digest_is_due_at_the_first_time_after_what_was_done_and_after_quiet_days() {
        let day = |day: u32| NaiveDate::from_ymd_opt(2025, 3, day).expect("a day");
        let at = |of: u32, hour: i64| Timestamp::from(start_of_day(day(of)).utc() + TimeDelta::hours(hour));
        let subscription = |quiet_until: Option<NaiveDate>, considered_at: Option<Timestamp>| DigestSubscription {
            id: random_id(),
            channel: DeliveryChannel::Email,
            address: "an@example.org".into(),
            locale: Locale::Vi,
            created_at: at(1, 0),
            ended_at: None,
            principal_id: None,
            role: None,
            unit_id: None,
            sections: None,
            schedule: Some(SCHEDULE.into()),
            timezone: Some(TIMEZONE.into()),
            condition: None,
            min_overdue: None,
            quiet_until,
            considered_at,
        };
        assert_eq!(first_due(&subscription(None, None)), Some(at(1, 7)));
        assert_eq!(first_due(&subscription(None, Some(at(1, 7)))), Some(at(2, 7)));
        assert_eq!(first_due(&subscription(Some(day(9)), Some(at(1, 7)))), Some(at(10, 7)));
        assert_eq!(first_due(&subscription(Some(day(9)), Some(at(20, 7)))), Some(at(21, 7)));
        let without = DigestSubscription { schedule: None, ..subscription(None, None) };
        assert_eq!(first_due(&without), None);
    }

    #[test]
    fn sections_are_kept_once_and_in_their_order() {
        let kept = words(&[DigestSection::Overdue, DigestSection::Flags, DigestSection::Overdue]);
        assert_eq!(kept.as_deref(), Some("FLAGS OVERDUE"));
        assert_eq!(words(&[]), None);
    }
}
