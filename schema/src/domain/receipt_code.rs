//! Receipt codes: a person with the code of a complaint acts as its complainant, without a token.
//!
//! A code is `BN-` (biên nhận) and five groups of four symbols. The symbols are those of Crockford's Base32, which has
//! no two that look alike. 19 of them are random (95 bits); the last one is a check symbol, which any mistyped symbol
//! and any two exchanged ones break.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX: &str = "BN";
/// Symbols of a code, with the check symbol.
const LENGTH: usize = 20;
const GROUP: usize = 4;

/// A text that is not a receipt code.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("is mistyped: write BN- and the five groups of four letters and digits of the receipt")]
pub struct Mistyped;

/// A receipt code, each symbol as its number.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceiptCode([u8; LENGTH]);

// A code must not get into a log by accident.
impl std::fmt::Debug for ReceiptCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReceiptCode(…)")
    }
}

/// Multiplies by the generator of the field of 32 elements (x⁵ + x² + 1).
fn times_generator(symbol: u8) -> u8 {
    let shifted = symbol << 1;
    if shifted & 0b10_0000 == 0 { shifted } else { shifted ^ 0b10_0101 }
}

/// The value of the polynomial whose coefficients are the symbols; 0 for a whole code.
fn syndrome(symbols: &[u8]) -> u8 {
    symbols.iter().fold(0, |sum, symbol| times_generator(sum) ^ symbol)
}

impl ReceiptCode {
    /// A new random code.
    pub fn random() -> Self {
        let mut symbols: [u8; LENGTH] = rand::random();
        symbols.iter_mut().for_each(|symbol| *symbol &= 31);
        symbols[LENGTH - 1] = times_generator(syndrome(&symbols[..LENGTH - 1]));
        Self(symbols)
    }

    /// Reads a code as people write it: in either case, with or without hyphens, spaces and prefix, O for 0 and I or L
    /// for 1.
    ///
    /// # Errors
    /// If it is not a code, or a symbol is mistyped.
    pub fn parse(text: &str) -> Result<Self, Mistyped> {
        // A longer text is not a code, whatever it holds.
        if text.len() > 4 * LENGTH {
            return Err(Mistyped);
        }
        let written: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let written = written.to_ascii_uppercase();
        let symbols = match written.strip_prefix(PREFIX) {
            Some(rest) if written.len() == LENGTH + PREFIX.len() => rest,
            _ => written.as_str(),
        };
        let number = |symbol: u8| {
            let symbol = match symbol {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            SYMBOLS.iter().position(|one| *one == symbol).and_then(|at| u8::try_from(at).ok())
        };
        let symbols: Vec<u8> = symbols.bytes().map(number).collect::<Option<_>>().ok_or(Mistyped)?;
        let symbols: [u8; LENGTH] = symbols.try_into().map_err(|_| Mistyped)?;
        if syndrome(&symbols) == 0 { Ok(Self(symbols)) } else { Err(Mistyped) }
    }

    /// The code as it is shown, once.
    pub fn shown(&self) -> String {
        let symbols: Vec<u8> = self.0.iter().map(|symbol| SYMBOLS[usize::from(*symbol & 31)]).collect();
        let mut shown = PREFIX.to_owned();
        for group in symbols.chunks(GROUP) {
            shown.push('-');
            shown.push_str(&String::from_utf8_lossy(group));
        }
        shown
    }

    /// The first group. Attempts are counted by it, for all codes that begin with it.
    pub fn first_group(&self) -> [u8; GROUP] {
        let mut group = [0; GROUP];
        group.copy_from_slice(&self.0[..GROUP]);
        group
    }

    /// The number by which the row of a code is found: 64 bits of a hash.
    pub fn lookup(&self) -> i64 {
        let digest = Sha256::new().chain_update(b"receipt lookup").chain_update(self.0).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(first)
    }

    /// The hash that is stored. It is a fast one: a code has 95 random bits, so brute force is hopeless.
    pub fn hash(&self, salt: &[u8]) -> Vec<u8> {
        self.mac(salt).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
    }

    /// Whether a hash is that of this code. The comparison takes the same time wherever they differ.
    pub fn matches(&self, salt: &[u8], hash: &[u8]) -> bool {
        self.mac(salt).is_some_and(|mac| mac.verify_slice(hash).is_ok())
    }

    fn mac(&self, salt: &[u8]) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(salt).ok()?;
        mac.update(&self.0);
        Some(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_write_it() {
        for _ in 0..200 {
            let code = ReceiptCode::random();
            let shown = code.shown();
            assert_eq!((shown.len(), &shown[..3]), (27, "BN-"), "{shown}");
            let bare: String = shown[3..].split('-').collect();
            let typed = bare.to_lowercase().replace('0', "o").replace('1', "l");
            for written in [shown.clone(), bare.clone(), typed, format!("  bn {bare} "), shown.replace('-', " ")] {
                assert_eq!(ReceiptCode::parse(&written), Ok(code.clone()), "{written}");
            }
        }
    }

    #[test]
    fn a_mistyped_symbol_and_two_exchanged_ones_are_noticed() {
        let code = ReceiptCode::random();
        for at in 0..LENGTH {
            for other in (0..32).filter(|other| *other != code.0[at]) {
                let mut typed = code.clone();
                typed.0[at] = other;
                assert_eq!(ReceiptCode::parse(&typed.shown()), Err(Mistyped), "{at} {other}");
            }
            for with in (0..at).filter(|with| code.0[*with] != code.0[at]) {
                let mut typed = code.clone();
                typed.0.swap(at, with);
                assert_eq!(ReceiptCode::parse(&typed.shown()), Err(Mistyped), "{at} {with}");
            }
        }
        for no_code in ["", "BN-", "BN-UUUU-UUUU-UUUU-UUUU-UUUU", "PA-20240105-7F3KQ2M9ZX", &"0".repeat(1_000), "đ"] {
            assert_eq!(ReceiptCode::parse(no_code), Err(Mistyped), "{no_code}");
        }
    }

    #[test]
    fn the_hash_is_of_this_code_and_this_salt() {
        let (one, other) = (ReceiptCode::random(), ReceiptCode::random());
        let hash = one.hash(b"salt");
        assert!(one.matches(b"salt", &hash));
        assert!(!other.matches(b"salt", &hash) && !one.matches(b"other", &hash) && !one.matches(b"salt", &hash[..31]));
        assert_eq!(format!("{one:?}"), "ReceiptCode(…)");
        assert_ne!(one.lookup(), other.lookup());
    }
}
