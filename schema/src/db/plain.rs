//! Text as it is searched: small letters without diacritics. The function has the same name on both databases:
//! PostgreSQL's is made by a migration, SQLite's given to each connection.

use super::wanted::is_unwanted;
use crate::db::StoreError;
use diesel::SqliteConnection;
use diesel::sql_types::{Nullable, Text};
use std::panic::resume_unwind;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Small letters without diacritics.
    fn phananh_plain(value: Nullable<Text>) -> Nullable<Text>;
}

/// The same for what is searched for.
pub fn plain(text: &str) -> String {
    // As PostgreSQL's lower() does it in the collation "C": letters without a decomposition stay as they are.
    let letters = text.nfd().filter(|c| !is_combining_mark(*c) || !('\u{300}'..='\u{36f}').contains(c));
    letters.map(|c| if matches!(c, 'đ' | 'Đ') { 'd' } else { c.to_ascii_lowercase() }).collect()
}

pub(super) fn give(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    // A search reads every row, and this is called for each: where nobody waits any more, the statement fails here.
    // An unwinding that nobody made by a panic is caught by diesel as one is, and says nothing to the log.
    Ok(phananh_plain_utils::register_impl(conn, |value: Option<String>| {
        if is_unwanted() {
            resume_unwind(Box::new("nobody waits for this statement"));
        }
        value.map(|text| plain(&text))
    })?)
}

/// A pattern that finds a text anywhere.
pub fn anywhere(text: &str) -> String {
    let escaped = plain(text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use super::super::wanted::unless;
    use super::*;
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, RunQueryDsl, sql_query};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    #[test]
    fn a_search_that_nobody_waits_for_ends() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        give(&mut conn).unwrap();
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                       SELECT count(*) FROM n WHERE phananh_plain(CAST(i AS TEXT)) = 'x'";
        let gone = Arc::new(AtomicBool::new(false));
        let later = Arc::clone(&gone);
        let leaving = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            later.store(true, Ordering::SeqCst);
        });
        unless(Some(Arc::clone(&gone)));
        // Without an end of its own, it comes back only where it was broken off.
        assert!(sql_query(endless).execute(&mut conn).is_err());
        leaving.join().unwrap();
        unless(None);
        conn.batch_execute("SELECT phananh_plain('Đ')").unwrap();
    }

    #[test]
    fn diacritics_and_capitals_do_not_matter() {
        assert_eq!(plain("Chậm TRẢ lời, Đội Thủ tục"), "cham tra loi, doi thu tuc");
        assert_eq!(anywhere("50%_"), "%50\\%\\_%");
    }
}
