//! Pseudonyms: keyed identifiers that hide officers, enterprises and complaints.
//!
//! Each audience has its own key, so the pseudonyms of two audiences cannot be linked: a reader who sees names together
//! with pseudonyms learns nothing about the pseudonyms of another audience.

use crate::enums::Role;
use crate::keys::{Coder, CursorKeys, Keys};
use crate::sql_types::Id;
use data_encoding::BASE32_NOPAD;
use siphasher::sip::SipHasher24;
use std::fmt::{self, Write};
use std::hash::Hasher;

/// Bytes of a pseudonym by one of the first nine keys.
const LENGTH: usize = 27;

/// The readers of a pseudonym, and their channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// All readers with a role, in GraphQL and SQL results.
    Role(Role),
    /// The head of one unit.
    Unit(Id),
    /// The recipients of a role's export files.
    Export(Role),
    /// The recipients of a role's export files with the references of imported registers. The references can identify
    /// the subjects, so these pseudonyms appear nowhere else.
    Referenced(Role),
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "role/{role}"),
            Self::Unit(unit) => write!(f, "unit/{unit}"),
            Self::Export(role) => write!(f, "export/{role}"),
            Self::Referenced(role) => write!(f, "referenced/{role}"),
        }
    }
}

impl Keys {
    /// The pseudonyms of officers, enterprises and complaints for an audience.
    pub fn pseudonyms(&self, audience: Audience) -> Pseudonyms {
        Pseudonyms::new(self, audience)
    }

    /// The keys that seal the cursors of an audience.
    pub fn cursors(&self, audience: Audience) -> Option<CursorKeys> {
        let sealing = self.code(self.version(), &format!("cursor/{audience}"), &[])?;
        Some(CursorKeys { sealing, nonce: self.coder(self.version(), &format!("cursor-nonce/{audience}"))? })
    }
}

/// The kind of subject behind a pseudonym.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    Complaint,
    Officer,
    Enterprise,
    /// Its id is derived from that of its subject.
    Flag,
}

impl Subject {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Complaint => b"complaint",
            Self::Officer => b"officer",
            Self::Enterprise => b"enterprise",
            Self::Flag => b"flag",
        }
    }
}

/// The pseudonyms of one audience.
#[derive(Clone)]
pub struct Pseudonyms {
    audience: Audience,
    version: u32,
    current: Option<Coder>,
    /// The codes of earlier keys: they still resolve pseudonyms shown before a rotation.
    earlier: Vec<(u32, Coder)>,
    order: [u8; 32],
}

impl Pseudonyms {
    fn new(keys: &Keys, audience: Audience) -> Self {
        let purpose = format!("pseudonym/{audience}");
        let version = keys.version();
        let earlier = keys.versions().filter(|other| *other != version);
        Self {
            audience,
            version,
            current: keys.coder(version, &purpose),
            earlier: earlier.filter_map(|version| Some((version, keys.coder(version, &purpose)?))).collect(),
            order: keys.code(version, &format!("order/{audience}"), &[]).unwrap_or_default(),
        }
    }

    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// The version of the current key.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The pseudonym of a subject: `k`, the key's version, `-` and 24 letters and digits. It is stable until the key is
    /// rotated and reveals nothing without the key.
    pub fn of(&self, subject: Subject, id: Id) -> String {
        self.current.as_ref().map(|coder| written(self.version, coder, subject, id)).unwrap_or_default()
    }

    /// Writes the pseudonym of a subject behind a text: one text serves many of them.
    pub fn append(&self, subject: Subject, id: Id, to: &mut String) {
        if let Some(coder) = &self.current {
            append(self.version, coder, subject, id, to);
        }
    }

    /// Whether a pseudonym, made with any version of the key, is that of a subject.
    pub fn stands_for(&self, pseudonym: &str, subject: Subject, id: Id) -> bool {
        let version = pseudonym.strip_prefix('k').and_then(|rest| rest.split_once('-')?.0.parse::<u32>().ok());
        let Some(version) = version else { return false };
        let earlier = || self.earlier.iter().find(|(other, _)| *other == version).map(|(_, coder)| coder);
        let coder = if version == self.version { self.current.as_ref() } else { earlier() };
        coder.is_some_and(|coder| written(version, coder, subject, id) == pseudonym)
    }

    /// A sort key that orders subjects of one kind like their pseudonyms.
    pub fn place(&self, subject: Subject, id: Id) -> i64 {
        let pseudonym = self.of(subject, id);
        let letters = pseudonym.split_once('-').map_or("", |(_, letters)| letters);
        // The first 60 bits. Digits sort before letters, as in a comparison of texts.
        letters.bytes().take(12).fold(0, |place, letter| {
            let digit = if letter.is_ascii_digit() { letter - b'2' } else { letter.saturating_sub(b'a') + 6 };
            place << 5 | i64::from(digit)
        })
    }

