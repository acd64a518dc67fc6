//! Sends one message to a webhook, by Standard Webhooks: the id, the time and the signatures are in headers, and the
//! answer must be 2xx.

use super::resolver::CheckedResolver;
use super::secret::signatures;
use crate::runner::settings::Settings;
use chrono::{DateTime, Utc};
use schema::Timestamp;
use schema::models::{Notification, NotificationEndpoint};
use std::time::Duration;
use ureq::Agent;
use ureq::http::StatusCode;
use ureq::http::header::RETRY_AFTER;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub status: Option<i32>,
    pub why: String,
    /// The time that the receiver asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether the receiver wants no further messages (410 Gone).
    pub is_gone: bool,
    /// Whether no further attempt is made.
    pub is_final: bool,
}

impl Failure {
    pub fn new(why: impl Into<String>) -> Self {
        Self { status: None, why: why.into(), retry_after: None, is_gone: false, is_final: false }
    }

    /// Why a message is not sent at all.
    pub fn refusal(why: impl Into<String>) -> Self {
        Self { is_final: true, ..Self::new(why) }
    }
}

/// A client that connects to checked addresses only, directly, and follows no redirect.
///
/// # Errors
/// If the settings name a network that cannot be parsed.
pub fn client(settings: &Settings) -> Result<Agent, String> {
    let networks = settings.webhooks.networks()?;
    // The system's trust store: a closed network has its own certificate authority.
    let trust = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        // A redirect could lead to an address that was not checked.
        .max_redirects(0)
        // A proxy could do the same.
        .proxy(None)
        .max_idle_connections(0)
        .timeout_global(Some(Duration::from_secs(settings.webhooks.timeout_seconds)))
        .tls_config(trust)
        .user_agent(concat!("phananh/", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(Agent::with_parts(config, DefaultConnector::default(), CheckedResolver::new(networks)))
}

/// Sends a message; returns the status.
///
/// # Errors
/// Why the receiver did not take it.
pub fn send(
    client: &Agent,
    settings: &Settings,
    endpoint: &NotificationEndpoint,
    message: &Notification,
) -> Result<i32, Failure> {
    let id = format!("msg_{}", message.id);
    let now = Timestamp::now();
    let signatures = signatures(settings.keys.as_deref(), endpoint, &id, now, &message.body).map_err(Failure::new)?;
    let answer = client
        .post(endpoint.address.as_str())
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", now.utc().timestamp().to_string())
        .header("webhook-signature", signatures)
        .send(message.body.as_str())
        .map_err(|error| match error {
            // Without the prefix that ureq puts before it.
            ureq::Error::Io(error) => Failure::new(error.to_string()),
            error => Failure::new(error.to_string()),
        })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(i32::from(status.as_u16()));
    }
    let wait = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let why = match status {
        StatusCode::GONE => "410 Gone: the endpoint is disabled".to_owned(),
        status if status.is_redirection() => format!("{status}: redirects are not followed, change the address"),
        status => status.to_string(),
    };
    Err(Failure {
        status: Some(i32::from(status.as_u16())),
        why,
        retry_after: wait.and_then(|text| parsed_wait(text, now.utc())),
        is_gone: status == StatusCode::GONE,
        is_final: false,
    })
}

/// The wait that `Retry-After` asks for, in seconds or until a time.
fn parsed_wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    (until.with_timezone(&Utc) - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_in_seconds_or_until_a_time() {
        let now = DateTime::parse_from_rfc3339("2015-10-21T07:27:00Z").expect("a time").with_timezone(&Utc);
        for (text, seconds) in [
            ("120", Some(120)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", None),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(parsed_wait(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
