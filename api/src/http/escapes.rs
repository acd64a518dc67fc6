//! Unicode escapes in the strings of a GraphQL document.
//!
//! The specification defines `\u00e9` for a UTF-16 code unit, with surrogate pairs for characters above U+FFFF
//! (October 2021), and `\u{1F600}` for a code point (September 2025). async-graphql's parser reads only single code
//! units. This module replaces the other escapes by the characters that they encode before parsing.

use std::borrow::Cow;

/// Replaces the escapes that the parser does not support with their characters. An invalid escape stays, so that the
/// parser reports its position.
pub fn with_plain_escapes(document: &str) -> Cow<'_, str> {
    if !document.contains("\\u") {
        return Cow::Borrowed(document);
    }
    let mut written = String::with_capacity(document.len());
    let mut rest = document;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' if rest.starts_with("\"\"\"") => block(rest),
            '"' => {
                let length = text(rest);
                rewrite(&rest[..length], &mut written);
                rest = &rest[length..];
                continue;
            }
            other => other.len_utf8(),
        };
        written.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Cow::Owned(written)
}

/// Bytes of the string at the start of `document`.
fn text(document: &str) -> usize {
    let mut escaped = false;
    for (at, c) in document.char_indices().skip(1) {
        match c {
            '\n' | '\r' => return at,
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    document.len()
}

/// Bytes of the block string at the start of `document`.
fn block(document: &str) -> usize {
    let mut at = 3;
    while let Some(found) = document[at..].find("\"\"\"") {
        at += found + 3;
        if !document[..at - 3].ends_with('\\') {
            return at;
        }
    }
    document.len()
}

fn rewrite(text: &str, written: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        match character(rest) {
            Some((c, length)) => {
                match c {
                    // Characters that end a string or a line or start an escape stay escaped.
                    '"' | '\\' => written.extend(['\\', c]),
                    c if c.is_control() => written.push_str(&format!("\\u{:04x}", u32::from(c))),
                    c => written.push(c),
                }
                rest = &rest[length..];
            }
            None => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                written.push_str(&rest[..length]);
                rest = &rest[length..];
            }
        }
    }
    written.push_str(rest);
}

/// The character of the escape at the start of `text`, and the bytes of the escape.
fn character(text: &str) -> Option<(char, usize)> {
    let after = text.strip_prefix("\\u")?;
    if let Some(braced) = after.strip_prefix('{') {
        let digits = &braced[..braced.find('}')?];
        let c = char::from_u32(hexadecimal(digits)?)?;
        return Some((c, "\\u{}".len() + digits.len()));
    }
    let first = u16::try_from(hexadecimal(after.get(..4)?)?).ok()?;
    let second = after[4..].strip_prefix("\\u").and_then(|more| hexadecimal(more.get(..4)?));
    let units = [Some(first), second.and_then(|unit| u16::try_from(unit).ok())];
    let mut characters = char::decode_utf16(units.into_iter().flatten());
    let c = characters.next()?.ok()?;
    Some((c, 6 * c.len_utf16()))
}

fn hexadecimal(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_number.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_read_however_they_are_escaped() {
        for (document, plain) in [
            (r#"{ a(b: "\uD83D\uDE00") }"#, "{ a(b: \"\u{1f600}\") }"),
            (r#"{ a(b: "x\u{1F600}y") }"#, "{ a(b: \"x\u{1f600}y\") }"),
            (r#"{ a(b: "\u{61}\u0062") }"#, r#"{ a(b: "ab") }"#),
            (r#"{ a(b: "\u{22}\u{5C}\u{A}") }"#, r#"{ a(b: "\"\\\u000a") }"#),
            // A backslash before the escape, a block string and a comment make it no escape.
            (r#"{ a(b: "\\u{61}") }"#, r#"{ a(b: "\\u{61}") }"#),
            (r#"{ a(b: """\u{61}""") }"#, r#"{ a(b: """\u{61}""") }"#),
            ("{ a # \"\\u{61}\n(b: \"\\u{61}\") }", "{ a # \"\\u{61}\n(b: \"a\") }"),
            // Invalid escapes.
            (r#"{ a(b: "\uD83D") }"#, r#"{ a(b: "\uD83D") }"#),
            (r#"{ a(b: "\uDE00\uD83D") }"#, r#"{ a(b: "\uDE00\uD83D") }"#),
            (r#"{ a(b: "\u{110000}\u{}\u{+1}") }"#, r#"{ a(b: "\u{110000}\u{}\u{+1}") }"#),
            (r#"{ a(b: "\u{61"#, r#"{ a(b: "\u{61"#),
            (r#"{ a(b: "\u00é9\u"#, r#"{ a(b: "\u00é9\u"#),
        ] {
            assert_eq!(with_plain_escapes(document), plain, "{document}");
        }
    }
}
