//! The key file: secrets kept outside the database, from which the keys for seals, pseudonyms, cursors and disclosure
//! noise are derived.
//!
//! A TOML file with keys by version, one of them current: after a rotation new seals are signed with the new key, and
//! earlier seals can still be verified.

use crate::files::{AtomicFile, lock};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// An error in the key file, with its path.
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
    /// Reads a key file.
    ///
    /// # Errors
    /// If the file cannot be read or parsed, is accessible to others than its owner, or lacks the current key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let wrong = |message: String| KeyError { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(path).map_err(|e| wrong(format!("{e}; `phananh key create` makes one")))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(wrong("is accessible to other users: run chmod 600 on it".into()));
            }
        }
        let file: KeyFile = toml::from_str(&text).map_err(|e| wrong(e.message().to_owned()))?;
        let mut keys = BTreeMap::new();
        for (version, key) in &file.keys {
            let key = BASE64.decode(key.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            let key = key.ok_or_else(|| wrong(format!("key {version} is not 32 bytes in base64")))?;
            let version = version.parse().map_err(|_| wrong(format!("{version:?} is not a version number")))?;
            keys.insert(version, key);
        }
        if !keys.contains_key(&file.current) {
            return Err(wrong(format!("has no key of the current version {}", file.current)));
        }
        Ok(Self { current: file.current, keys })
    }

    /// Creates a key file with one key.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let keys = Self { current: 1, keys: BTreeMap::from([(1, rand::random())]) };
        keys.store(path, AtomicFile::keep_new)?;
        Ok(keys)
    }

    /// An ephemeral random key that is not stored.
    pub fn ephemeral() -> Self {
        Self { current: 0, keys: BTreeMap::from([(0, rand::random())]) }
    }

    /// Adds a key to a key file and makes it current, which changes all pseudonyms.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn rotate(path: &Path) -> Result<Self, KeyError> {
        // Serialises concurrent rotations, so that each adds its own key.
        let _held = lock(path).ok();
        let mut keys = Self::load(path)?;
        keys.current = keys.keys.last_key_value().map_or(1, |(version, _)| version + 1);
        keys.keys.insert(keys.current, rand::random());
        keys.store(path, AtomicFile::keep)?;
        Ok(keys)
    }

    /// Writes the file atomically: a crash leaves the old file.
    fn store(&self, path: &Path, put: impl FnOnce(AtomicFile) -> io::Result<()>) -> Result<(), KeyError> {
        let wrong = |message: String| KeyError { path: path.display().to_string(), message };
        let keys = self.keys.iter().map(|(version, key)| (version.to_string(), BASE64.encode(key))).collect();
        let text = toml::to_string(&KeyFile { current: self.current, keys }).map_err(|e| wrong(e.to_string()))?;
        let written = AtomicFile::begin(path).and_then(|mut draft| {
            draft.write_all(text.as_bytes())?;
            put(draft)
        });
        written.map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists => wrong("it is there already: add a key to it with `phananh key rotate`".into()),
            _ => wrong(e.to_string()),
        })
    }

    pub fn version(&self) -> u32 {
        self.current
    }

    /// The version of the oldest key, for values that a rotation must not change.
    pub fn first_version(&self) -> u32 {
        self.keys.first_key_value().map_or(self.current, |(version, _)| *version)
    }

    /// The HMAC for one purpose, with a key derived from that of `version`; None if there is no such key.
    pub(crate) fn coder(&self, version: u32, purpose: &str) -> Option<Coder> {
        // Each purpose has its own key, so that a code for one purpose is invalid for another.
        let own = mac(self.keys.get(&version)?, &[purpose.as_bytes()])?;
        Some(Coder(Hmac::new_from_slice(&own).ok()?))
    }

    /// The code (HMAC) of a message for a purpose; None if there is no key of that version.
    pub fn code(&self, version: u32, purpose: &str, message: &[&[u8]]) -> Option<[u8; 32]> {
        Some(self.coder(version, purpose)?.code(message))
    }

    /// The versions of the keys.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u32> {
        self.keys.keys().copied()
    }
}

/// The keys that seal the cursors of an audience.
#[derive(Clone)]
pub struct CursorKeys {
    pub sealing: [u8; 32],
    /// Derives the nonce from the plaintext.
    pub nonce: Coder,
}

/// Computes message authentication codes (HMAC-SHA-256) with the key of one purpose.
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
