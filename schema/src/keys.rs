//! The key file: secrets that stand outside the database. They sign seals, make pseudonyms and hide what
//! cursors hold.
//!
//! A TOML file with keys by version, of which one is current: after a rotation new seals are signed with
//! the new key, and those of before can still be verified.

use crate::sql_types::Id;
use data_encoding::{BASE32_NOPAD, BASE64};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::io::Write;
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
        keys.store(path, true)?;
        Ok(keys)
    }

    /// A key that nobody keeps.
    pub fn passing() -> Self {
        Self { current: 0, keys: BTreeMap::from([(0, rand::random())]) }
    }

    /// Adds a key to a key file and makes it the current one. Pseudonyms are others from then on.
    pub fn rotate(path: &Path) -> Result<Self, KeyError> {
        let mut keys = Self::load(path)?;
        keys.current = keys.keys.last_key_value().map_or(1, |(version, _)| version + 1);
        keys.keys.insert(keys.current, rand::random());
        // The old file stands until the new one is whole.
        let beside = path.with_extension("new");
        keys.store(&beside, true)?;
        std::fs::rename(&beside, path)
            .map_err(|e| KeyError { path: path.display().to_string(), message: e.to_string() })?;
        Ok(keys)
    }

    fn store(&self, path: &Path, new: bool) -> Result<(), KeyError> {
        let wrong = |message: String| KeyError { path: path.display().to_string(), message };
        let keys = self.keys.iter().map(|(version, key)| (version.to_string(), BASE64.encode(key))).collect();
        let text = toml::to_string(&KeyFile { current: self.current, keys }).map_err(|e| wrong(e.to_string()))?;
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(new);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(path).map_err(|e| wrong(e.to_string()))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| wrong(e.to_string()))
    }

    pub fn version(&self) -> u32 {
        self.current
    }

    /// The oldest key, for what a rotation must not change.
    pub fn first_version(&self) -> u32 {
        self.keys.first_key_value().map_or(self.current, |(version, _)| *version)
    }

    /// A code of a message for a purpose; None where there is no key of that version.
    pub fn code(&self, version: u32, purpose: &str, message: &[&[u8]]) -> Option<[u8; 32]> {
        // A key of its own for each purpose, so that one thing cannot be passed off as another.
        let own = mac(self.keys.get(&version)?, &[purpose.as_bytes()])?;
        mac(&own, message)
    }

    /// The pseudonym of somebody: the same for as long as the key is, and nothing can be told from it
    /// without the key. It begins with the version of the key.
    pub fn pseudonym(&self, kind: &str, id: Id) -> String {
        self.pseudonym_of(self.current, kind, id).unwrap_or_default()
    }

    /// Whether a pseudonym, of whichever version of the key, stands for somebody.
    pub fn stands_for(&self, pseudonym: &str, kind: &str, id: Id) -> bool {
        let version = pseudonym.strip_prefix('k').and_then(|rest| rest.split_once('-')?.0.parse().ok());
        version.and_then(|version| self.pseudonym_of(version, kind, id)).is_some_and(|known| known == pseudonym)
    }

    fn pseudonym_of(&self, version: u32, kind: &str, id: Id) -> Option<String> {
        let code = self.code(version, "pseudonym", &[kind.as_bytes(), &[0], id.0.as_bytes()])?;
        Some(format!("k{version}-{}", BASE32_NOPAD.encode(&code[..15]).to_ascii_lowercase()))
    }
}

fn mac(key: &[u8; 32], message: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    message.iter().for_each(|part| mac.update(part));
    Some(mac.finalize().into_bytes().into())
}
