//! Detects invisible characters, and codes that look alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

/// Whether a character is invisible: the default-ignorable code points of Unicode (zero-width spaces, byte order marks,
/// soft hyphens, Hangul fillers, variation selectors) and the blank Braille pattern.
pub fn is_hidden(c: char) -> bool {
    // The skeleton of a text drops exactly the default-ignorable code points.
    !c.is_ascii() && (c == '\u{2800}' || skeleton(c.encode_utf8(&mut [0; 4])).next().is_none())
}

/// A text for a message: invisible and control characters are written as `<U+200B>`.
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

/// A text without its invisible characters, and those characters as `U+200B, U+00AD`; None where there are none.
pub fn without_hidden(text: &str) -> Option<(String, String)> {
    if text.is_ascii() || !text.contains(is_hidden) {
        return None;
    }
    let hidden: BTreeSet<char> = text.chars().filter(|c| is_hidden(*c)).collect();
    // A removed character may have separated a diacritic from its letter.
    let rest = text.chars().filter(|c| !is_hidden(*c)).nfc().collect();
    Some((rest, code_points(hidden.into_iter())))
}

/// A code in quotes, with the code points of its non-ASCII characters: `"CC‑1" (U+2011)`.
pub fn spelt(text: &str) -> String {
    let signs = code_points(text.chars().filter(|c| !c.is_ascii()));
    if signs.is_empty() { format!("{:?}", shown(text)) } else { format!("\"{}\" ({signs})", shown(text)) }
}

fn code_points(signs: impl Iterator<Item = char>) -> String {
    signs.map(|c| format!("U+{:04X}", u32::from(c))).collect::<Vec<_>>().join(", ")
}

/// A key that texts which look alike share: the skeleton of Unicode's security mechanisms (UTS 39), regardless of
/// width, case, spaces and kind of dash.
pub fn look(text: &str) -> String {
    let plain: String = text.nfkc().filter(|c| !c.is_whitespace() && !is_hidden(*c)).map(one_dash).collect();
    // Upper and lower case letters have different skeletons, so it is taken before and after lowercasing.
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

/// Codes of each kind of entity that one import compares at most.
const MOST_CODES: usize = 200_000;

/// The codes of one kind of entity in a file, each with the row and column of its first occurrence.
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

    /// Messages about codes of the file that look like another code of the file or of the register, in file order.
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
        let mut messages: Vec<(u64, String)> = Vec::new();
        for codes in alike.values().filter(|codes| codes.len() > 1) {
            // The others are compared with the plainest one: ASCII first, then the shortest.
            let Some(plain) = codes.iter().min_by_key(|code| (!code.is_ascii(), code.len(), **code)) else { continue };
            for code in codes.iter().filter(|code| code != &plain) {
                let place = self.0.get(*code).or_else(|| self.0.get(*plain));
                let Some((line, column)) = place else { continue };
                messages.push((
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
        messages.sort();
        messages.into_iter().map(|(_, message)| message).collect()
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
        let messages = codes.look_alikes("officer", &["A 1".into(), "b".into(), "B".into()]);
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(
            messages[0].contains("row 4") && messages[0].contains("\"CC‑1\" (U+2011) and \"CC-1\""),
            "{messages:?}"
        );
        assert!(messages[1].contains("row 5") && messages[1].contains("\"A 1\" and \"A1\""), "{messages:?}");
    }
}
