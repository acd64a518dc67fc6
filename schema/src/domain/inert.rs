//! Texts of others where a terminal, a log or a reader's eye would take them for more than a text.

use std::borrow::Cow;
use std::fmt::Write;

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
    match name.chars().find(|c| acts(*c)) {
        Some(c) => Err(format!(
            "{what} is {name:?}: a name has no line breaks, control characters, invisible ones or marks of direction, and \
             U+{:04X} is one",
            u32::from(c)
        )),
        None => Ok(name),
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
        ] {
            assert!(name("a name", wrong, 100).is_err(), "{wrong:?}");
        }
        assert!(name("a name", &"a".repeat(101), 100).is_err());
        assert_eq!(name("a name", "Nguyễn Văn An – Ban", 100), Ok("Nguyễn Văn An – Ban"));
    }
}
