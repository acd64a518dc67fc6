//! The mail of an alert: what happened in words, with numbers and links, and no personal data.

use crate::digest::Messages;
use chrono::{DateTime, FixedOffset};
use fluent_bundle::FluentArgs;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use schema::domain::calendar::LOCAL;
use schema::models::{Notification, NotificationEndpoint};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Builds the mail of a notification.
pub fn mail(
    notification: &Notification,
    endpoint: &NotificationEndpoint,
    from: &str,
    base_url: Option<&str>,
) -> Result<Message, String> {
    let messages = Messages::new(endpoint.locale).map_err(|e| e.to_string())?;
    let body: Value = serde_json::from_str(&notification.body).map_err(|e| e.to_string())?;
    let items = body["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut count = FluentArgs::new();
    count.set("count", i64::try_from(items.len()).unwrap_or(i64::MAX));
    let event = notification.event.replace('.', "-");
    let say = |key: &str, args: &FluentArgs<'_>| messages.message(key, args).map_err(|e| e.to_string());
    let subject = say(&format!("notice-{event}"), &count)?;
    let mut lines = vec![subject.clone(), String::new()];
    for item in items {
        lines.push(format!("- {}", sentence(&messages, item)?));
        if let Some(link) = base_url.and_then(|base| link(base, item)) {
            lines.push(format!("  {link}"));
        }
    }
    lines.push(String::new());
    lines.push(say("notice-why", &FluentArgs::new())?);
    let from: Mailbox = from.parse().map_err(|e| format!("smtp.from {from:?}: {e}"))?;
    let domain = from.email.domain().to_owned();
    let to: Mailbox = endpoint.address.parse().map_err(|e| format!("the address {:?}: {e}", endpoint.address))?;
    let created = u64::try_from(notification.created_at.micros()).unwrap_or(0);
    let mut message = Message::builder()
        .from(from)
        .to(to)
        .subject(subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_micros(created))
        // The same for every attempt, so that mail clients drop a duplicate.
        .message_id(Some(format!("<{}@{domain}>", notification.id)))
        .header(ContentType::TEXT_PLAIN)
        .body(lines.join("\n"))
        .map_err(|e| e.to_string())?;
    // Asks for no automatic replies (RFC 3834).
    message
        .headers_mut()
        .insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    Ok(message)
}

/// An alert in a sentence.
fn sentence(messages: &Messages, item: &Value) -> Result<String, String> {
    let (of, details) = (&item["of"], &item["details"]);
    let kind = of["kind"].as_str().unwrap_or_default();
    let mut args = FluentArgs::new();
    args.set("subject", of["subject"].as_str().unwrap_or_default().to_owned());
    args.set("count", details["complaints"].as_i64().or(details["deliveries"].as_i64()).unwrap_or(0));
    args.set("expected", messages.number(details["expected"].as_f64().unwrap_or(0.0), 1));
    for (name, key) in [("from", "from"), ("to", "to"), ("at", "scheduledAt")] {
        args.set(name, local(details[key].as_str().unwrap_or_default()));
    }
    args.set("day", details["asOf"].as_str().unwrap_or_default().to_owned());
    messages.message(&format!("notice-{kind}"), &args).map_err(|e| e.to_string())
}

/// A moment in the time of Vietnam.
fn local(moment: &str) -> String {
    match DateTime::<FixedOffset>::parse_from_rfc3339(moment) {
        Ok(moment) => moment.with_timezone(&LOCAL).format("%H:%M %d/%m/%Y").to_string(),
        Err(_) => moment.to_owned(),
    }
}

/// The page that shows more.
fn link(base: &str, item: &Value) -> Option<String> {
    let of = &item["of"];
    let base = base.trim_end_matches('/');
    match of["kind"].as_str()? {
        "SUSPENSION_REVIEW" => Some(format!("{base}/flags/{}", of["subject"].as_str()?)),
        "JOB_FAILED" | "JOB_MISSED" => Some(format!("{base}/jobs")),
        "DIGEST_UNDELIVERED" => Some(format!("{base}/digests")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::enums::{AlertKind, DeliveryState, Locale, NotificationChannel};
    use schema::{Id, JsonValue, Timestamp};
    use serde_json::json;
    use uuid::Uuid;

    #[test]
    fn every_alert_has_a_sentence_in_both_languages() {
        let at = Timestamp::from_micros(1_700_000_000_000_000).expect("a time");
        let items: Vec<Value> = AlertKind::WORDS
            .iter()
            .map(|kind| {
                json!({
                    "of": { "kind": kind, "subject": "x-1" },
                    "details": {
                        "complaints": 12, "expected": 1.25, "from": "2025-03-03T02:00:00Z", "to": "2025-03-03T04:00:00Z",
                        "scheduledAt": "2025-03-03T02:00:00Z", "deliveries": 2, "asOf": "2025-03-02"
                    },
                })
            })
            .collect();
        for locale in [Locale::Vi, Locale::En] {
            let endpoint = NotificationEndpoint {
                id: Id(Uuid::nil()),
                channel: NotificationChannel::Email,
                name: "x".into(),
                address: "board@example.org".into(),
                locale,
                events: JsonValue(json!([])),
                key_version: 0,
                secret_number: 1,
                previous_key_version: None,
                previous_until: None,
                created_at: at,
                created_by: "cli".into(),
                disabled_at: None,
                disabled_reason: None,
            };
            for event in ["alert.raised", "alert.cleared", "webhook.test"] {
                let notification = Notification {
                    id: Id(Uuid::nil()),
                    endpoint_id: endpoint.id,
                    event: event.into(),
                    body: json!({ "type": event, "data": items }).to_string(),
                    state: DeliveryState::Pending,
                    attempts: 1,
                    next_attempt_at: at,
                    created_at: at,
                    sent_at: None,
                    status: None,
                    error: None,
                };
                let mail = mail(&notification, &endpoint, "A <a@example.org>", Some("https://x.example/"));
                let mail = mail.unwrap_or_else(|error| panic!("{locale} {event}: {error}"));
                assert!(mail.headers().get_raw("Auto-Submitted").is_some());
            }
            let messages = Messages::new(locale).expect("messages");
            let burst = sentence(&messages, &items[1]).expect("a sentence");
            assert!(burst.contains("12") && burst.contains("x-1") && burst.contains("09:00 03/03/2025"), "{burst}");
        }
    }
}
