//! The search form of text: lower case without diacritics. The SQL function has the same name on both databases: a
//! migration creates it on PostgreSQL, and every SQLite connection registers it.

use super::cancellation::fail_if_cancelled;
use crate::db::StoreError;
use diesel::SqliteConnection;
use diesel::sql_types::{Nullable, Text};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Lower case without diacritics.
    fn phananh_plain(value: Nullable<Text>) -> Nullable<Text>;
}

/// The search form of a text.
pub fn plain(text: &str) -> String {
    // Like PostgreSQL's lower() in the collation "C": letters without a decomposition stay as they are.
    let letters = text.nfd().filter(|c| !is_combining_mark(*c) || !('\u{300}'..='\u{36f}').contains(c));
    letters.map(|c| if is_d(c) { 'd' } else { c.to_ascii_lowercase() }).collect()
}

/// Đ, and its look-alikes eth (Ð) and African d (Ɖ), which some keyboards and conversions write instead.
fn is_d(c: char) -> bool {
    matches!(c, '\u{111}' | '\u{110}' | '\u{f0}' | '\u{d0}' | '\u{256}' | '\u{189}')
}

pub(super) fn register_functions(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    // A search calls this for every row, so it checks for cancellation here.
    Ok(phananh_plain_utils::register_impl(conn, |value: Option<String>| {
        fail_if_cancelled();
        value.map(|text| plain(&text))
    })?)
}

/// A `LIKE` pattern that matches a text anywhere.
pub fn anywhere(text: &str) -> String {
    let escaped = plain(text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diacritics_and_capitals_do_not_matter() {
        assert_eq!(plain("Chậm TRẢ lời, Đội Thủ tục"), "cham tra loi, doi thu tuc");
        for d in ["\u{110}\u{111}", "\u{d0}\u{f0}", "\u{189}\u{256}"] {
            assert_eq!(plain(d), "dd");
        }
        assert_eq!(anywhere("50%_"), "%50\\%\\_%");
    }
}
