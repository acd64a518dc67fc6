//! The loops give the numbers of the queries that they replaced, to the last bit.

use super::cells::cells;
use super::episodes::largest_and_anonymous;
use super::expected::expected;
use super::tests::{any_rows, as_of, frames};
use super::windows::windows;
use super::*;
use super::{counted, reference};
use crate::facts::exposure::{Span, spans};
use crate::facts::frames::NO_GROUP;
use proptest::prelude::*;

/// (subject, group, span, exposure, carried).
type Exposed = (u32, i32, u32, f64, bool);
/// (subject, group, days before the as-of day, whether the row opens an episode).
type Row = (u32, i32, i32, bool);

/// Exposures of few subjects in few groups, once for each subject, group and span as in the register: some
/// subjects and months have none. Any order, since that of the register is one of them.
fn any_exposure() -> impl Strategy<Value = Vec<Exposed>> {
    let key = (0u32..6, NO_GROUP..3, 0u32..16);
    let one = (key, 1e-3f64..1e5, any::<bool>());
    (proptest::collection::vec(one, 0..150), any::<bool>()).prop_map(|(mut cells, in_order)| {
        if in_order {
            cells.sort_by_key(|cell| cell.0);
        }
        let mut seen = std::collections::HashSet::new();
        cells.retain(|(key, ..)| seen.insert(*key));
        cells.into_iter().map(|((subject, group, span), x, carried)| (subject, group, span, x, carried)).collect()
    })
}

/// Episodes of subjects with exposure and without, also before and after the windows.
fn any_episodes() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((0u32..8, NO_GROUP..3, -5i32..400, any::<bool>()), 0..120)
}

/// Episodes of those who had exposure, there and then: no cell is without exposure.
fn episodes_of(exposed: &[Exposed], spans: &[Span]) -> Vec<Row> {
    let last = day_number(as_of());
    exposed
        .iter()
        .filter_map(|(subject, group, span, ..)| Some((*subject, *group, last - spans.get(*span as usize)?.to, true)))
        .collect()
}

fn exposure(cells: &[Exposed], spans: &[Span]) -> DataFrame {
    let months = cells.iter().map(|cell| spans[cell.2 as usize].month).collect::<Vec<_>>();
    DataFrame::new(
        cells.len(),
        vec![
            Column::new("subject".into(), cells.iter().map(|cell| cell.0).collect::<Vec<_>>()),
            Column::new("group".into(), cells.iter().map(|cell| cell.1).collect::<Vec<_>>()),
            Column::new("span".into(), cells.iter().map(|cell| cell.2).collect::<Vec<_>>()),
            Column::new("month".into(), months),
            Column::new("exposure".into(), cells.iter().map(|cell| cell.3).collect::<Vec<_>>()),
            Column::new("carried".into(), cells.iter().map(|cell| cell.4).collect::<Vec<_>>()),
        ],
    )
    .expect("a frame")
}

fn episodes(rows: &[Row], groups: Vec<Option<i32>>) -> DataFrame {
    let last = day_number(as_of());
    DataFrame::new(
        rows.len(),
        vec![
            Column::new("subject".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
            Column::new("group".into(), groups),
            Column::new("episode_day".into(), rows.iter().map(|row| last - row.2).collect::<Vec<_>>()),
            Column::new("opens".into(), rows.iter().map(|row| row.3).collect::<Vec<_>>()),
        ],
    )
    .expect("a frame")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn expected_numbers_are_those_of_the_query(
        cells_ in any_exposure(), rows in any_episodes(), everywhere in any::<bool>(), enough in 0u32..8,
    ) {
        let spans = spans(as_of());
        let cells_: Vec<Exposed> = cells_.into_iter().filter(|cell| (cell.2 as usize) < spans.len()).collect();
        let rows = if everywhere { episodes_of(&cells_, &spans) } else { rows };
        let rules = Rules { stratum_episodes: enough, ..Rules::default() };
        let exposure = exposure(&cells_, &spans);
        let rows = episodes(&rows, rows.iter().map(|row| Some(row.1)).collect());
        let query = reference::cells(&rows, &exposure, &spans).expect("cells").collect().expect("cells").lazy();
        let cells = cells(&rows, &exposure, &spans).expect("cells");
        for days in WINDOWS {
            prop_assert_eq!(
                expected(&cells, &spans, days, &rules).expect("expectations"),
                reference::expected(&query, &spans, days, &rules).expect("expectations")
            );
        }
    }

    #[test]
    fn windows_are_those_of_the_query(rows in any_rows(), own in any::<bool>()) {
        let anonymous = if own { AnonymousRule::OwnEnterprise } else { AnonymousRule::NotCounted };
        let rules = Rules { anonymous, ..Rules::default() };
        let (frames, last) = (frames(&rows), day_number(as_of()));
        for kind in [SubjectKind::Officer, SubjectKind::Branch] {
            let counted = counted(&frames, kind, &rules).expect("rows");
            let order = ["subject", "enterprise", "day", "complaint"];
            let sorted = counted.sort(order, SortMultipleOptions::default()).expect("rows");
            prop_assert!(counted.equals_missing(&sorted), "{:?}, sorted {:?}", counted, sorted);
            let rows = with_episodes(&combined(&frames, kind, &rules).expect("rows"), rules.episode_days).expect("rows");
            let found = windows(&rows, last).expect("windows").0;
            prop_assert_eq!(found, reference::windows(&rows, last).expect("windows"));
            for days in WINDOWS {
                prop_assert_eq!(
                    largest_and_anonymous(&rows, last, days).expect("parts"),
                    reference::parts(&rows, last, days).expect("parts")
                );
            }
        }
    }
}

#[test]
fn a_row_without_a_group_is_in_the_group_of_none() {
    let spans = spans(as_of());
    let exposure = exposure(&[(0, NO_GROUP, 0, 10.0, false), (1, NO_GROUP, 0, 20.0, false)], &spans);
    let rows: Vec<Row> = vec![(0, 0, 364, true), (1, 0, 364, true), (2, 0, 364, true)];
    let of = |group: Option<i32>| {
        let cells = cells(&episodes(&rows, vec![group; rows.len()]), &exposure, &spans).expect("cells");
        expected(&cells, &spans, 365, &Rules { stratum_episodes: 1, ..Rules::default() }).expect("expectations")
    };
    assert_eq!(of(None), of(Some(NO_GROUP)));
    // The others of subject 0 have two episodes in an exposure of 20.
    assert_eq!((of(None).observed, of(None).expected[0]), (vec![1, 1, 1], Some(1.0)));
}

#[test]
fn an_exposure_outside_of_all_spans_is_an_error() {
    let spans = spans(as_of());
    let mut exposure = exposure(&[(0, 0, 0, 10.0, false)], &spans);
    exposure.with_column(Column::new("span".into(), vec![99u32])).expect("a column");
    assert!(cells(&episodes(&[], vec![]), &exposure, &spans).is_err());
}
