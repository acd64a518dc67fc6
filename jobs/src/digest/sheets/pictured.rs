//! The tables of pictures: of what is unusual among all units, and of how the unit of a head answers.

use super::{Cell, Table};
use crate::JobError;
use crate::charts::Unusual;
use crate::digest::document::DigestDocument;
use crate::digest::head_part::HeadPart;
use crate::digest::messages::Messages;
use fluent_bundle::FluentArgs;

/// The branches with the limits of chance, and the windows of the gravest flag.
///
/// # Errors
/// `Template` when a message is missing.
pub(super) fn unusual(document: &DigestDocument, messages: &Messages) -> Result<Vec<Table>, JobError> {
    let word = |key: &str| messages.message(key, &FluentArgs::new());
    let mut tables = Vec::new();
    if let Some(funnel) = &document.unusual.funnel {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for line in &funnel.branches {
            let name = line.branch.in_language(messages.is_english()).to_owned();
            let point = funnel.point(line, name.clone());
            let against = match point.unusual() {
                Some(Unusual::High) => word("chance-high")?,
                Some(Unusual::Low) => word("chance-low")?,
                None => String::new(),
            };
            let numbers = [
                point.observed,
                point.expected,
                point.ratio(),
                point.lower_95,
                point.upper_95,
                point.lower_998,
                point.upper_998,
            ];
            let mut row: Vec<Cell> = vec![line.branch.code.clone().into(), name.into()];
            row.extend(numbers.map(Cell::Number));
            row.push(against.into());
            rows.push(row);
        }
        let columns = &[
            "unit-code",
            "unit",
            "observed",
            "expectation",
            "ratio",
            "lower-95",
            "upper-95",
            "lower-998",
            "upper-998",
            "against-chance",
        ];
        tables.push(Table { name: "funnel", columns, rows });
    }
    if let Some(gravest) = &document.unusual.gravest
        && let Some(flag) = document.flags.standing.iter().find(|flag| flag.flag == gravest.flag)
    {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for window in &gravest.windows {
            let mut args = FluentArgs::new();
            args.set("count", window.days);
            let key = if window.is_confirmed { "days-confirmed" } else { "days" };
            let mut row: Vec<Cell> =
                vec![word(flag.kind.as_str())?.into(), flag.code.clone().into(), messages.message(key, &args)?.into()];
            row.extend([window.ratio, window.lower, window.upper].map(Cell::Number));
            rows.push(row);
        }
        let columns = &["kind", "code", "window", "ratio", "lower-95", "upper-95"];
        tables.push(Table { name: "gravest", columns, rows });
    }
    Ok(tables)
}

/// The answers of the unit compared with its peers, and the waiting times of its complaints.
///
/// # Errors
/// `Template` when a message is missing.
pub(super) fn scorecard(head: &HeadPart, messages: &Messages) -> Result<Vec<Table>, JobError> {
    let word = |key: &str| messages.message(key, &FluentArgs::new());
    let card = &head.scorecard;
    let (lower, upper) = card.limits.unzip();
    let peers = card.peers.as_ref();
    let share = |share: Option<f64>| share.map_or(Cell::Empty, Cell::Share);
    let in_time = word("scorecard-share")?;
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (key, value) in [
        ("scorecard-complaints", Cell::from(Some(card.complaints))),
        ("scorecard-open", Cell::from(Some(card.open))),
        ("scorecard-overdue", Cell::from(Some(card.overdue))),
        ("scorecard-share", share(card.share_in_time)),
        ("lower-95", share(lower)),
        ("upper-95", share(upper)),
        ("median-days", Cell::from(card.median_days)),
        ("peers-count", Cell::from(peers.map(|peers| peers.count as f64))),
        ("peers-half", share(peers.map(|peers| peers.share_in_time))),
        ("peers-low", share(peers.map(|peers| peers.lowest))),
        ("peers-high", share(peers.map(|peers| peers.highest))),
    ] {
        let name = word(key)?;
        let is_limit = matches!(key, "lower-95" | "upper-95");
        let name = if is_limit { format!("{in_time}: {name}") } else { name };
        rows.push(vec![name.into(), value]);
    }
    let mut tables = vec![Table { name: "scorecard", columns: &["number", "value"], rows }];
    if let Some(waiting) = &head.waiting {
        let rows = waiting.steps.iter().map(|(days, share)| vec![Cell::Number(*days), Cell::Share(*share)]);
        tables.push(Table { name: "waiting", columns: &["waited-days", "still-waiting"], rows: rows.collect() });
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sample::{about_a_unit, of_board};
    use crate::digest::sheets::tables;
    use schema::enums::Locale;

    fn names(document: &DigestDocument) -> Vec<&'static str> {
        let all = tables(document, &Messages::new(Locale::Vi).unwrap()).unwrap();
        all.into_iter().map(|table| table.name).collect()
    }

    #[test]
    fn each_picture_has_its_table_and_each_column_its_name() {
        let board = names(&of_board());
        assert!(["funnel", "gravest", "answers"].iter().all(|name| board.contains(name)), "{board:?}");
        let head = names(&about_a_unit());
        assert!(["scorecard", "waiting"].iter().all(|name| head.contains(name)), "{head:?}");
        assert!(["funnel", "gravest", "answers"].iter().all(|name| !head.contains(name)), "{head:?}");
        for locale in [Locale::Vi, Locale::En] {
            let messages = Messages::new(locale).unwrap();
            let head = about_a_unit().head.unwrap();
            let mut all = unusual(&of_board(), &messages).unwrap();
            all.extend(scorecard(&head, &messages).unwrap());
            for table in all {
                assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.name);
                for key in table.columns {
                    assert!(messages.has(key), "{locale}: {key}");
                }
            }
        }
    }

    #[test]
    fn the_table_of_branches_has_the_limits_and_marks_what_is_outside() {
        let found = unusual(&of_board(), &Messages::new(Locale::En).unwrap()).unwrap();
        let marked = |index: usize| matches!(found[0].rows[index].last(), Some(Cell::Text(text)) if !text.is_empty());
        assert_eq!([marked(0), marked(1), marked(2)], [true, false, false]);
        assert!(matches!(found[0].rows[0][4], Cell::Number(ratio) if (ratio - 4.0).abs() < 1e-9));
        assert!(matches!(found[0].rows[0][8], Cell::Number(upper) if upper < 4.0));
        assert!(matches!(found[1].rows[0][3], Cell::Number(ratio) if (ratio - 14.2).abs() < 1e-9));
    }
}
