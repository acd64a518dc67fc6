//! Builds identifiers. Ids of imported complaints and of reference data derive from their source, so every database
//! gives the same ones.

use crate::events::Entity;
use crate::sql_types::Id;
use chrono::{NaiveDate, NaiveTime};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The namespace of the ids of reference data.
const NAMESPACE: Uuid = Uuid::from_u128(0x3c6f_1d52_8a0e_4b8e_9d51_7a60_2b17_c0de);

/// The id of a complaint: a UUIDv8 whose first 48 bits are midnight (UTC, ms) of the date received, and whose rest is
/// a hash of source and source reference. Ids sort by time in an index, also for imported history, and reveal the day
/// but not the minute.
pub fn complaint_id(received_on: NaiveDate, source: &str, reference: &str) -> Id {
    with_day(received_on, &hash_of(source, reference))
}

/// Whether a complaint's id derives from this source and reference, with any day of receipt.
pub fn is_complaint_id_of(id: Id, source: &str, reference: &str) -> bool {
    let mut day = [0; 6];
    day.copy_from_slice(&id.0.as_bytes()[..6]);
    id == with_millis(day, &hash_of(source, reference))
}

fn hash_of(source: &str, reference: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((source.len() as u64).to_be_bytes());
    hash.update(source);
    hash.update(reference);
    hash.finalize().into()
}

/// The id of a complaint that has no source reference.
pub fn random_complaint_id(received_on: NaiveDate) -> Id {
    with_day(received_on, &rand::random())
}

fn with_day(day: NaiveDate, rest: &[u8; 32]) -> Id {
    let millis = day.and_time(NaiveTime::MIN).and_utc().timestamp_millis().max(0);
    let mut day = [0; 6];
    day.copy_from_slice(&millis.to_be_bytes()[2..]);
    with_millis(day, rest)
}

fn with_millis(day: [u8; 6], rest: &[u8; 32]) -> Id {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&day);
    bytes[6..].copy_from_slice(&rest[..10]);
    Id(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// The id of a row of reference data, a UUIDv5 of its kind and its key.
pub fn reference_id(entity: Entity, key: &str) -> Id {
    Id(Uuid::new_v5(&NAMESPACE, format!("{}\u{0}{key}", entity.as_str()).as_bytes()))
}

/// A random id (UUIDv4), which reveals nothing.
pub fn random_id() -> Id {
    Id(Uuid::new_v4())
}

/// The digits of Crockford's Base32, which has no letters that look like digits.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const WORD: usize = 10;
/// The low bits of the id that its reference does not show.
const HIDDEN: u32 = 24;

/// The reference for people, derived from the id: `PA-20101231-7F3KQ2M9ZX`. It has the day and the leading 50 bits of
/// the hash, so a reference names a range of ids.
pub fn human_reference(id: Id) -> String {
    let bits = id.0.as_u128();
    let millis = i64::try_from(bits >> 80).unwrap_or_default();
    let day = chrono::DateTime::from_timestamp_millis(millis).unwrap_or_default();
    let mut hash = ((bits >> 64) & 0xFFF) << 38 | (bits & ((1 << 62) - 1)) >> HIDDEN;
    let mut word = [b'0'; WORD];
    for place in word.iter_mut().rev() {
        *place = DIGITS[(hash & 31) as usize];
        hash >>= 5;
    }
    format!("PA-{}-{}", day.format("%Y%m%d"), String::from_utf8_lossy(&word))
}

/// The range of ids that a reference names, both ends included; None where the text is not a reference.
pub fn ids_of_reference(reference: &str) -> Option<(Id, Id)> {
    let (day, word) = reference.trim().strip_prefix("PA-")?.split_once('-')?;
    let day = NaiveDate::parse_from_str(day, "%Y%m%d").ok()?;
    if word.len() != WORD {
        return None;
    }
    let mut hash = 0u128;
    for digit in word.bytes() {
        let value = DIGITS.iter().position(|d| *d == digit.to_ascii_uppercase())?;
        hash = hash << 5 | value as u128;
    }
    let millis = u128::try_from(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis()).ok()?;
    // Version 8, and the variant of RFC 9562.
    let first = millis << 80 | 8 << 76 | (hash >> 38) << 64 | 0b10 << 62 | (hash & ((1 << 38) - 1)) << HIDDEN;
    Some((Id(Uuid::from_u128(first)), Id(Uuid::from_u128(first | ((1 << HIDDEN) - 1)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lie_in_the_order_of_days_and_repeat() {
        let day = |d| NaiveDate::from_ymd_opt(2010, 12, d).expect("a date");
        let (a, b) = (complaint_id(day(30), "cpdp", "2"), complaint_id(day(31), "cpdp", "1"));
        assert!(a < b);
        assert_eq!(a, complaint_id(day(30), "cpdp", "2"));
        assert_ne!(a, complaint_id(day(30), "cpd", "p2"), "source and reference do not run together");
        assert_eq!(a.0.get_version_num(), 8);
        assert!(human_reference(a).starts_with("PA-20101230-"), "{}", human_reference(a));
        let (first, last) = ids_of_reference(&human_reference(a)).expect("a reference");
        assert!(first <= a && a <= last);
        assert!(!(first <= b && b <= last));
        assert_eq!(ids_of_reference("PA-20101230-U"), None);
    }
}
