//! The mail of an alert: sentences with numbers and links, and no personal data.

use crate::digest::{Messages, encoded};
use chrono::{DateTime, FixedOffset, NaiveDate};
use fluent_bundle::FluentArgs;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use schema::Id;
use schema::domain::calendar::LOCAL;
use schema::domain::ids::human_reference;
use schema::enums::AlertKind;
use schema::models::{Notification, NotificationEndpoint};
use serde_json::Value;
use std::time::{Duration, SystemTime};
use uuid::Uuid;

/// Builds the mail of a notification.
///
/// # Errors
/// If the notification cannot be parsed, a message is missing, or an address cannot be written in a mail.
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
    let subject = of["subject"].as_str().unwrap_or_default();
    args.set("subject", subject.to_owned());
    let complaint = subject.parse::<Uuid>().map_or_else(|_| subject.to_owned(), |id| human_reference(Id(id)));
    args.set("complaint", complaint);
    args.set("unit", details["unit"].as_str().unwrap_or_default().to_owned());
    args.set("due", day(messages, &details["dueOn"]));
    args.set("count", details["complaints"].as_i64().or(details["deliveries"].as_i64()).unwrap_or(0));
    args.set("expected", messages.number(details["expected"].as_f64().unwrap_or(0.0), 1));
    // As on the page: the setting may be as small as 0.001.
    args.set("chance", messages.number_at_most(details["falseAlarmsPerMonth"].as_f64().unwrap_or(0.0), 3));
    for (name, key) in [("from", "from"), ("to", "to"), ("at", "scheduledAt")] {
        args.set(name, local(details[key].as_str().unwrap_or_default()));
    }
    args.set("day", day(messages, &details["asOf"]));
    let key = if is_never_made(item) { "notice-digest-not-made".to_owned() } else { format!("notice-{kind}") };
    messages.message(&key, &args).map_err(|e| e.to_string())
}

/// Whether an alert is about a digest that was not even made: its subject is a subscription.
fn is_never_made(item: &Value) -> bool {
    item["of"]["kind"] == AlertKind::DigestUndelivered.as_str() && item["details"]["scheduledAt"].is_string()
}

/// A day as the reader writes it; a text that is no day stays as it is.
fn day(messages: &Messages, value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.parse::<NaiveDate>().map_or_else(|_| text.to_owned(), |day| messages.date(day))
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
        "JOB_FAILED" | "JOB_MISSED" => Some(format!("{base}/jobs?job={}", encoded(of["subject"].as_str()?))),
        "DIGEST_UNDELIVERED" if is_never_made(item) => Some(format!("{base}/jobs?job=reader-digests")),
        // A recipient of the alert may lack the right to open the digest.
        "DIGEST_UNDELIVERED" => Some(format!("{base}/jobs?job=deliver-digests")),
        "COMPLAINT_ESCALATED" => Some(format!("{base}/complaints/{}", of["subject"].as_str()?)),
        // The unit, or all of them, with the alert that tells the hours.
        "TECHNICAL_BURST" => {
            Some(format!("{base}/alerts?kind=TECHNICAL_BURST&subject={}", encoded(of["subject"].as_str()?)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::enums::{DeliveryState, Locale, NotificationChannel};
    use schema::{JsonValue, Timestamp};
    use serde_json::json;

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
                        "scheduledAt": "2025-03-03T02:00:00Z", "deliveries": 2, "asOf": "2025-03-02",
                        "unit": "02", "dueOn": "2025-03-02", "falseAlarmsPerMonth": 0.25
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
                principal_id: None,
                unit_id: None,
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
            let (quarter, most) =
                (messages.number(0.25, 2), if locale == Locale::Vi { "nhiều nhất" } else { "at most" });
            assert!(burst.contains(&format!("{most} {quarter} ")), "{burst}");
            let escalated = items.iter().find(|item| item["of"]["kind"] == "COMPLAINT_ESCALATED").expect("it");
            let told = sentence(&messages, escalated).expect("a sentence");
            let due = messages.date(NaiveDate::from_ymd_opt(2025, 3, 2).expect("a day"));
            assert!(told.contains(&due) && !told.contains("2025-03-02"), "{told}");
        }
    }

    #[test]
    fn an_alert_links_to_a_page_that_its_readers_may_open() {
        let link = |kind: &str| link("https://x.example/", &json!({ "of": { "kind": kind, "subject": "a b" } }));
        for kind in ["JOB_FAILED", "JOB_MISSED"] {
            assert_eq!(link(kind).as_deref(), Some("https://x.example/jobs?job=a%20b"));
        }
        assert_eq!(link("DIGEST_UNDELIVERED").as_deref(), Some("https://x.example/jobs?job=deliver-digests"));
        let not_made = json!({
            "of": { "kind": "DIGEST_UNDELIVERED", "subject": "x" },
            "details": { "scheduledAt": "2025-03-03T00:00:00Z" },
        });
        assert_eq!(
            super::link("https://x.example", &not_made).as_deref(),
            Some("https://x.example/jobs?job=reader-digests")
        );
        let told = |item: &Value| sentence(&Messages::new(Locale::En).expect("messages"), item).expect("a sentence");
        assert!(told(&not_made).contains("07:00 03/03/2025"), "{}", told(&not_made));
        let not_sent = json!({ "of": not_made["of"], "details": { "asOf": "2025-03-02", "deliveries": 2 } });
        assert!(told(&not_sent).contains("2 of its recipients"), "{}", told(&not_sent));
        for kind in AlertKind::WORDS.iter().copied() {
            assert!(link(kind).is_some(), "{kind}");
        }
        assert_eq!(link("webhook.test"), None);
    }
}
