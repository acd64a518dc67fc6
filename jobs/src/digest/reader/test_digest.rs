//! A digest sent on trial: to its recipient, marked as a test, and not stored.

use super::Made;
use crate::JobError;
use crate::digest::Sender;
use crate::digest::address::check_domain;
use crate::digest::messages::Messages;
use crate::runner::settings::Settings;
use fluent_bundle::FluentArgs;
use schema::domain::ids::random_id;
use schema::enums::DeliveryState;
use schema::models::{Delivery, Digest, DigestSubscription};
use schema::refusal::SubscriptionRefusal;
use schema::{JsonValue, StoreError, Timestamp};
use serde_json::json;

/// Sends a composed digest to the recipient of its subscription. The next digest compares with the last one that was
/// sent on schedule, not with this one.
///
/// # Errors
/// A refusal with the answer of the mail server, or why nothing can be sent.
pub fn send_on_trial(settings: &Settings, subscription: &DigestSubscription, made: &Made) -> Result<(), JobError> {
    let domains = &settings.digests.domains;
    check_domain(subscription.channel, &subscription.address, domains)
        .map_err(|why| StoreError::from(SubscriptionRefusal::Domain { domains: domains.join(", "), why }))?;
    let mark = Messages::new(subscription.locale)?.message("test-mail", &FluentArgs::new())?;
    let (id, now) = (random_id(), Timestamp::now());
    let digest = Digest {
        id,
        // No run made it.
        run_id: id,
        previous_id: None,
        as_of: made.document.as_of,
        locale: subscription.locale,
        subject: format!("{mark} {}", made.rendered.subject),
        html: made.rendered.html.clone(),
        text: made.rendered.text.clone(),
        document: JsonValue(json!(made.document)),
        position: made.document.position,
        created_at: now,
    };
    let delivery = Delivery {
        digest_id: id,
        subscription_id: subscription.id,
        state: DeliveryState::Pending,
        attempts: 1,
        next_attempt_at: now,
        message_id: format!("{id}.{}", subscription.id),
        sent_at: None,
        error: None,
    };
    Sender::new(settings)
        .send(&(delivery, digest, subscription.clone()))
        .map_err(|why| StoreError::from(SubscriptionRefusal::NotSent { why }).into())
}
