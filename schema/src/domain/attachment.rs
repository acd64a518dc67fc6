//! Attachments by reference: a complainant describes a file that is stored elsewhere. The program never fetches it.

use super::inert::is_control_or_hidden;
use serde::Serialize;

/// The most attachments of one submission or addition.
pub const MOST_ATTACHMENTS: usize = 20;
/// The largest size of a file in bytes, the most that an Int of GraphQL holds.
const LARGEST: i64 = i32::MAX as i64;
const LONGEST_NAME: usize = 255;
const LONGEST_URL: usize = 2_000;
/// The longest type and the longest subtype of a media type (RFC 6838).
const LONGEST_TYPE: usize = 127;

/// A file that is stored elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reference {
    pub name: String,
    /// In bytes.
    pub size: i64,
    /// Type and subtype, lower case.
    pub media_type: String,
    /// 64 hexadecimal digits, lower case.
    pub sha256: String,
    pub url: String,
}

impl Reference {
    /// Checks a reference and writes it in its one form.
    ///
    /// # Errors
    /// Names the part that is wrong, and what to do.
    pub fn checked(self) -> Result<Self, String> {
        let Self { name, size, media_type, sha256, url } = self;
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(format!("name: write 1 to {LONGEST_NAME} characters"));
        }
        if name.chars().any(is_control_or_hidden) || name.contains(['/', '\\']) {
            return Err("name: leave out control characters, invisible characters and slashes".into());
        }
        if !(0..=LARGEST).contains(&size) {
            return Err(format!("size is {size}: must be from 0 to {LARGEST} bytes"));
        }
        let media_type = media_type.trim().to_ascii_lowercase();
        if !is_media_type(&media_type) {
            return Err("mediaType: write a type and a subtype without parameters, such as application/pdf".into());
        }
        let sha256 = sha256.trim().to_ascii_lowercase();
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("sha256: write the SHA-256 of the file as 64 hexadecimal digits".into());
        }
        check_url(&url)?;
        Ok(Self { name, size, media_type, sha256, url })
    }
}

/// A type and a subtype (RFC 6838), lower case.
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
            && name.len() <= LONGEST_TYPE
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

/// An address without secret parts: signatures and passwords of storage services are in the user part, the query or the
/// fragment.
fn check_url(url: &str) -> Result<(), String> {
    if url.len() > LONGEST_URL {
        return Err(format!("url: write at most {LONGEST_URL} characters"));
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("s3://"));
    let Some(rest) = rest else {
        return Err("url: write an address that begins with https:// or s3://".into());
    };
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || rest.contains(['"', '<', '>', '\\', '`', '{', '|', '}']) {
        return Err("url: write it in ASCII, other characters as %XX".into());
    }
    if rest.contains(['?', '#']) {
        return Err("url: leave out the query and the fragment: they may hold a password".into());
    }
    let host = rest.split('/').next().unwrap_or_default();
    if host.contains('@') {
        return Err("url: leave out the user and the password".into());
    }
    if host.is_empty() || !host.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
        return Err("url: name a host or a bucket".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference() -> Reference {
        Reference {
            name: "Biên bản.pdf".into(),
            size: 12_345,
            media_type: "application/pdf".into(),
            sha256: "a".repeat(64),
            url: "https://files.example.vn/a/b%20c.pdf".into(),
        }
    }

    #[test]
    fn a_reference_is_written_in_one_form() {
        let given = Reference {
            name: " Biên bản.pdf ".into(),
            media_type: "Application/PDF".into(),
            sha256: "A".repeat(64),
            ..reference()
        };
        assert_eq!(given.checked(), Ok(reference()));
        let stored = Reference { url: "s3://bucket/key".into(), ..reference() };
        assert_eq!(stored.clone().checked(), Ok(stored));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let with = |change: fn(&mut Reference)| {
            let mut given = reference();
            change(&mut given);
            given.checked().expect_err("refused")
        };
        for (message, part) in [
            (with(|given| given.name = " ".into()), "name"),
            (with(|given| given.name = "a\u{202e}fdp.exe".into()), "name"),
            (with(|given| given.name = "../../etc/passwd".into()), "name"),
            (with(|given| given.name = "a".repeat(256)), "name"),
            (with(|given| given.size = -1), "size"),
            (with(|given| given.size = i64::MAX), "size"),
            (with(|given| given.media_type = "pdf".into()), "mediaType"),
            (with(|given| given.media_type = "text/html; charset=utf-8".into()), "mediaType"),
            (with(|given| given.media_type = "text/".into()), "mediaType"),
            (with(|given| given.sha256 = "a".repeat(63)), "sha256"),
            (with(|given| given.sha256 = "g".repeat(64)), "sha256"),
            (with(|given| given.url = "http://files.example.vn/a".into()), "url"),
            (with(|given| given.url = "file:///etc/passwd".into()), "url"),
            (with(|given| given.url = "javascript:alert(1)".into()), "url"),
            (with(|given| given.url = "https://user:secret@files.example.vn/a".into()), "url"),
            (with(|given| given.url = "https://files.example.vn/a?sig=secret".into()), "url"),
            (with(|given| given.url = "https://files.example.vn/a#secret".into()), "url"),
            (with(|given| given.url = "https:///a".into()), "url"),
            (with(|given| given.url = "https://files.example.vn/a b".into()), "url"),
            (with(|given| given.url = format!("https://files.example.vn/{}", "a".repeat(2_000))), "url"),
        ] {
            assert!(message.starts_with(part), "{message}");
        }
    }
}
