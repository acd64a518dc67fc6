//! Codes that people take for one another: signs that nobody sees, and signs that look alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

/// Whether a character cannot be seen: what Unicode lets programs ignore (zero-width spaces, byte order marks, soft hyphens,
/// Hangul fillers, variation selectors), and the blank Braille pattern.
pub fn is_hidden(c: char) -> bool {
    // The skeleton of a text leaves out the code points that are ignorable by default, and nothing else.
    !c.is_ascii() && (c == '\u{2800}' || skeleton(c.encode_utf8(&mut [0; 4])).next().is_none())
}

/// A text for a message: characters that cannot be seen are written as `<U+200B>`.
pub fn shown(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) || c.is_control() || (c.is_whitespace() && c != ' ') {
            let _infallible = write!(written, "<U+{:04X}>", u32::from(c));
        } else {
            written.push(c);
        }
    }
    written
}

/// A text without the characters that cannot be seen, and those characters as `U+200B, U+00AD`; None where all can be seen.
pub fn without_hidden(text: &str) -> Option<(String, String)> {
    if text.is_ascii() || !text.contains(is_hidden) {
        return None;
    }
    let hidden: BTreeSet<char> = text.chars().filter(|c| is_hidden(*c)).collect();
    // A mark may meet its letter now.
    let rest = text.chars().filter(|c| !is_hidden(*c)).nfc().collect();
    Some((rest, code_points(hidden.into_iter())))
}

/// A code in quotes, with the code points of its signs outside ASCII: `"CC‑1" (U+2011)`.
pub fn spelt(text: &str) -> String {
    let signs = code_points(text.chars().filter(|c| !c.is_ascii()));
    if signs.is_empty() { format!("{:?}", shown(text)) } else { format!("\"{}\" ({signs})", shown(text)) }
}

fn code_points(signs: impl Iterator<Item = char>) -> String {
    signs.map(|c| format!("U+{:04X}", u32::from(c))).collect::<Vec<_>>().join(", ")
}

/// What two texts have in common that look alike: the skeleton of Unicode's security mechanisms (UTS 39), regardless of width,
/// case, spaces, and which dash it is.
pub fn look(text: &str) -> String {
    let plain: String = text.nfkc().filter(|c| !c.is_whitespace() && !is_hidden(*c)).map(one_dash).collect();
    // Capitals and small letters have skeletons of their own, so it is taken before and after.
    let small = skeleton(&plain).collect::<String>().to_lowercase();
    skeleton(&small).collect()
}

fn one_dash(c: char) -> char {
    if matches!(c, '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{30fc}' | '\u{ff70}' | '_' | '\u{58a}') {
        '-'
    } else {
        c
    }
}

/// Codes that are compared in one import, of each kind of thing.
const MOST_CODES: usize = 200_000;

/// The codes of one kind of thing that a file names, each with where it stood first.
#[derive(Default)]
pub struct Codes(HashMap<String, (u64, String)>);

impl Codes {
    pub fn note(&mut self, code: &str, line: u64, column: &str) {
        if !self.0.contains_key(code) && self.0.len() < MOST_CODES {
            self.0.insert(code.to_owned(), (line, column.to_owned()));
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Codes of the file that look like another one of the file or of the register, in the order of the file.
    pub fn look_alikes(&self, what: &str, register: &[String]) -> Vec<String> {
        let mut alike: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for code in self.0.keys() {
            alike.entry(look(code)).or_default().insert(code);
        }
        for code in register {
            if let Some(codes) = alike.get_mut(&look(code)) {
                codes.insert(code);
            }
        }
        let mut told: Vec<(u64, String)> = Vec::new();
        for codes in alike.values().filter(|codes| codes.len() > 1) {
            // The plainest of them is the one that the others are compared with.
            let Some(plain) = codes.iter().min_by_key(|code| (!code.is_ascii(), code.len(), **code)) else { continue };
            for code in codes.iter().filter(|code| code != &plain) {
                let stands = self.0.get(*code).or_else(|| self.0.get(*plain));
                let Some((line, column)) = stands else { continue };
                told.push((
                    *line,
                    format!(
                        "row {line}, column {column:?}: the {what} codes {} and {} look alike and are two: are they one \
                         {what}? Then write one code in the file and import again",
                        spelt(code),
                        spelt(plain)
                    ),
                ));
            }
        }
        told.sort();
        told.into_iter().map(|(_, message)| message).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown_and_dropped() {
        for hidden in
            ['\u{200b}', '\u{feff}', '\u{ad}', '\u{3164}', '\u{115f}', '\u{ffa0}', '\u{2060}', '\u{200e}', '\u{2800}']
        {
            let code = format!("CC{hidden}-1");
            assert_eq!(without_hidden(&code), Some(("CC-1".into(), format!("U+{:04X}", u32::from(hidden)))));
            assert_eq!(shown(&code), format!("CC<U+{:04X}>-1", u32::from(hidden)));
        }
        assert_eq!(without_hidden("Đội 1"), None);
        assert_eq!(shown("Đội\t1\u{a0}"), "Đội<U+0009>1<U+00A0>");
    }

    #[test]
    fn what_looks_alike_has_one_look_and_nothing_else() {
        for alike in [
            "CC‑1",
            "CC–1",
            "CC−1",
            "\u{421}\u{421}-1",
            "ＣＣ－１",
            "cc-1",
            "CC - 1",
            "CC\u{a0}-1",
            "\u{421}C-1",
            "CC-\u{200b}1",
        ] {
            assert_eq!(look(alike), look("CC-1"), "{alike}");
        }
        assert_eq!(look("Ð"), look("Đ"));
        assert_eq!(look("Ðội"), look("đội"));
        for other in ["CC-2", "CC-11", "CD-1", "CC.1", "Đ"] {
            assert_ne!(look(other), look("CC-1"), "{other}");
        }
        assert_ne!(look("SÁCH"), look("SẠCH"));
    }

    #[test]
    fn both_codes_are_named() {
        let mut codes = Codes::default();
        codes.note("CC-1", 2, "cb");
        codes.note("CC‑1", 4, "cb");
        codes.note("A1", 5, "cb");
        let told = codes.look_alikes("officer", &["A 1".into(), "b".into(), "B".into()]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("row 4") && told[0].contains("\"CC‑1\" (U+2011) and \"CC-1\""), "{told:?}");
        assert!(told[1].contains("row 5") && told[1].contains("\"A 1\" and \"A1\""), "{told:?}");
    }
}
