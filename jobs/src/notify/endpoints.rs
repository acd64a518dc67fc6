//! The endpoints of notifications: how they are added, changed and disabled.

use super::resolver::{private_refusal, spelled_address};
use super::{BY_MAIL, EVENTS, SecretError};
use crate::digest::address;
use crate::runner::settings::Settings;
use chrono::TimeDelta;
use diesel::prelude::*;
use schema::db::WriteTx;
use schema::domain::ids::random_id;
use schema::domain::inert;
use schema::each;
use schema::enums::{DeliveryChannel, DeliveryState, Locale, NotificationChannel, Role};
use schema::keys::Keys;
use schema::models::{NotificationEndpoint, Principal};
use schema::queries::principal_by_name;
use schema::refusal::{EndpointRefusal, SubscriptionRefusal};
use schema::states::StateTable;
use schema::tables::{notification_endpoints, notifications};
use schema::{Conn, Id, JsonValue, StoreError, Timestamp};
use serde_json::json;
use ureq::http::Uri;

/// The longest address of a webhook, in characters.
const LONGEST: usize = 2_000;
/// After a rotation, messages are also signed with the earlier secret for this many hours.
pub const OVERLAP_HOURS: i64 = 24;

/// A new endpoint.
#[derive(Debug, Clone)]
pub struct NewEndpoint<'n> {
    pub channel: NotificationChannel,
    pub name: &'n str,
    pub address: &'n str,
    pub locale: Locale,
    /// The events that it gets; empty for all events of its channel.
    pub events: &'n [String],
    /// The principal whose alerts the endpoint gets, as far as this principal may see them; None for those of the
    /// Board.
    pub reader: Option<&'n Principal>,
}

/// All endpoints, by channel and address.
///
/// # Errors
/// If the database cannot be read.
pub fn all(conn: &mut Conn) -> Result<Vec<NotificationEndpoint>, StoreError> {
    Ok(notification_endpoints::table
        .order((notification_endpoints::channel, notification_endpoints::address))
        .select(NotificationEndpoint::as_select())
        .load(conn)?)
}

/// The endpoint with an id.
///
/// # Errors
/// `NotFound` if it does not exist.
pub fn find(conn: &mut Conn, id: Id) -> Result<NotificationEndpoint, StoreError> {
    let found =
        notification_endpoints::table.find(id).select(NotificationEndpoint::as_select()).first(conn).optional()?;
    found.ok_or_else(|| StoreError::NotFound(format!("there is no endpoint {id}: `phananh webhook list` lists all")))
}

/// The endpoint with an address.
///
/// # Errors
/// `NotFound` if it does not exist.
pub fn by_address(
    conn: &mut Conn,
    channel: NotificationChannel,
    address: &str,
) -> Result<NotificationEndpoint, StoreError> {
    let found = stored(conn, channel, address)?;
    found.ok_or_else(|| {
        StoreError::NotFound(format!("there is no endpoint {address}: `phananh webhook list` lists all"))
    })
}

fn stored(
    conn: &mut Conn,
    channel: NotificationChannel,
    address: &str,
) -> Result<Option<NotificationEndpoint>, StoreError> {
    Ok(notification_endpoints::table
        .filter(notification_endpoints::channel.eq(channel))
        .filter(notification_endpoints::address.eq(address))
        .select(NotificationEndpoint::as_select())
        .first(conn)
        .optional()?)
}

/// The principal with a name.
///
/// # Errors
/// `Rule` if there is none.
pub fn reader_named(conn: &mut Conn, name: &str) -> Result<Principal, StoreError> {
    let found = principal_by_name(conn, name)?;
    found.ok_or_else(|| EndpointRefusal::UnknownReader { name: name.to_owned() }.into())
}

/// Adds an endpoint, or enables a disabled one of this address anew, with a new secret.
///
/// # Errors
/// `Rule` if the address, the name or an event is wrong, the settings permit no message to the address, or a webhook has
/// no key file; `Conflict` if an enabled endpoint has the address.
pub fn create(
    tx: &mut WriteTx<'_>,
    keys: Option<&Keys>,
    settings: &Settings,
    new: &NewEndpoint<'_>,
) -> Result<NotificationEndpoint, StoreError> {
    let name = inert::name("the name", new.name, 200).map_err(|why| EndpointRefusal::Name { why })?;
    let address = match new.channel {
        NotificationChannel::Webhook => url(new.address).map_err(|why| EndpointRefusal::Url { why })?,
        NotificationChannel::Email => address::check(DeliveryChannel::Email, new.address)
            .map(str::to_lowercase)
            .map_err(|why| SubscriptionRefusal::Address { why })?,
    };
    refuse_target(new.channel, &address, settings)?;
    let events = events(new.channel, new.events, new.reader.is_some()).map_err(|why| EndpointRefusal::Event { why })?;
    let unit_id = match new.reader {
        Some(reader) => unit_of(reader).map_err(|why| EndpointRefusal::Reader { why })?,
        None => None,
    };
    let key_version = match (new.channel, keys) {
        (_, Some(keys)) => i32::try_from(keys.version()).unwrap_or(i32::MAX),
        (NotificationChannel::Webhook, None) => return Err(no_keys()),
        (NotificationChannel::Email, None) => 0,
    };
    let before = stored(tx.conn, new.channel, &address)?;
    if before.as_ref().is_some_and(|before| before.disabled_at.is_none()) {
        return Err(EndpointRefusal::Exists { address }.into());
    }
    let row = NotificationEndpoint {
        id: before.as_ref().map_or_else(random_id, |before| before.id),
        channel: new.channel,
        name: name.to_owned(),
        address,
        locale: new.locale,
        events: JsonValue(json!(events)),
        key_version,
        secret_number: before.as_ref().map_or(1, |before| before.secret_number + 1),
        previous_key_version: None,
        previous_until: None,
        created_at: before.as_ref().map_or(tx.now, |before| before.created_at),
        created_by: tx.actor.to_owned(),
        disabled_at: None,
        disabled_reason: None,
        principal_id: new.reader.map(|reader| reader.id),
        unit_id,
    };
    if before.is_some() {
        update(tx, &row)?;
    } else {
        each!(&mut *tx.conn, c => diesel::insert_into(notification_endpoints::table).values(&row).execute(c)?);
        tx.record_state(StateTable::NotificationEndpoints, &row.id);
    }
    Ok(row)
}

