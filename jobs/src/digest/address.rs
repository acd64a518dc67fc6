//! Addresses that digests and alerts are sent to: validation, allowed domains, and when two spellings are the same.

use lettre::Address;
use schema::domain::inert;
use schema::enums::DeliveryChannel;
use std::path::{Path, PathBuf};

/// The longest mail address, in characters (RFC 5321 §4.5.3.1.3: a path has 256 octets with its brackets).
const LONGEST_MAIL: usize = 254;
/// The longest path of a folder, in bytes.
const LONGEST_FOLDER: usize = 4_096;

/// Checks that an address is valid for its channel, and returns it.
///
/// # Errors
/// A message with the reason and the right form.
pub fn check(channel: DeliveryChannel, address: &str) -> Result<&str, String> {
    match channel {
        DeliveryChannel::Folder => folder(address),
        DeliveryChannel::Email => mailbox(inert::name("the address", address, LONGEST_MAIL)?),
    }
}

/// The canonical form of an address, for comparison: mail addresses in lower case, paths by their components. (RFC
/// 5321 lets servers treat local parts as case-sensitive; those in use do not.)
pub fn identity(channel: DeliveryChannel, address: &str) -> String {
    match channel {
        DeliveryChannel::Email => address.to_lowercase(),
        DeliveryChannel::Folder => Path::new(address).components().collect::<PathBuf>().display().to_string(),
    }
}

/// Checks that mail to an address may be sent: `domains` has the allowed ones, with those below them; empty allows all.
///
/// # Errors
/// A message with the allowed domains.
pub fn check_domain(channel: DeliveryChannel, address: &str, domains: &[String]) -> Result<(), String> {
    if channel != DeliveryChannel::Email || domains.is_empty() {
        return Ok(());
    }
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
    let is_allowed = |allowed: &String| {
        let allowed = allowed.to_lowercase();
        domain == allowed || domain.strip_suffix(&allowed).is_some_and(|above| above.ends_with('.'))
    };
    match domains.iter().any(is_allowed) {
        true => Ok(()),
        false => {
            Err(format!("mail is sent only to addresses of {} (digests.domains), not to {address}", domains.join(", ")))
        }
    }
}

/// Checks a path: any script is valid, control and invisible characters are not.
fn folder(address: &str) -> Result<&str, String> {
    if address.is_empty() || address.len() > LONGEST_FOLDER {
        return Err(format!("the folder must have 1 to {LONGEST_FOLDER} bytes"));
    }
    match address.chars().find(|c| inert::is_control_or_hidden(*c)) {
        Some(c) => Err(format!("the folder {address:?} contains the invisible character U+{:04X}", u32::from(c))),
        None => Ok(address),
    }
}

fn mailbox(address: &str) -> Result<&str, String> {
    let wrong = |what: &str| Err(format!("invalid mail address {address:?}: {what}"));
    let Some((local, domain)) = address.rsplit_once('@') else {
        return wrong("write it like board@example.org");
    };
    if !local.is_ascii() {
        return wrong(
            "the part before the @ has letters that mail servers without SMTPUTF8 reject; use an ASCII address",
        );
    }
    if !domain.is_ascii() {
        return wrong("write the domain in its ASCII form (xn--…)");
    }
    if local.contains(['"', '\\', ' ', '(', ')', ',', ':', ';', '<', '>', '[', ']']) {
        return wrong("quoted names are not supported; use an address without quotes, spaces and brackets");
    }
    if domain.starts_with('[') || domain.parse::<std::net::IpAddr>().is_ok() {
        return wrong("write the domain of the mailbox, not an IP address");
    }
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    // No domain ends in a number; a name that does is an IP address (RFC 3696 §2).
    let is_number = labels.last().is_none_or(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    if !labels.iter().all(is_label) || is_number || (labels.len() == 1 && domain != "localhost") {
        return wrong("the part after the @ must be a domain such as example.org");
    }
    match address.parse::<Address>() {
        Ok(_) => Ok(address),
        Err(error) => wrong(&format!("{error}; write it like board@example.org")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_sent_to_is_refused() {
        for address in ["board@example.org", "a.b+c_d-e@mail-1.example.org", "root@localhost", "x@xn--cquan-jya.vn"] {
            assert_eq!(check(DeliveryChannel::Email, address), Ok(address));
        }
        for address in [
            "nobody",
            "@example.org",
            "a@",
            "a@b",
            "a@@example.org",
            "a..b@example.org",
            "a@-example.org",
            "a@example..org",
            "a@127.0.0.1",
            "a@127.1",
            "a@999.1.1.1",
            "a@[127.0.0.1]",
            "\"a b\"@example.org",
            "a b@example.org",
            "a@example.org, b@example.org",
            "nguyễn@example.org",
            "x@cơquan.vn",
            "An <a@example.org>",
        ] {
            assert!(check(DeliveryChannel::Email, address).is_err(), "{address}");
        }
    }

    #[test]
    fn only_allowed_domains_and_those_below_them_get_mail() {
        let domains = ["customs.gov.vn".to_owned()];
        let check = |address: &str| check_domain(DeliveryChannel::Email, address, &domains).is_ok();
        assert!(check("a@customs.gov.vn") && check("a@Haiphong.Customs.gov.vn"));
        assert!(!check("a@evil-customs.gov.vn") && !check("a@customs.gov.vn.evil.example"));
        assert!(check_domain(DeliveryChannel::Folder, "/srv/digests", &domains).is_ok());
        assert!(check_domain(DeliveryChannel::Email, "a@example.org", &[]).is_ok());
    }

    #[test]
    fn spellings_of_one_address_are_one() {
        let mail = |address| identity(DeliveryChannel::Email, address);
        assert_eq!(mail("Board@Example.ORG"), mail("board@example.org"));
        let folder = |address| identity(DeliveryChannel::Folder, address);
        assert_eq!(folder("/srv/digests/"), folder("/srv//./digests"));
        assert_ne!(folder("/srv/digests"), folder("/srv/Digests"));
        assert!(check(DeliveryChannel::Folder, "/srv/Ba\u{301}o ca\u{301}o/東京").is_ok());
        assert!(check(DeliveryChannel::Folder, "/srv/a\nb").is_err());
    }
}
