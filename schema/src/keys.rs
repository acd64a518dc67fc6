//! The key file: secrets that stand outside the database. They sign seals, make pseudonyms and hide what
//! cursors hold.
//!
//! A TOML file with keys by version, of which one is current: after a rotation new seals are signed with
//! the new key, and those of before can still be verified.

use crate::files::{Draft, lock};
use crate::pseudonyms::{Audience, Pseudonyms};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// What can be wrong with a key file.
#[derive(Debug, thiserror::Error)]
#[error("the key file {path}: {message}")]
pub struct KeyError {
    path: String,
    message: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    current: u32,
    /// 32 random bytes each, in base64.
    keys: BTreeMap<String, String>,
}

/// The keys, by version.
#[derive(Clone)]
pub struct Keys {
    current: u32,
    keys: BTreeMap<u32, [u8; 32]>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "keys up to version {}", self.current)
    }
}

impl Keys {
    /// Reads a key file. Nobody but its owner may read it.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let wrong = |message: String| KeyError { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(path).map_err(|e| wrong(format!("{e}; `phananh key create` makes one")))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(wrong("others can read it: chmod 600 makes it its owner's".into()));
            }
        }
        let file: KeyFile = toml::from_str(&text).map_err(|e| wrong(e.message().to_owned()))?;
        let mut keys = BTreeMap::new();
        for (version, key) in &file.keys {
            let key = BASE64.decode(key.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let key = key.ok_or_else(|| wrong(format!("key {version} is not 32 bytes in base64")))?;
            let version = version.parse().map_err(|_| wrong(format!("{version:?} is no version of a key")))?;
            keys.insert(version, key);
        }
        if !keys.contains_key(&file.current) {
            return Err(wrong(format!("there is no key of the current version {}", file.current)));
        }
        Ok(Self { current: file.current, keys })
    }

    /// Makes a key file that is not there yet.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let keys = Self { current: 1, keys: BTreeMap::from([(1, rand::random())]) };
        keys.store(path, Draft::keep_new)?;
        Ok(keys)
    }

    /// A key that nobody keeps.
    pub fn passing() -> Self {
        Self { current: 0, keys: BTreeMap::from([(0, rand::random())]) }
    }

    /// Adds a key to a key file and makes it the current one. Pseudonyms are others from then on.
    pub fn rotate(path: &Path) -> Result<Self, KeyError> {
        // Of two rotations at once each adds a key of its own.
        let _held = lock(path).ok();
        let mut keys = Self::load(path)?;
        keys.current = keys.keys.last_key_value().map_or(1, |(version, _)| version + 1);
        keys.keys.insert(keys.current, rand::random());
        keys.store(path, Draft::keep)?;
        Ok(keys)
    }

    /// Writes the file as a whole: whatever ends the program meanwhile, the old one stands.
    fn store(&self, path: &Path, put: impl FnOnce(Draft) -> io::Result<()>) -> Result<(), KeyError> {
        let wrong = |message: String| KeyError { path: path.display().to_string(), message };
        let keys = self.keys.iter().map(|(version, key)| (version.to_string(), BASE64.encode(key))).collect();
        let text = toml::to_string(&KeyFile { current: self.current, keys }).map_err(|e| wrong(e.to_string()))?;
        let written = Draft::begin(path).and_then(|mut draft| {
            draft.write_all(text.as_bytes())?;
            put(draft)
        });
        written.map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists => wrong("it is there already: `phananh key rotate` adds a key to it".into()),
            _ => wrong(e.to_string()),
        })
    }

    pub fn version(&self) -> u32 {
        self.current
    }

    /// The oldest key, for what a rotation must not change.
    pub fn first_version(&self) -> u32 {
        self.keys.first_key_value().map_or(self.current, |(version, _)| *version)
    }

    /// What makes the codes of one purpose with the key of a version; None where there is no such key.
    pub(crate) fn coder(&self, version: u32, purpose: &str) -> Option<Coder> {
        // A key of its own for each purpose, so that one thing cannot be passed off as another.
        let own = mac(self.keys.get(&version)?, &[purpose.as_bytes()])?;
        Some(Coder(Hmac::new_from_slice(&own).ok()?))
    }

    /// A code of a message for a purpose; None where there is no key of that version.
    pub fn code(&self, version: u32, purpose: &str, message: &[&[u8]]) -> Option<[u8; 32]> {
        Some(self.coder(version, purpose)?.code(message))
    }

    /// The versions of the keys.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u32> {
        self.keys.keys().copied()
    }

    /// What stands for people, enterprises and complaints towards an audience.
    pub fn pseudonyms(&self, audience: Audience) -> Pseudonyms {
        Pseudonyms::new(self, audience)
    }

    /// The keys that seal the cursors of an audience.
    pub fn cursors(&self, audience: Audience) -> Option<CursorKeys> {
        let sealing = self.code(self.current, &format!("cursor/{audience}"), &[])?;
        Some(CursorKeys { sealing, nonce: self.coder(self.current, &format!("cursor-nonce/{audience}"))? })
    }
}

/// The keys that seal the cursors of an audience.
#[derive(Clone)]
pub struct CursorKeys {
    pub sealing: [u8; 32],
    /// Makes a nonce of what is sealed.
    pub nonce: Coder,
}

/// Makes codes of messages (HMAC-SHA-256) with a key that serves one purpose.
#[derive(Clone)]
pub struct Coder(Hmac<Sha256>);

impl Coder {
    pub fn code(&self, message: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        message.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

fn mac(key: &[u8; 32], message: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    message.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}
