//! The tables of pictures: of what is unusual among all units, and of how the unit of a head answers.

use super::{Cell, Table};
use crate::JobError;
use crate::charts::Unusual;
use crate::digest::document::DigestDocument;
use crate::digest::flagged::Standing;
use crate::digest::head_part::HeadPart;
use crate::digest::messages::Messages;
use crate::digest::timeline::TimelinePart;
use crate::digest::unusual::{CusumPart, FunnelPart};
use chrono::NaiveDate;
use fluent_bundle::FluentArgs;

/// The branches and provinces with the limits of chance, the gravest flag, the time line of a changed flag, and the weeks
/// of a branch.
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
        if !funnel.provinces.is_empty() {
            tables.push(provinces(funnel, messages)?);
        }
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
    if let Some(line) = &document.unusual.timeline
        && let Some(flag) = document.flags.standing.iter().find(|flag| flag.flag == line.flag)
    {
        tables.push(timeline(line, flag, messages)?);
    }
    if let Some(series) = &document.unusual.cusum {
        tables.push(cusum(series, messages)?);
    }
    Ok(tables)
}

fn provinces(funnel: &FunnelPart, messages: &Messages) -> Result<Table, JobError> {
    let word = |key: &str| messages.message(key, &FluentArgs::new());
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for line in &funnel.provinces {
        let against = match funnel.unusual(line) {
            Some(Unusual::High) => word("chance-high")?,
            Some(Unusual::Low) => word("chance-low")?,
            None => String::new(),
        };
        let observed = f64::from(line.observed);
        let mut row: Vec<Cell> = vec![line.in_language(messages.is_english()).to_owned().into()];
        row.extend([observed, line.expected, observed / line.expected].map(Cell::Number));
        row.push(against.into());
        rows.push(row);
    }
    Ok(Table { name: "map", columns: &["province", "observed", "expectation", "ratio", "against-chance"], rows })
}

/// The events of a flag, the earliest first.
fn timeline(line: &TimelinePart, flag: &Standing, messages: &Messages) -> Result<Table, JobError> {
    let word = |key: &str| messages.message(key, &FluentArgs::new());
    let mut events: Vec<(NaiveDate, String, Cell)> = Vec::new();
    for episode in &line.episodes {
        let key = if episode.is_confirmed { "episode-confirmed" } else { "episode" };
        events.push((episode.day, word(key)?, Some(episode.complaints).into()));
    }
    for change in &line.tiers {
        let proposed = change.tier.proposed(flag.kind);
        events.push((change.day, word("tier-column")?, word(proposed.as_str())?.into()));
    }
    for measure in &line.measures {
        let kind = word(&format!("measure-{}", measure.kind.as_str()))?;
        events.push((measure.from, word("measure")?, kind.into()));
    }
    events.sort_by_key(|(day, ..)| *day);
    let rows = events
        .into_iter()
        .map(|(day, event, detail)| vec![flag.code.clone().into(), Cell::Day(day), event.into(), detail]);
    Ok(Table { name: "timeline", columns: &["code", "day", "event", "detail"], rows: rows.collect() })
}

/// The weeks of a branch with the sum by which it exceeds its expectation.
fn cusum(series: &CusumPart, messages: &Messages) -> Result<Table, JobError> {
    let yes = messages.message("yes", &FluentArgs::new())?;
    let rows = series.weeks.iter().map(|week| {
        let signal = if week.signal { yes.clone() } else { String::new() };
        let mut row: Vec<Cell> = vec![series.branch.code.clone().into(), Cell::Day(week.from)];
        row.extend([f64::from(week.observed), week.expected, week.sum, series.limit].map(Cell::Number));
        row.push(signal.into());
        row
    });
    let columns = &["unit-code", "week-from", "observed", "expectation", "cusum-sum", "cusum-limit", "cusum-signal"];
    Ok(Table { name: "cusum", columns, rows: rows.collect() })
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
        let of_the_board_alone = ["funnel", "map", "gravest", "timeline", "cusum", "answers"];
        assert!(of_the_board_alone.iter().all(|name| board.contains(name)), "{board:?}");
        let head = names(&about_a_unit());
        assert!(["scorecard", "waiting"].iter().all(|name| head.contains(name)), "{head:?}");
        assert!(of_the_board_alone.iter().all(|name| !head.contains(name)), "{head:?}");
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
        let order: Vec<&str> = found.iter().map(|table| table.name).collect();
        assert_eq!(order, ["funnel", "map", "gravest", "timeline", "cusum"]);
        assert!(matches!(found[2].rows[0][3], Cell::Number(ratio) if (ratio - 14.2).abs() < 1e-9));
        let days: Vec<NaiveDate> = found[3]
            .rows
            .iter()
            .filter_map(|row| match row[1] {
                Cell::Day(day) => Some(day),
                _ => None,
            })
            .collect();
        assert!(days.len() == 6 && days.is_sorted(), "{days:?}");
    }
}
