//! The table of what is new since the digest before.

use super::{Cell, Table};
use crate::JobError;
use crate::digest::document::DigestDocument;
use crate::digest::messages::Messages;
use fluent_bundle::FluentArgs;
use schema::enums::DigestSection;

/// The numbers of what is new, and the categories that rise anew. None in a first digest, in which all is new, and
/// where the reader wants none of it.
///
/// # Errors
/// `Template` when a message is missing.
pub(super) fn table(document: &DigestDocument, messages: &Messages) -> Result<Option<Table>, JobError> {
    if document.previous_as_of.is_none() {
        return Ok(None);
    }
    let news = &document.news;
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    if document.has(DigestSection::Numbers) {
        for (key, number) in [
            ("number-received", news.received),
            ("number-answered", news.answered),
            ("news-overdue", news.overdue),
            ("news-other", news.other),
        ] {
            rows.push(vec![messages.message(key, &FluentArgs::new())?.into(), Some(number).into()]);
        }
    }
    if document.has(DigestSection::Rising) {
        for category in document.rising.iter().filter(|category| news.rising.contains(&category.code)) {
            let name = category.name_en.as_ref().filter(|_| messages.is_english()).unwrap_or(&category.name_vi);
            let mut args = FluentArgs::new();
            args.set("category", name.as_str());
            rows.push(vec![messages.message("rising-new", &args)?.into(), Some(category.recent).into()]);
        }
    }
    Ok((!rows.is_empty()).then_some(Table { name: "news", columns: &["number", "count"], rows }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyses::category_trends::CategoryTrend;
    use crate::digest::sample::quiet;
    use schema::enums::Locale;

    fn rows(document: &DigestDocument) -> Vec<(String, f64)> {
        let found = table(document, &Messages::new(Locale::En).unwrap()).unwrap();
        let cells = found.into_iter().flat_map(|table| table.rows);
        let row = |row: Vec<Cell>| match &row[..] {
            [Cell::Text(name), Cell::Number(number)] => (name.clone(), *number),
            _ => panic!("a name and a number"),
        };
        cells.map(row).collect()
    }

    #[test]
    fn a_digest_after_another_one_has_what_is_new() {
        let mut document = quiet();
        (document.news.received, document.news.other) = (7, 2);
        let rises = |code: &str, recent: u32| CategoryTrend {
            code: code.to_owned(),
            name_vi: code.to_owned(),
            name_en: None,
            parent: None,
            recent,
            before: 0,
            expected: 1.0,
            p: 0.0,
            q: 0.0,
            rises: true,
            share: 0.0,
            cumulative_share: 0.0,
        };
        document.rising = vec![rises("TD", 12), rises("CK", 30)];
        document.news.rising = vec!["TD".to_owned()];
        let numbers = [
            ("Complaints received".to_owned(), 7.0),
            ("Complaints answered".to_owned(), 0.0),
            ("Newly overdue".to_owned(), 0.0),
            ("Other complaints recorded, or with an answer recorded, since then".to_owned(), 2.0),
        ];
        let rising = ("TD: rises anew".to_owned(), 12.0);
        assert_eq!(rows(&document), [&numbers[..], std::slice::from_ref(&rising)].concat());
        document.sections = vec![DigestSection::Rising];
        assert_eq!(rows(&document), [rising]);
        document.sections = vec![DigestSection::Overdue];
        assert!(rows(&document).is_empty());
        let first = DigestDocument { previous_as_of: None, sections: Vec::new(), ..document };
        assert!(rows(&first).is_empty());
    }
}
