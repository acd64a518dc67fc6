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
    /// True. On SQLite only, where it is asked for each row, and fails where nobody waits for the statement.
    fn phananh_wanted() -> Bool;
}

/// The same for what is searched for.
pub fn plain(text: &str) -> String {
    // As PostgreSQL's lower() does it in the collation "C": letters without a decomposition stay as they are.
    let letters = text.nfd().filter(|c| !is_combining_mark(*c) || !('\u{300}'..='\u{36f}').contains(c));
    letters.map(|c| if matches!(c, 'đ' | 'Đ') { 'd' } else { c.to_ascii_lowercase() }).collect()
}

pub(super) fn give(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    phananh_wanted_utils::register_nondeterministic_impl(conn, || {
        fail_if_unwanted();
        true
    })?;
    // A search reads every row, and this is called for each.
    phananh_plain_utils::register_impl(conn, |value: Option<String>| {
        fail_if_unwanted();
        value.map(|text| plain(&text))
    })?;
    Ok(())
}

/// Where nobody waits any more, the statement fails here. An unwinding that nobody made by a panic is caught by diesel as
/// one is, and says nothing to the log.
fn fail_if_unwanted() {
    if is_unwanted() {
        resume_unwind(Box::new("nobody waits for this statement"));
    }
}

/// A pattern that finds a text anywhere.
pub fn anywhere(text: &str) -> String {
    let escaped = plain(text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
mod tests {
    use super::super::wanted::{Interest, works_for};
    use super::*;
    use diesel::connection::SimpleConnection;
    use diesel::{Connection, RunQueryDsl, sql_query};
    use std::sync::Arc;
    use std::time::Duration;

    /// Without an end of its own, it comes back only where it was broken off.
    fn ends_when_nobody_waits(condition: &str) {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        give(&mut conn).unwrap();
        let endless = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE {condition}"
        );
        let interest = Arc::new(Interest::default());
        let later = Arc::clone(&interest);
        let leaving = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            later.lose();
        });
        works_for(Some(interest));
        assert!(sql_query(endless).execute(&mut conn).is_err());
        leaving.join().unwrap();
        works_for(None);
        conn.batch_execute("SELECT phananh_plain('Đ'), phananh_wanted()").unwrap();
    }

    #[test]
    fn a_search_that_nobody_waits_for_ends() {
        ends_when_nobody_waits("phananh_plain(CAST(i AS TEXT)) = 'x'");
    }

    #[test]
    fn any_statement_that_nobody_waits_for_ends() {
        ends_when_nobody_waits("phananh_wanted() AND i < 0");
    }

    #[test]
    fn diacritics_and_capitals_do_not_matter() {
        assert_eq!(plain("Chậm TRẢ lời, Đội Thủ tục"), "cham tra loi, doi thu tuc");
        assert_eq!(anywhere("50%_"), "%50\\%\\_%");
    }
}
