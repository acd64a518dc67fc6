//! The words of a command.

/// Bytes of the word, the quoted text or the sign at the beginning.
pub fn word_length(text: &str) -> usize {
    match text.chars().next() {
        Some(quote @ ('\'' | '"')) => text[1..].find(quote).map_or(text.len(), |end| end + 2),
        Some(first) if is_of_word(first) => text.find(|c: char| !is_of_word(c)).unwrap_or(text.len()),
        Some(first) => first.len_utf8(),
        None => 0,
    }
}

pub fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '-' | '+' | '*')
}
