//! Divides a text into statements at semicolons outside of quotes and comments.

/// A statement, without its semicolon, and the characters before it in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'t> {
    pub text: &'t str,
    pub characters_before: usize,
}

/// The statements of a text. Statements that consist of white space and comments are left out.
pub fn split(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut begins, mut at) = (0, 0);
    while at < text.len() {
        let ends = token_end(text, at);
        if &text[at..ends] == ";" {
            parts.extend(part(text, begins, at));
            begins = ends;
        }
        at = ends;
    }
    parts.extend(part(text, begins, text.len()));
    parts
}

fn part(text: &str, begins: usize, ends: usize) -> Option<Part<'_>> {
    let whole = &text[begins..ends];
    let begins = begins + blank(whole);
    let text_of_part = text[begins..ends].trim_end();
    let characters_before = text[..begins].chars().count();
    (!text_of_part.is_empty()).then_some(Part { text: text_of_part, characters_before })
}

/// Bytes of white space and comments at the beginning.
pub fn blank(text: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let white = rest.len() - rest.trim_start().len();
        let comment = if rest[white..].starts_with("--") || rest[white..].starts_with("/*") {
            token_end(text, at + white) - at - white
        } else {
            0
        };
        if white + comment == 0 {
            return at;
        }
        at += white + comment;
    }
}

/// End of the token that begins at `at`: a quoted text, a quoted name, a comment, or one character.
fn token_end(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let length = match rest.as_bytes() {
        [b'\'', ..] => quoted_length(rest, '\'', is_escape_string(text, at)),
        [b'"', ..] => quoted_length(rest, '"', false),
        [b'-', b'-', ..] => rest.find('\n').map_or(rest.len(), |end| end + 1),
        [b'/', b'*', ..] => comment_length(rest),
        [b'$', ..] => dollar_quoted_length(text, at).unwrap_or(1),
        _ => rest.chars().next().map_or(1, char::len_utf8),
    };
    at + length
}

/// Whether the quote at `at` follows an `E` that is no end of a word.
fn is_escape_string(text: &str, at: usize) -> bool {
    let mut before = text[..at].chars().rev();
    matches!(before.next(), Some('e' | 'E')) && !before.next().is_some_and(is_of_word)
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// A doubled quote counts as the end of one quoted text and the beginning of the next: the length stays the same.
fn quoted_length(text: &str, quote: char, escapes: bool) -> usize {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        if c == quote {
            return at + 1;
        }
        if escapes && c == '\\' {
            characters.next();
        }
    }
    text.len()
}

/// Comments may be nested.
fn comment_length(text: &str) -> usize {
    let (bytes, mut depth, mut at) = (text.as_bytes(), 0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// The length of `$tag$ … $tag$`; None where no such quote begins, for example at a parameter.
fn dollar_quoted_length(text: &str, at: usize) -> Option<usize> {
    if text[..at].chars().next_back().is_some_and(is_of_word) {
        return None;
    }
    let rest = &text[at..];
    let tag_end = rest[1..].find('$')? + 2;
    let tag = &rest[1..tag_end - 1];
    let is_name =
        tag.chars().all(|c| c.is_alphanumeric() || c == '_') && !tag.starts_with(|c: char| c.is_ascii_digit());
    if !is_name {
        return None;
    }
    let quote = &rest[..tag_end];
    Some(rest[tag_end..].find(quote).map_or(rest.len(), |end| tag_end + end + quote.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn semicolons_within_quotes_and_comments_divide_nothing() {
        for whole in [
            "SELECT ';' || 'a'';b'",
            "SELECT E'\\';' AS x",
            "SELECT \"a;b\" FROM t",
            "SELECT $$;$$, $a$ ; $$ $a$, $1",
            "SELECT 1 /* ; /* ; */ ; */ + 1",
            "SELECT 'đ;' -- ; here",
        ] {
            assert_eq!(texts(whole), [whole]);
        }
        assert_eq!(texts("BEGIN; SELECT 1;; -- end\n;"), ["BEGIN", "SELECT 1"]);
        assert_eq!(texts("SELECT $1;SELECT $2"), ["SELECT $1", "SELECT $2"]);
        assert_eq!(texts("SELECT 'open; SELECT 2"), ["SELECT 'open; SELECT 2"]);
        assert_eq!(texts(" /* only */ ;; "), Vec::<&str>::new());
    }

    #[test]
    fn a_part_knows_where_it_stands() {
        let parts = split("SELECT 'đ'; /* x */ SELECT 2");
        assert_eq!(parts[1], Part { text: "SELECT 2", characters_before: 20 });
    }
}
