//! The search form of text: lower case without diacritics. The SQL function has the same name on both databases: a
//! migration creates it on PostgreSQL, and every SQLite connection registers it.

use super::cancellation::fail_if_cancelled;
use crate::db::StoreError;
use diesel::SqliteConnection;
use diesel::sql_types::{Binary, Nullable, Text};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Lower case without diacritics.
    fn phananh_plain(value: Nullable<Text>) -> Nullable<Text>;
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// SQLite only. The same for the bytes of a text, of which those that are not UTF-8 are replaced.
    fn phananh_search_form(value: Nullable<Binary>) -> Nullable<Text>;
}

/// The search form of a text.
pub fn search_form(text: &str) -> String {
    // Like PostgreSQL's lower() in the collation "C": letters without a decomposition stay as they are.
    let letters = text.nfd().filter(|c| !is_combining_mark(*c) || !('\u{300}'..='\u{36f}').contains(c));
    letters.map(|c| if is_d(c) { 'd' } else { c.to_ascii_lowercase() }).collect()
}

/// Đ, and its look-alikes eth (Ð) and African d (Ɖ), which some keyboards and conversions write instead.
fn is_d(c: char) -> bool {
    matches!(c, '\u{111}' | '\u{110}' | '\u{f0}' | '\u{d0}' | '\u{256}' | '\u{189}')
}

/// Registers the functions that give the search form of a text.
///
/// # Errors
/// If SQLite refuses a function.
pub(super) fn register_functions(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    // A search calls this for every row, so it checks for cancellation here.
    phananh_plain_utils::register_impl(conn, |value: Option<String>| {
        fail_if_cancelled();
        value.map(|text| search_form(&text))
    })?;
    Ok(phananh_search_form_utils::register_impl(conn, |value: Option<Vec<u8>>| {
        value.map(|bytes| search_form(&String::from_utf8_lossy(&bytes)))
    })?)
}

/// A `LIKE` pattern that matches a text anywhere.
pub fn anywhere(text: &str) -> String {
    let escaped = search_form(text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// The most trigrams of a query. Those of a longer text are a choice of its trigrams.
const MOST_TRIGRAMS: usize = 16;

/// The FTS5 query of the texts that may contain a text: they have its trigrams. None for a text without trigrams, and
/// for one with a NUL, at which SQLite's LIKE ends.
pub(crate) fn trigrams(text: &str) -> Option<String> {
    let letters: Vec<char> = search_form(text).chars().collect();
    if letters.contains(&'\0') {
        return None;
    }
    let mut all: Vec<&[char]> = letters.windows(3).collect();
    all.sort_unstable();
    all.dedup();
    let step = all.len().div_ceil(MOST_TRIGRAMS).max(1);
    let quoted = all.iter().step_by(step).map(|three| {
        let three: String = three.iter().collect();
        format!("\"{}\"", three.replace('"', "\"\""))
    });
    let quoted: Vec<String> = quoted.collect();
    if quoted.is_empty() { None } else { Some(quoted.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diacritics_and_capitals_do_not_matter() {
        assert_eq!(search_form("Chậm TRẢ lời, Đội Thủ tục"), "cham tra loi, doi thu tuc");
        for d in ["\u{110}\u{111}", "\u{d0}\u{f0}", "\u{189}\u{256}"] {
            assert_eq!(search_form(d), "dd");
        }
        assert_eq!(anywhere("50%_"), "%50\\%\\_%");
    }

    #[test]
    fn a_query_of_trigrams_takes_every_sign_as_it_is() {
        assert_eq!(trigrams("Đội"), Some("\"doi\"".to_owned()));
        assert_eq!(trigrams("a\"b*"), Some("\"\"\"b*\" \"a\"\"b\"".to_owned()));
        assert_eq!(trigrams("aaaaaa"), Some("\"aaa\"".to_owned()));
        for without in ["", "ab", "a\u{302}\u{301}b", "abc\0def"] {
            assert_eq!(trigrams(without), None, "{without:?}");
        }
        let long: String = ('a'..='z').chain('0'..='9').collect();
        let number = trigrams(&long).map(|query| query.split(' ').count());
        assert!(number.is_some_and(|number| (8..=MOST_TRIGRAMS).contains(&number)), "{number:?}");
    }
}
