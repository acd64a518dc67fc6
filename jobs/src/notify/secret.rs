//! The secrets that sign webhooks, and the signatures (https://www.standardwebhooks.com).

use data_encoding::BASE64;
use schema::Timestamp;
use schema::keys::Keys;
use schema::models::NotificationEndpoint;
use standardwebhooks::Webhook;

const PURPOSE: &str = "webhook";

/// Why a secret cannot be derived.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("webhooks are signed with the key file: name it with --key-file or PHANANH_KEY_FILE")]
    NoKeys,
    #[error("the key file lacks key {0}, from which the secret of this webhook is derived: rotate the secret")]
    NoKey(i32),
}

/// The secret of an endpoint in the form that receivers take.
///
/// # Errors
/// Without a key file, or if it lacks the key.
pub fn secret(keys: Option<&Keys>, endpoint: &NotificationEndpoint) -> Result<String, SecretError> {
    let secret = derived(keys, endpoint, endpoint.key_version, endpoint.secret_number)?;
    Ok(format!("whsec_{}", BASE64.encode(&secret)))
}

fn derived(
    keys: Option<&Keys>,
    endpoint: &NotificationEndpoint,
    version: i32,
    number: i32,
) -> Result<[u8; 32], SecretError> {
    let keys = keys.ok_or(SecretError::NoKeys)?;
    let message = [endpoint.id.0.as_bytes().as_slice(), &number.to_be_bytes()];
    let code = u32::try_from(version).ok().and_then(|version| keys.code(version, PURPOSE, &message));
    code.ok_or(SecretError::NoKey(version))
}

/// The signatures of a message, separated by spaces: with the present secret and, for some time after a rotation, with
/// the one before.
///
/// # Errors
/// If a secret cannot be derived.
pub(super) fn signatures(
    keys: Option<&Keys>,
    endpoint: &NotificationEndpoint,
    id: &str,
    at: Timestamp,
    body: &str,
) -> Result<String, String> {
    let derive = |version, number| derived(keys, endpoint, version, number).map_err(|error| error.to_string());
    let mut secrets = vec![derive(endpoint.key_version, endpoint.secret_number)?];
    if let Some(version) = endpoint.previous_key_version
        && endpoint.previous_until.is_some_and(|until| until > at)
    {
        // Without its key the previous secret cannot sign; the present one still does.
        secrets.extend(derive(version, endpoint.secret_number - 1).ok());
    }
    let seconds = at.utc().timestamp();
    let sign = |secret: [u8; 32]| {
        Webhook::from_bytes(secret.to_vec()).and_then(|webhook| webhook.sign(id, seconds, body.as_bytes()))
    };
    let signatures = secrets.into_iter().map(sign).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    Ok(signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use schema::JsonValue;
    use schema::domain::ids::random_id;
    use schema::enums::{Locale, NotificationChannel};
    use serde_json::json;

    #[test]
    fn a_rotation_changes_the_secret_and_signs_with_both_for_some_time() {
        let keys = Keys::ephemeral();
        let now = Timestamp::now();
        let mut endpoint = NotificationEndpoint {
            id: random_id(),
            channel: NotificationChannel::Webhook,
            name: "test".into(),
            address: "https://example.org".into(),
            locale: Locale::Vi,
            events: JsonValue(json!([])),
            key_version: 0,
            secret_number: 1,
            previous_key_version: None,
            previous_until: None,
            created_at: now,
            created_by: "cli".into(),
            disabled_at: None,
            disabled_reason: None,
            principal_id: None,
            unit_id: None,
        };
        let sign = |endpoint: &NotificationEndpoint| {
            signatures(Some(&keys), endpoint, "msg_1", now, "{}").expect("signatures")
        };
        let (before, first) = (secret(Some(&keys), &endpoint).expect("a secret"), sign(&endpoint));
        endpoint.secret_number = 2;
        endpoint.previous_key_version = Some(0);
        endpoint.previous_until = Some((now.utc() + TimeDelta::hours(1)).into());
        assert_ne!(secret(Some(&keys), &endpoint).expect("a secret"), before);
        let both = sign(&endpoint);
        assert!(both.split(' ').count() == 2 && both.ends_with(&first), "{both} {first}");
        endpoint.previous_until = Some(now);
        assert!(!sign(&endpoint).contains(&first));
        assert!(matches!(secret(None, &endpoint), Err(SecretError::NoKeys)));
        endpoint.key_version = 9;
        assert!(matches!(secret(Some(&keys), &endpoint), Err(SecretError::NoKey(9))));
    }
}
