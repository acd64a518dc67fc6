//! Compared with numbers worked out by hand.

use super::*;
use crate::snapshot::word;
use schema::enums::Attribution;

fn record(before: u32, after: u32, work: f64) -> Record {
    Record { episodes: (before, after), exposure: (work, work) }
}

#[test]
fn peers_are_those_at_the_level_of_the_officer() {
    let own = record(4, 1, 1_000.0);
    let mut others = vec![
        record(4, 3, 1_000.0),
        record(4, 1, 2_000.0),
        record(4, 0, 500.0),
        record(4, 2, 1_000.0),
        record(4, 3, 500.0),
        // Other levels, and work that is not alike.
        record(3, 3, 1_000.0),
        record(4, 9, 2_001.0),
        record(4, 9, 499.0),
    ];
    let found = peers(own, &others).expect("peers");
    assert_eq!((found.officers, found.level), (5, (4, 4)));
    assert_eq!(found.together, Record { episodes: (20, 9), exposure: (5_000.0, 5_000.0) });
    // The peers fell from 20 to 9 without a measure; at their rate the officer would have had 9 / 5,000 × 1,000.
    let ratio = |found: &Option<RateRatio>| found.and_then(|found| found.ratio).expect("a ratio");
    assert!((ratio(&found.ratio) - 0.45).abs() < 1e-12);
    assert!((found.expected - 1.8).abs() < 1e-12);
    assert!((ratio(&found.against) - 1.0 / 1.8).abs() < 1e-12);
    // With four at the level, those with one episode more or fewer count too.
    others.remove(0);
    let wider = peers(own, &others).expect("peers");
    assert_eq!((wider.officers, wider.level, wider.together.episodes), (5, (3, 4), (19, 9)));
    // Half of one episode is none: there is no wider level.
    assert_eq!(peers(record(1, 0, 1_000.0), &others), None);
    assert_eq!(peers(own, &[]), None);
}

#[test]
fn an_officer_without_episodes_is_compared_as_well() {
    let others: Vec<Record> = (0..5).map(|nth| record(0, u32::from(nth == 0), 100.0)).collect();
    let found = peers(Record { episodes: (0, 0), exposure: (100.0, 50.0) }, &others).expect("peers");
    assert_eq!((found.level, found.together.episodes), ((0, 0), (0, 1)));
    assert!((found.expected - 0.1).abs() < 1e-12, "1 / 500 × 50");
}

/// Complaints about conduct: the day, the enterprise, the state with its day, and the officers with findings.
type Row = (i32, Option<u32>, (ComplaintState, Option<i32>), Vec<(u32, Finding)>);

fn facts(rows: &[Row]) -> DataFrame {
    let mut named = ListPrimitiveChunkedBuilder::<UInt32Type>::new("named".into(), rows.len(), 8, DataType::UInt32);
    for (.., officers) in rows {
        let words = officers.iter().map(|(officer, finding)| word(Some(*officer), Attribution::Confirmed, *finding));
        named.append_slice(&words.collect::<Vec<u32>>());
    }
    let kinds = vec![Some(CategoryKind::Conduct.place()); rows.len()];
    let states: Vec<u32> = rows.iter().map(|(_, _, (state, _), _)| state.place()).collect();
    let ended: Vec<Option<i32>> = rows.iter().map(|(_, _, (_, ended), _)| *ended).collect();
    let columns = vec![
        Column::new("kind".into(), kinds),
        Column::new("state".into(), states),
        Column::new("day".into(), rows.iter().map(|row| row.0).collect::<Vec<i32>>()),
        Column::new("ended".into(), ended),
        Column::new("enterprise".into(), rows.iter().map(|row| row.1).collect::<Vec<Option<u32>>>()),
        named.finish().into_column(),
    ];
    DataFrame::new(rows.len(), columns).expect("a frame")
}

#[test]
fn episodes_are_counted_by_officer() {
    let open = (ComplaintState::Assigned, None);
    let pending = |officer: u32| (officer, Finding::Pending);
    let rows = [
        (100, Some(1), open, vec![pending(0), pending(0)]),
        // Within a week of the first, and beyond.
        (107, Some(1), open, vec![pending(0)]),
        (108, Some(1), open, vec![pending(0), pending(1)]),
        (103, None, open, vec![pending(0)]),
        (104, None, open, vec![pending(0)]),
        (105, Some(2), open, vec![(0, Finding::Exonerated), pending(1)]),
        // Withdrawn within the span, and after it.
        (106, Some(3), (ComplaintState::Withdrawn, Some(110)), vec![pending(0)]),
        (106, Some(4), (ComplaintState::Withdrawn, Some(300)), vec![pending(0)]),
        // The complaint began before the span.
        (98, Some(5), open, vec![pending(0)]),
        (101, Some(5), open, vec![pending(0)]),
    ];
    let found = episodes_of(&facts(&rows), Span { from: 100, until: 120 }).expect("episodes");
    assert_eq!((found.get(&0), found.get(&1), found.get(&2)), (Some(&5), Some(&2), None));
    let earlier = episodes_of(&facts(&rows), Span { from: 90, until: 99 }).expect("episodes");
    assert_eq!((earlier.get(&0), earlier.get(&1)), (Some(&1), None));
}