/// Gives an endpoint a new secret. For a day messages are signed with the one before, too, so that the receiver can
/// change over.
///
/// # Errors
/// `Rule` without a key file, or if the endpoint has no secret.
pub fn rotate(tx: &mut WriteTx<'_>, keys: Option<&Keys>, id: Id) -> Result<NotificationEndpoint, StoreError> {
    let keys = keys.ok_or_else(no_keys)?;
    let mut row = find(tx.conn, id)?;
    if row.channel != NotificationChannel::Webhook {
        return Err(EndpointRefusal::NoSecret { address: row.address }.into());
    }
    row.previous_key_version = Some(row.key_version);
    row.previous_until = Some((tx.now.utc() + TimeDelta::hours(OVERLAP_HOURS)).into());
    row.key_version = i32::try_from(keys.version()).unwrap_or(i32::MAX);
    row.secret_number += 1;
    update(tx, &row)?;
    Ok(row)
}

/// Disables an endpoint, and fails the messages that wait for it.
///
/// # Errors
/// `NotFound` if it does not exist.
pub fn disable(tx: &mut WriteTx<'_>, id: Id, reason: &str) -> Result<NotificationEndpoint, StoreError> {
    let mut row = find(tx.conn, id)?;
    if row.disabled_at.is_none() {
        row.disabled_at = Some(tx.now);
        row.disabled_reason = Some(reason.to_owned());
        update(tx, &row)?;
    }
    let waiting = notifications::table
        .filter(notifications::endpoint_id.eq(id))
        .filter(notifications::state.eq(DeliveryState::Pending));
    let given_up = (
        notifications::state.eq(DeliveryState::Failed),
        notifications::error.eq(Some("the endpoint was disabled before it was sent")),
    );
    let failed: Vec<Id> = each!(&mut *tx.conn, c => diesel::update(waiting)
        .set(given_up)
        .returning(notifications::id)
        .get_results(c)?);
    failed.iter().for_each(|id| tx.record_state(StateTable::Notifications, id));
    Ok(row)
}

/// Enables a disabled endpoint.
///
/// # Errors
/// `NotFound` if it does not exist, `Rule` if the settings permit no message to its address any more.
pub fn enable(tx: &mut WriteTx<'_>, id: Id, settings: &Settings) -> Result<NotificationEndpoint, StoreError> {
    let mut row = find(tx.conn, id)?;
    refuse_target(row.channel, &row.address, settings)?;
    row.disabled_at = None;
    row.disabled_reason = None;
    update(tx, &row)?;
    Ok(row)
}

/// The names of the events that an endpoint gets.
pub fn events_of(endpoint: &NotificationEndpoint) -> Vec<String> {
    serde_json::from_value(endpoint.events.0.clone()).unwrap_or_default()
}

/// Whether messages are still signed with the previous secret, too.
pub fn is_rotating(endpoint: &NotificationEndpoint, now: Timestamp) -> bool {
    endpoint.previous_until.is_some_and(|until| until > now)
}

fn update(tx: &mut WriteTx<'_>, row: &NotificationEndpoint) -> Result<(), StoreError> {
    each!(&mut *tx.conn, c => diesel::update(notification_endpoints::table.find(row.id)).set(row).execute(c)?);
    tx.record_state(StateTable::NotificationEndpoints, &row.id);
    Ok(())
}

/// Checks that mail to an address may be sent. Webhooks have networks instead.
///
/// # Errors
/// A message with the allowed domains.
pub(super) fn check_domain(channel: NotificationChannel, address: &str, domains: &[String]) -> Result<(), String> {
    match channel {
        NotificationChannel::Webhook => Ok(()),
        NotificationChannel::Email => address::check_domain(DeliveryChannel::Email, address, domains),
    }
}