    /// The tiebreaker for lists of complaints that reveals nothing about their ids.
    pub fn shuffle(&self) -> Shuffle {
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.order[..16]);
        Shuffle(salt)
    }
}

fn written(version: u32, coder: &Coder, subject: Subject, id: Id) -> String {
    let mut pseudonym = String::with_capacity(LENGTH);
    append(version, coder, subject, id, &mut pseudonym);
    pseudonym
}

fn append(version: u32, coder: &Coder, subject: Subject, id: Id, to: &mut String) {
    let code = coder.code(&[subject.word(), &[0], id.0.as_bytes()]);
    // A text takes whatever is written.
    let _written = write!(to, "k{version}-");
    let from = to.len();
    BASE32_NOPAD.encode_append(&code[..15], to);
    if let Some(letters) = to.get_mut(from..) {
        letters.make_ascii_lowercase();
    }
}

/// A secret order of complaints for readers who may not know their ids. Ids are derived from the source's references,
/// so a reader with a list of these could identify complaints by the order of ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shuffle([u8; 16]);

impl fmt::Debug for Shuffle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret order")
    }
}

impl Shuffle {
    /// The salt of the order in SQL, in hexadecimal.
    pub(crate) fn salt(self) -> String {
        data_encoding::HEXLOWER.encode(&self.0)
    }

    /// The sort key of a complaint in memory. It gives another order than the SQL expression, whose SHA-256 is slower.
    pub fn place(self, id_high: u64, id_low: u64) -> u64 {
        let half = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        let mut hasher = SipHasher24::new_with_keys(half(&self.0[..8]), half(&self.0[8..]));
        hasher.write_u64(id_high);
        hasher.write_u64(id_low);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::random_id;

    const SUBJECTS: [Subject; 4] = [Subject::Complaint, Subject::Officer, Subject::Enterprise, Subject::Flag];

    #[test]
    fn no_two_audiences_see_the_same() {
        let keys = Keys::ephemeral();
        let roles = Role::WORDS.iter().map(|word| word.parse::<Role>().expect("a role"));
        let mut audiences: Vec<Audience> =
            roles.flat_map(|role| [Audience::Role(role), Audience::Export(role), Audience::Referenced(role)]).collect();
        audiences.extend([random_id(), random_id()].map(Audience::Unit));
        let id = random_id();
        let mut seen = std::collections::HashSet::new();
        for audience in &audiences {
            let pseudonyms = keys.pseudonyms(*audience);
            for subject in SUBJECTS {
                assert!(seen.insert(pseudonyms.of(subject, id)), "{audience} {subject:?}");
                assert_eq!(pseudonyms.of(subject, id), keys.pseudonyms(*audience).of(subject, id));
                let mut text = "before ".to_owned();
                pseudonyms.append(subject, id, &mut text);
                assert_eq!(text, format!("before {}", pseudonyms.of(subject, id)));
            }
            let other = keys.pseudonyms(Audience::Unit(random_id()));
            assert!(!other.stands_for(&pseudonyms.of(Subject::Complaint, id), Subject::Complaint, id));
        }
    }

    #[test]
    fn the_place_is_that_of_the_pseudonym() {
        let pseudonyms = Keys::ephemeral().pseudonyms(Audience::Role(Role::DataTeam));
        let mut ids: Vec<Id> = (0..200).map(|_| random_id()).collect();
        ids.sort_by_key(|id| pseudonyms.of(Subject::Officer, *id));
        assert!(ids.is_sorted_by_key(|id| pseudonyms.place(Subject::Officer, *id)));
    }

    #[test]
    fn a_pseudonym_of_an_earlier_key_still_stands() {
        let folder = std::env::temp_dir().join(format!("phananh-pseudonyms-{}", random_id()));
        Keys::create(&folder).expect("a key file");
        let (id, audience) = (random_id(), Audience::Unit(random_id()));
        let before = Keys::load(&folder).expect("the keys").pseudonyms(audience).of(Subject::Complaint, id);
        let rotated = Keys::rotate(&folder).expect("another key").pseudonyms(audience);
        std::fs::remove_file(&folder).ok();
        assert!(before.starts_with("k1-") && rotated.of(Subject::Complaint, id).starts_with("k2-"));
        assert!(rotated.stands_for(&before, Subject::Complaint, id));
        assert!(!rotated.stands_for(&before, Subject::Officer, id));
        assert!(!rotated.stands_for(&before.replace("k1-", "k9-"), Subject::Complaint, id));
    }
}
