//! Texts of others where a terminal, a log or a reader's eye would take them for more than a text.

use std::borrow::Cow;
use std::fmt::Write;
use unicode_normalization::is_nfc;
use unicode_security::confusable_detection::skeleton;
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

/// Whether a character does something, or hides, instead of being read: control characters, line and paragraph separators,
/// marks that turn the direction of writing, and those that cannot be seen.
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text on one line in which nothing acts: such characters are written as `\n`, `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

/// The same for a text of several lines: its line breaks stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && acts(c))
}

/// A JSON document in which nothing acts: the same document, since such characters stand in strings alone.
pub fn visible_json(document: &str) -> Cow<'_, str> {
    let acts = |c: char| c != '\n' && acts(c);
    if !document.contains(acts) {
        return Cow::Borrowed(document);
    }
    let mut written = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        if acts(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(written, "\\u{unit:04x}");
            }
        } else {
            written.push(c);
        }
    }
    Cow::Owned(written)
}

fn escaped(text: &str, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&acts) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) { written.extend(c.escape_default()) } else { written.push(c) }
    }
    Cow::Owned(written)
}

/// Checks a name by which people and the log know somebody or something: one that reads like another, or like more than a
/// name, deceives.
///
/// # Errors
/// What is wrong with it, as a sentence about `what`.
pub fn name<'n>(what: &str, name: &'n str, longest: usize) -> Result<&'n str, String> {
    if name.is_empty() || name.chars().count() > longest {
        return Err(format!("{what} has 1 to {longest} characters"));
    }
    if name.starts_with(char::is_whitespace) || name.ends_with(char::is_whitespace) {
        return Err(format!("{what} is {name:?}: leave out the white space at its ends"));
    }
    if let Some(c) = name.chars().find(|c| !may_stand_in_a_name(*c)) {
        return Err(format!(
            "{what} is {name:?}: a name has letters, digits, spaces and punctuation that everybody can see and tell apart, and \
             U+{:04X} is none of them",
            u32::from(c)
        ));
    }
    if !is_nfc(name) {
        return Err(format!("{what} is {name:?}: write its letters with their marks as one character each (NFC)"));
    }
    let letters: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
    if !letters.check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(format!("{what} is {name:?}: it has letters of several scripts that look alike: use those of one"));
    }
    Ok(name)
}

/// Whether a reader would take one name for the other: by the skeletons of the Unicode Consortium (UTS 39), in which `–` is `-`
/// and `l` is `1`.
pub fn looks_like(one: &str, other: &str) -> bool {
    skeleton(one).eq(skeleton(other))
}

/// Whether a character may stand in a name: ASCII that is printed, what the Unicode Consortium recommends for identifiers
/// (UTS 39), and some punctuation. Letters that nobody sees, such as U+3164, are none of these.
fn may_stand_in_a_name(c: char) -> bool {
    match c.is_ascii() {
        true => c == ' ' || c.is_ascii_graphic(),
        false => !acts(c) && (c.identifier_allowed() || "–—‘’“”«»…№§".contains(c)),
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
        assert!(!written.contains(acts), "{written}");
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