/// Refuses an address that the settings permit no message to.
fn refuse_target(channel: NotificationChannel, address: &str, settings: &Settings) -> Result<(), StoreError> {
    let domains = &settings.digests.domains;
    check_domain(channel, address, domains)
        .map_err(|why| SubscriptionRefusal::Domain { domains: domains.join(", "), why })?;
    match channel {
        NotificationChannel::Webhook => refuse_private(address, settings),
        NotificationChannel::Email => Ok(()),
    }
}

/// Refuses a webhook whose host spells a private address. A name is resolved only when a message is sent: it may lead
/// elsewhere by then.
fn refuse_private(url: &str, settings: &Settings) -> Result<(), StoreError> {
    // Checked when the configuration was read. Without them more is refused, not less.
    let networks = settings.webhooks.networks().unwrap_or_default();
    let uri = url.parse::<Uri>().ok();
    let Some(address) = uri.as_ref().and_then(Uri::host).and_then(spelled_address) else { return Ok(()) };
    match private_refusal(address, &networks) {
        Some(why) => Err(EndpointRefusal::Private { address: address.to_canonical().to_string(), why }.into()),
        None => Ok(()),
    }
}

fn no_keys() -> StoreError {
    EndpointRefusal::NoKeys { why: SecretError::NoKeys.to_string() }.into()
}

/// Checks the form of the address of a webhook.
fn url(address: &str) -> Result<String, String> {
    if address.len() > LONGEST || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("the address has 1 to {LONGEST} visible characters of ASCII: write other letters as %…"));
    }
    let wrong = |what: &str| Err(format!("invalid address {address:?}: {what}"));
    let Ok(uri) = address.parse::<Uri>() else {
        return wrong("write it like https://example.org/hooks");
    };
    if !matches!(uri.scheme_str(), Some("https" | "http")) || uri.host().is_none_or(str::is_empty) {
        return wrong("write it like https://example.org/hooks");
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return wrong("it must have no user name or password: the signature says who sends");
    }
    Ok(address.to_owned())
}

/// The unit about which a reader gets alerts; None: it gets those of the Board that it may see.
///
/// # Errors
/// A message if its role gets no alerts.
pub(crate) fn unit_of(reader: &Principal) -> Result<Option<Id>, String> {
    match (reader.role, reader.unit_id) {
        (Role::UnitHead, Some(unit)) => Ok(Some(unit)),
        (Role::Board | Role::Admin, _) => Ok(None),
        (role, _) => Err(format!(
            "{} is a {role}: alerts are for BOARD, UNIT_HEAD and ADMIN; without a reader an address gets those of the \
             Board",
            reader.name
        )),
    }
}

fn events(channel: NotificationChannel, wanted: &[String], has_reader: bool) -> Result<Vec<String>, String> {
    let allowed: &[&str] = match channel {
        // The Board's digest is the same for all its readers, and counts what some of them may not see.
        NotificationChannel::Webhook if !has_reader => &EVENTS,
        NotificationChannel::Webhook | NotificationChannel::Email => &BY_MAIL,
    };
    if let Some(unknown) = wanted.iter().find(|event| !allowed.contains(&event.as_str())) {
        return Err(format!("{unknown:?} is no event of {channel}: use {}", allowed.join(", ")));
    }
    if wanted.is_empty() {
        return Ok(allowed.iter().map(|event| (*event).to_owned()).collect());
    }
    Ok(wanted.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_url_without_a_password() {
        for address in ["https://example.org/hooks?a=1", "http://127.0.0.1:8080/", "https://[::1]/x"] {
            assert_eq!(url(address), Ok(address.to_owned()));
        }
        for address in ["example.org", "ftp://example.org", "https://", "https://a:b@example.org/", "/hooks", ""] {
            assert!(url(address).is_err(), "{address}");
        }
    }

    #[test]
    fn alerts_are_for_the_board_heads_and_admins() {
        let [unit, id] = [random_id(), random_id()];
        let reader = |role: Role| Principal {
            id,
            name: "an".into(),
            role,
            unit_id: (role == Role::UnitHead).then_some(unit),
            created_at: Timestamp::now(),
            disabled_at: None,
            officer_id: None,
            outside: false,
            issuer: None,
            subject: None,
            asserted_at: None,
        };
        assert_eq!(unit_of(&reader(Role::UnitHead)), Ok(Some(unit)));
        for role in [Role::Board, Role::Admin] {
            assert_eq!(unit_of(&reader(role)), Ok(None), "{role}");
        }
        for role in [Role::DataTeam, Role::Dashboard, Role::Intake] {
            assert!(unit_of(&reader(role)).is_err_and(|why| why.contains(role.as_str())), "{role}");
        }
    }

    #[test]
    fn only_events_of_the_channel_are_taken() {
        let wanted = |event: &str| [event.to_owned()];
        assert!(events(NotificationChannel::Webhook, &wanted("digest.created"), false).is_ok());
        assert!(events(NotificationChannel::Webhook, &wanted("digest.created"), true).is_err());
        assert!(events(NotificationChannel::Email, &wanted("digest.created"), false).is_err());
        assert_eq!(events(NotificationChannel::Email, &[], false).expect("events"), BY_MAIL);
    }
}
