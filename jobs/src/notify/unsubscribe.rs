//! One-click unsubscription from mail (RFC 8058): the token in the address, and the headers of a mail.
//!
//! A token names the subscription and has a code that only the key file makes: nothing is stored for it, and a forged
//! token unsubscribes no reader.

use super::endpoints;
use crate::digest::outbox;
use crate::runner::settings::Settings;
use data_encoding::BASE64URL_NOPAD;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use schema::db::WriteTx;
use schema::keys::Keys;
use schema::{Id, StoreError};
use uuid::Uuid;

/// The subscription or endpoint that a mail belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A subscription of digests.
    Digests,
    /// An endpoint of alerts.
    Endpoint,
}

const PURPOSE: &str = "unsubscribe";
/// Its kind, the version of the key, the id, and half of the code.
const LENGTH: usize = 1 + 4 + 16 + 16;

/// The token that ends a subscription; None if the keys have no current one.
pub fn token(keys: &Keys, of: Of, id: Id) -> Option<String> {
    let version = keys.version();
    let mut bytes = vec![kind(of)];
    bytes.extend(version.to_be_bytes());
    bytes.extend(id.0.as_bytes());
    let code = keys.code(version, PURPOSE, &[&bytes])?;
    bytes.extend(&code[..16]);
    Some(BASE64URL_NOPAD.encode(&bytes))
}

const fn kind(of: Of) -> u8 {
    match of {
        Of::Digests => b'd',
        Of::Endpoint => b'e',
    }
}

/// The subscription or endpoint that a token ends; None if this server did not make the token.
pub fn parsed(keys: &Keys, token: &str) -> Option<(Of, Id)> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
    let (said, code) = bytes.split_at_checked(LENGTH - 16)?;
    let version = u32::from_be_bytes(said[1..5].try_into().ok()?);
    let right = keys.code(version, PURPOSE, &[said])?;
    // In constant time, so that the time of an answer reveals nothing about the code.
    let differs = code.len() != 16 || code.iter().zip(&right).fold(0_u8, |all, (one, other)| all | (one ^ other)) != 0;
    if differs {
        return None;
    }
    let of = match said[0] {
        b'd' => Of::Digests,
        b'e' => Of::Endpoint,
        _ => return None,
    };
    Some((of, Id(Uuid::from_slice(&said[5..]).ok()?)))
}

/// Ends the subscription or endpoint of a token. A second call has no effect.
///
/// # Errors
/// `NotFound` if it does not exist.
pub fn end(tx: &mut WriteTx<'_>, of: Of, id: Id) -> Result<(), StoreError> {
    match of {
        Of::Digests => outbox::end(tx, id),
        Of::Endpoint => endpoints::disable(tx, id, "the recipient unsubscribed").map(|_| ()),
    }
}

/// Adds `List-Unsubscribe`, where the settings have a base URL and keys, and `List-Unsubscribe-Post` if it is https: mail
/// programs unsubscribe with one click by https only (RFC 8058 §3.1).
pub fn add_headers(mail: &mut Message, settings: &Settings, of: Of, id: Id) {
    let Some(base) = &settings.links.base_url else { return };
    let Some(token) = settings.keys.as_deref().and_then(|keys| token(keys, of, id)) else { return };
    let address = format!("<{}/unsubscribe/{token}>", base.trim_end_matches('/'));
    let mut headers = vec![(HeaderName::new_from_ascii_str("List-Unsubscribe"), address)];
    if base.starts_with("https://") {
        let one_click = "List-Unsubscribe=One-Click".to_owned();
        headers.push((HeaderName::new_from_ascii_str("List-Unsubscribe-Post"), one_click));
    }
    for (name, value) in headers {
        // The address may be longer than a line. It must be neither folded nor encoded.
        mail.headers_mut().insert_raw(HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lettre::message::header::ContentType;
    use schema::domain::ids::random_id;
    use std::sync::Arc;

    #[test]
    fn one_click_is_offered_by_https_only() {
        let mut settings = Settings { keys: Some(Arc::new(Keys::ephemeral())), ..Settings::default() };
        for (base, headers) in
            [(None, [false, false]), (Some("http://a.example"), [true, false]), (Some("https://a.example"), [true; 2])]
        {
            settings.links.base_url = base.map(str::to_owned);
            let mail = Message::builder()
                .from("a@example.org".parse().expect("an address"))
                .to("b@example.org".parse().expect("an address"))
                .header(ContentType::TEXT_PLAIN)
                .body(String::new());
            let mut mail = mail.expect("a mail");
            add_headers(&mut mail, &settings, Of::Digests, random_id());
            let found =
                ["List-Unsubscribe", "List-Unsubscribe-Post"].map(|name| mail.headers().get_raw(name).is_some());
            assert_eq!(found, headers, "{base:?}");
        }
    }

    #[test]
    fn a_token_names_what_it_ends_and_cannot_be_made_without_the_keys() {
        let keys = Keys::ephemeral();
        let id = random_id();
        for of in [Of::Digests, Of::Endpoint] {
            let token = token(&keys, of, id).expect("a token");
            assert_eq!(parsed(&keys, &token), Some((of, id)));
            assert_eq!(parsed(&Keys::ephemeral(), &token), None);
            for index in 0..token.len() {
                let mut other = token.clone().into_bytes();
                other[index] = if other[index] == b'A' { b'B' } else { b'A' };
                let other = String::from_utf8(other).expect("text");
                assert_eq!(parsed(&keys, &other), None, "{index}");
            }
            assert_eq!(parsed(&keys, &token[..token.len() - 4]), None);
        }
        assert_eq!(parsed(&keys, ""), None);
        assert_eq!(parsed(&keys, "đ"), None);
    }
}
