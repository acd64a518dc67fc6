//! Notifications of events to webhooks (Standard Webhooks) and mail addresses, through an outbox.
//!
//! Payloads are thin: ids and kinds. A receiver that needs more asks the API, which applies the rights of its token.

pub mod endpoints;
mod mail;
pub mod outbox;
mod post;
mod resolver;
mod secret;
mod sender;
pub mod unsubscribe;
mod webhook;

pub use post::{Audience, Item, post};
pub use secret::{SecretError, secret};
pub use sender::Sender;
pub use webhook::Failure;

/// An alert was raised.
pub const ALERT_RAISED: &str = "alert.raised";
/// An alert is over.
pub const ALERT_CLEARED: &str = "alert.cleared";
/// The Board's digest was composed.
pub const DIGEST_CREATED: &str = "digest.created";
/// A test of an endpoint.
pub const TEST: &str = "webhook.test";

/// The events that an endpoint may choose.
pub const EVENTS: [&str; 3] = [ALERT_RAISED, ALERT_CLEARED, DIGEST_CREATED];
/// The events of which people are told by mail.
pub const BY_MAIL: [&str; 2] = [ALERT_RAISED, ALERT_CLEARED];
