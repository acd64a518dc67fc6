//! Makes untrusted text harmless: escapes characters that control a terminal or a log, and rejects deceptive names.

use std::borrow::Cow;
use std::fmt::Write;
use unicode_normalization::is_nfc;
use unicode_security::confusable_detection::skeleton;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

/// Whether a character has an effect, or is invisible, instead of being read: control characters, line and paragraph
/// separators, bidirectional controls, and invisible characters.
pub fn is_control_or_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text with every character for which [`is_control_or_hidden`] holds escaped, as `\n` or `\u{1b}`: one harmless
/// line.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_control_or_hidden)
}

/// Like [`visible`], for a text of several lines: line feeds stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_control_or_hidden(c))
}

/// A JSON document with such characters escaped. Its value stays the same, since they occur only in strings.
pub fn visible_json(document: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| c != '\n' && is_control_or_hidden(c);
    if !document.contains(is_escaped) {
        return Cow::Borrowed(document);
    }
    let mut written = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        if is_escaped(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(written, "\\u{unit:04x}");
            }
        } else {
            written.push(c);
        }
    }
    Cow::Owned(written)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) { written.extend(c.escape_default()) } else { written.push(c) }
    }
    Cow::Owned(written)
}

/// Checks a name that people and the audit log see: a name must not look like another one or like other output.
///
/// # Errors
/// The problem of the name, as a sentence about `what`.
pub fn name<'n>(what: &str, name: &'n str, longest: usize) -> Result<&'n str, String> {
    if name.is_empty() || name.chars().count() > longest {
        return Err(format!("{what} has 1 to {longest} characters"));
    }
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        return Err(format!("{what} is {name:?}: remove the white space at its ends"));
    }
    if let Some(c) = name.chars().find(|c| !may_stand_in_a_name(*c)) {
        return Err(format!(
            "{what} is {name:?}: a name has only visible, unambiguous letters, digits, spaces and punctuation; remove \
             U+{:04X}",
            u32::from(c)
        ));
    }
    if !is_nfc(name) {
        return Err(format!("{what} is {name:?}: write its letters with their marks as one character each (NFC)"));
    }
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    if !letters.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(format!("{what} is {name:?}: it has letters of several scripts that look alike: use one script"));
    }
    Ok(name)
}

/// Whether a reader would confuse two names: they have the same skeleton (Unicode UTS 39), in which `–` is `-` and `l`
/// is `1`.
pub fn looks_like(one: &str, other: &str) -> bool {
    skeleton(one).eq(skeleton(other))
}

/// Whether a character is allowed in a name: printable ASCII, characters that Unicode recommends for identifiers
/// (UTS 39), and some punctuation. Invisible letters such as U+3164 are not among these.
fn may_stand_in_a_name(c: char) -> bool {
    match c.is_ascii() {
        true => c == ' ' || c.is_ascii_graphic(),
        false => !is_control_or_hidden(c) && (c.identifier_allowed() || "–—‘’“”«»…№§".contains(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_in_what_is_visible() {
        let text = "a\u{1b}[31mđỏ\r\nb\u{202e}c\u{2028}d\u{9b}e";
        assert_eq!(visible(text), "a\\u{1b}[31mđỏ\\r\\nb\\u{202e}c\\u{2028}d\\u{9b}e");
        assert_eq!(visible_lines("a\nb\u{7}"), "a\nb\\u{7}");
        let document = serde_json::json!({ "a": text, "b": "\u{e0041}" }).to_string();
        let written = visible_json(&document);
        assert!(!written.contains(is_control_or_hidden), "{written}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&written).expect("JSON"),
            serde_json::from_str::<serde_json::Value>(&document).expect("JSON")
        );
    }

    #[test]
    fn a_name_is_what_it_looks_like() {
        for wrong in [
            "",
            " An",
            "An ",
            "An\n",
            "A\u{1b}[2Jn",
            "A\u{202e}n",
            "A\u{200b}n",
            "A\u{2028}n",
            "An\u{a0}",
            "\u{feff}An",
            "A\u{a0}n",
            "\u{3164}",
            "An\u{115f}",
            "A\u{2800}n",
            "A\u{fe0f}n",
            // A Cyrillic letter, mathematical letters, and marks apart from their letter.
            "B\u{430}n",
            "\u{1d400}n",
            "Nguye\u{302}n",
        ] {
            assert!(name("a name", wrong, 100).is_err(), "{wrong:?}");
        }
        assert!(name("a name", &"a".repeat(101), 100).is_err());
        assert_eq!(name("a name", "Nguyễn Văn An – Ban", 100), Ok("Nguyễn Văn An – Ban"));
        assert_eq!(name("a name", "Sales 東京", 100), Ok("Sales 東京"));
        assert_eq!(name("a name", "jobs@hải-quan.vn (02BA/07)", 100), Ok("jobs@hải-quan.vn (02BA/07)"));
    }

    #[test]
    fn names_that_a_reader_would_confuse_look_alike() {
        for (one, other) in [("BOARD-all", "BOARD–all"), ("node-1", "node-l"), ("admin", "adrnin"), ("An", "An")] {
            assert!(looks_like(one, other), "{one} {other}");
        }
        for (one, other) in [("BOARD", "Board"), ("An", "Ăn"), ("02BA", "02BB"), ("head 1", "head 2")] {
            assert!(!looks_like(one, other), "{one} {other}");
        }
    }
}
