//! The text of a saved question: `$name` is a parameter. Strings, quoted names, comments and dollar-quoted strings are
//! left as they are. Values are never written into the text.

use super::query_parameter::QueryParameter;

/// A text that an engine takes, with numbers in place of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    pub text: String,
    /// The places in the list of parameters of `$1`, `$2`, …
    pub order: Vec<usize>,
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'t> {
    Other(&'t str),
    /// The name of a parameter, without `$`.
    Parameter(&'t str),
}

/// Writes `$1`, `$2`, … in place of the names, each cast to the type of its parameter.
///
/// # Errors
/// For a name that is not declared, a declared one that the text lacks, and a number in place of a name.
pub fn numbered(text: &str, parameters: &[QueryParameter]) -> Result<Numbered, String> {
    let mut order: Vec<usize> = Vec::new();
    let mut written = String::with_capacity(text.len() + 64);
    for part in parts(text) {
        let name = match part {
            Part::Other(text) => {
                written.push_str(text);
                continue;
            }
            Part::Parameter(name) => name,
        };
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("${name}: the parameters of a saved question have names, such as $from"));
        }
        let Some(index) = parameters.iter().position(|one| one.name == name) else {
            return Err(format!("${name} is in the text, and no parameter has this name: declare it with its type"));
        };
        let number = order.iter().position(|one| *one == index).unwrap_or_else(|| {
            order.push(index);
            order.len() - 1
        });
        written.push_str(&format!("CAST(${} AS {})", number + 1, parameters[index].of.sql()));
    }
    match parameters.iter().enumerate().find(|(index, _)| !order.contains(index)) {
        Some((_, unused)) => Err(format!("the text has no ${}: leave the parameter out or use it", unused.name)),
        None => Ok(Numbered { text: written, order }),
    }
}

/// Whether a text may be the name of a parameter.
pub fn is_parameter_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    begins && name.len() <= 63 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match c {
            '\'' => quoted(rest, '\'', false),
            '"' => quoted(rest, '"', false),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest),
            '$' => {
                let name = word(&rest[1..]);
                match dollar_quoted(rest, name) {
                    Some(length) => length,
                    None if name.is_empty() => 1,
                    None => {
                        found.push(Part::Other(&text[from..at]));
                        found.push(Part::Parameter(name));
                        from = at + 1 + name.len();
                        1 + name.len()
                    }
                }
            }
            c if is_word(c) => {
                let name = rest.find(|c: char| !is_word(c) && c != '$').map_or(rest, |end| &rest[..end]);
                let is_escaped = name.eq_ignore_ascii_case("e") && rest[name.len()..].starts_with('\'');
                name.len() + if is_escaped { quoted(&rest[name.len()..], '\'', true) } else { 0 }
            }
            c => c.len_utf8(),
        };
        at += length;
    }
    found.push(Part::Other(&text[from..]));
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn word(text: &str) -> &str {
    text.find(|c: char| !is_word(c)).map_or(text, |end| &text[..end])
}

/// The length of a quoted text, with its quotes. A doubled quote ends one and begins the next.
fn quoted(text: &str, quote: char, with_escapes: bool) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if with_escapes => is_escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a comment, which may hold comments.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a dollar-quoted text (`$$…$$`, `$tag$…$tag$`); None if this is none.
fn dollar_quoted(text: &str, tag: &str) -> Option<usize> {
    let opening = 1 + tag.len() + 1;
    if !text[1 + tag.len()..].starts_with('$') || tag.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let quote = &text[..opening];
    Some(text[opening..].find(quote).map_or(text.len(), |end| opening + end + opening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::query_parameter::ParameterType;

    fn declared(names: &[(&str, ParameterType)]) -> Vec<QueryParameter> {
        let parameter =
            |(name, of): &(&str, ParameterType)| QueryParameter { name: (*name).to_owned(), of: *of, default: None };
        names.iter().map(parameter).collect()
    }

    #[test]
    fn names_become_numbers_in_the_order_of_the_text() {
        let parameters = declared(&[("until", ParameterType::Date), ("least", ParameterType::Integer)]);
        let numbered = numbered("SELECT 1 WHERE n > $least AND a<$until OR b=$least", &parameters).unwrap();
        let text = "SELECT 1 WHERE n > CAST($1 AS BIGINT) AND a<CAST($2 AS DATE) OR b=CAST($1 AS BIGINT)";
        assert_eq!(numbered, Numbered { text: text.into(), order: vec![1, 0] });
    }

    #[test]
    fn what_is_no_parameter_stays() {
        for text in [
            "SELECT '$a', 'it''s $a', \"$a\", E'\\'$a', e'$a'",
            "SELECT 1 -- $a\n, 2 /* $a /* $a */ $a */, 3",
            "SELECT $$ $a $$, $tag$ $a $$ $a $tag$, a$a, \"x\"\"$a\"",
            "SELECT 'chưa đóng $a",
            "SELECT /* $a",
            "SELECT $$ $a",
            "SELECT $ , x::date, a[1:2], '😀$a'",
            "",
        ] {
            assert_eq!(numbered(text, &[]), Ok(Numbered { text: text.into(), order: vec![] }), "{text}");
        }
        let parameters = declared(&[("a", ParameterType::Text)]);
        let after = numbered("SELECT 'it''s' || $a || E'\\\\' || $a -- $a\n|| $a", &parameters).unwrap().text;
        assert_eq!(after.matches("CAST($1 AS TEXT)").count(), 3, "{after}");
    }

    #[test]
    fn a_text_uses_its_parameters_and_no_others() {
        let parameters = declared(&[("a", ParameterType::Text)]);
        for (text, wrong) in [("SELECT $b", "$b"), ("SELECT 1", "$a"), ("SELECT $a, $1", "$1")] {
            assert!(numbered(text, &parameters).unwrap_err().contains(wrong), "{text}");
        }
        assert!(is_parameter_name("as_of_2"));
        assert!(!["", "2a", "A", "a-b", "é"].iter().any(|name| is_parameter_name(name)));
    }
}
