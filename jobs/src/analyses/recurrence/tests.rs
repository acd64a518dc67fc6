//! Tests of the recurrence statistics: frames worked out by hand, and properties of all frames.

use super::*;
use crate::facts::Subject;
use crate::facts::days::day_number;
use crate::facts::exposure::{Basis, Exposure, Span, spans};
use crate::facts::frames::Frames;
use crate::run_hash::run_hashes;
use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use schema::Id;
use schema::enums::Tier;
use uuid::Uuid;

/// An allegation, against officer and branch 0 by default.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    complaint: u32,
    pub officer: Option<u32>,
    branch: u32,
    /// Days before the as-of day; negative after it.
    pub ago: i32,
    enterprise: Option<u32>,
    conduct: bool,
    serious: bool,
    void: bool,
    cleared: bool,
    not_sustained: bool,
    pub confirmed: bool,
    /// Index in `sketches`.
    pub text: Option<u32>,
}

pub(super) fn row(complaint: u32, ago: i32, enterprise: impl Into<Option<u32>>) -> Row {
    Row {
        complaint,
        officer: Some(0),
        branch: 0,
        ago,
        enterprise: enterprise.into(),
        conduct: true,
        serious: false,
        void: false,
        cleared: false,
        not_sustained: false,
        confirmed: true,
        text: None,
    }
}

pub(super) fn as_of() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 12, 31).expect("a date")
}

fn id(n: u32) -> Id {
    Id(Uuid::from_u128(n.into()))
}

pub(super) fn subject(prefix: &str, n: u32) -> Subject {
    Subject { code: format!("{prefix}{n}"), id: id(n) }
}

pub(super) fn frames(rows: &[Row]) -> Frames {
    let last = day_number(as_of());
    let allegations = DataFrame::new(
        rows.len(),
        vec![
            Column::new("complaint".into(), rows.iter().map(|r| r.complaint).collect::<Vec<_>>()),
            Column::new("day".into(), rows.iter().map(|r| last - r.ago).collect::<Vec<_>>()),
            Column::new("enterprise".into(), rows.iter().map(|r| r.enterprise).collect::<Vec<_>>()),
            Column::new("officer".into(), rows.iter().map(|r| r.officer).collect::<Vec<_>>()),
            Column::new("branch".into(), rows.iter().map(|r| Some(r.branch)).collect::<Vec<_>>()),
            Column::new("conduct".into(), rows.iter().map(|r| r.conduct).collect::<Vec<_>>()),
            Column::new("serious".into(), rows.iter().map(|r| r.serious).collect::<Vec<_>>()),
            Column::new("void".into(), rows.iter().map(|r| r.void).collect::<Vec<_>>()),
            Column::new("cleared".into(), rows.iter().map(|r| r.cleared).collect::<Vec<_>>()),
            Column::new("not_sustained".into(), rows.iter().map(|r| r.not_sustained).collect::<Vec<_>>()),
            Column::new("confirmed".into(), rows.iter().map(|r| r.confirmed).collect::<Vec<_>>()),
            Column::new("group".into(), vec![0i32; rows.len()]),
            Column::new("text".into(), rows.iter().map(|r| r.text).collect::<Vec<_>>()),
        ],
    )
    .expect("a frame");
    Frames {
        by_month: Default::default(),
        allegations,
        complaints: (0..21_000).map(id).collect(),
        officers: (0..5).map(|n| subject("o", n)).collect(),
        branches: (0..5).map(|n| subject("b", n)).collect(),
        enterprises: (0..20).map(|n| format!("{n:010}")).collect(),
        sketches: Vec::new(),
        exposure: [exposed(&[]), exposed(&[])],
        spans: spans(as_of()),
    }
}

/// The exposure of subjects given as (place, exposure per day), constant over all spans.
pub(super) fn exposed(subjects: &[(u32, f64)]) -> Exposure {
    let spans = spans(as_of());
    let cells: Vec<(u32, usize, f64)> = subjects
        .iter()
        .flat_map(|(subject, daily)| {
            let of_span = |(at, span): (usize, &Span)| (*subject, at, daily * f64::from(span.to - span.from + 1));
            spans.iter().enumerate().map(of_span).collect::<Vec<_>>()
        })
        .collect();
    let rows = DataFrame::new(
        cells.len(),
        vec![
            Column::new("subject".into(), cells.iter().map(|cell| cell.0).collect::<Vec<_>>()),
            Column::new("group".into(), vec![0i32; cells.len()]),
            Column::new("span".into(), cells.iter().map(|cell| cell.1 as u32).collect::<Vec<_>>()),
            Column::new("month".into(), cells.iter().map(|cell| spans[cell.1].month).collect::<Vec<_>>()),
            Column::new("exposure".into(), cells.iter().map(|cell| cell.2).collect::<Vec<_>>()),
            Column::new("carried".into(), vec![false; cells.len()]),
        ],
    )
    .expect("a frame");
    let basis = if subjects.is_empty() { Basis::None } else { Basis::Declarations };
    Exposure { basis, rows }
}

fn assessed(rows: &[Row], rules: &Rules) -> Vec<Assessment> {
    assess(&frames(rows), as_of(), rules).expect("an assessment")
}

/// The assessments with this exposure for officers and branches.
pub(super) fn assessed_with(rows: &[Row], exposure: &Exposure) -> Vec<Assessment> {
    let mut frames = frames(rows);
    frames.exposure = [exposure.clone(), exposure.clone()];
    assess(&frames, as_of(), &Rules::default()).expect("an assessment")
}

/// The assessment of officer 0.
fn officer(rows: &[Row], rules: &Rules) -> Option<Assessment> {
    officer_of(&frames(rows), rules)
}

pub(super) fn officer_of(frames: &Frames, rules: &Rules) -> Option<Assessment> {
    assess(frames, as_of(), rules)
        .expect("an assessment")
        .into_iter()
        .find(|a| a.kind == SubjectKind::Officer && a.subject.code == "o0")
}

fn tier(rows: &[Row]) -> Option<Tier> {
    officer(rows, &Rules::default()).map(|assessment| assessment.tier)
}

pub(super) fn serious(row: Row) -> Row {
    Row { serious: true, ..row }
}

#[test]
fn a_window_is_open_at_its_far_end_and_closed_at_the_day_itself() {
    let found =
        officer(&[row(0, 0, 1), row(1, 29, 2), row(2, 30, 3), row(3, 364, 4), row(4, 365, 5)], &Rules::default());
    let windows = found.expect("a flag").windows;
    assert_eq!(
        windows.map(|w| (w.days, w.complaints, w.enterprises)),
        [(30, 2, 2), (90, 3, 3), (180, 3, 3), (365, 4, 4)]
    );
}

#[test]
fn distinct_enterprises_are_counted_not_complaints() {
    assert_eq!(tier(&[row(0, 1, 1), row(1, 20, 1), row(2, 40, 1), row(3, 60, 1)]), None, "one enterprise only");
    assert_eq!(tier(&[row(0, 1, 1), row(1, 20, 2)]), Some(Tier::Watch));
    assert_eq!(tier(&[row(0, 1, 1), row(1, 190, 2)]), None, "two, but not within 180 days");
    assert_eq!(tier(&[row(0, 1, 1), row(1, 190, 2), row(2, 300, 3)]), Some(Tier::Review));
    let five: Vec<Row> = (0..5).map(|n| row(n, 10, n)).collect();
    assert_eq!(tier(&five), Some(Tier::Review), "no serious one");
    let mut grave = five.clone();
    grave[2].serious = true;
    assert_eq!(tier(&grave), Some(Tier::SuspensionReview));
}

#[test]
fn anonymous_complaints_count_as_complaints_and_as_enterprises_only_by_rule() {
    let rows: Vec<Row> = (0..4).map(|n| row(n, 10, None)).collect();
    assert_eq!(tier(&rows), None);
    let rules = Rules { version: "own".into(), anonymous: AnonymousRule::OwnEnterprise, ..Rules::default() };
    let found = officer(&rows, &rules).expect("a flag");
    assert_eq!((found.tier, found.windows[0].enterprises, found.windows[0].anonymous), (Tier::Review, 4, 4));
}

#[test]
fn what_does_not_count_is_left_out() {
    let three = [row(0, 1, 1), row(1, 2, 2), row(2, 3, 3)];
    let with = |change: fn(&mut Row)| {
        let mut rows = three;
        change(&mut rows[2]);
        tier(&rows)
    };
    assert_eq!(tier(&three), Some(Tier::Review));
    assert_eq!(with(|row| row.void = true), Some(Tier::Watch));
    assert_eq!(with(|row| row.cleared = true), Some(Tier::Watch));
    assert_eq!(with(|row| row.conduct = false), Some(Tier::Watch));
    assert_eq!(with(|row| row.ago = -1), Some(Tier::Watch), "received after the as-of day");
    assert_eq!(with(|row| row.confirmed = false), Some(Tier::Watch), "above WATCH attributions must be confirmed");
    assert_eq!(with(|row| row.not_sustained = true), Some(Tier::Review), "NOT_SUSTAINED still counts");
}

#[test]
fn one_allegation_that_holds_keeps_a_complaint_and_several_are_one_complaint() {
    let cleared = Row { cleared: true, ..row(0, 1, 1) };
    let found =
        officer(&[cleared, row(0, 1, 1), serious(row(0, 1, 1)), row(1, 2, 2)], &Rules::default()).expect("a flag");
    assert_eq!((found.windows[0].complaints, found.windows[0].serious, found.windows[0].enterprises), (2, 1, 2));
    assert_eq!(found.evidence, [id(0), id(1)]);
}

#[test]
fn a_serious_allegation_that_is_only_asserted_proposes_no_suspension() {
    let mut rows: Vec<Row> = (0..5).map(|n| row(n, 10, n)).collect();
    rows.push(Row { confirmed: false, ..serious(row(5, 10, 6)) });
    assert_eq!(tier(&rows), Some(Tier::Review));
}

#[test]
fn episodes_open_on_the_whole_history_and_may_be_fewer_than_enterprises() {
    // The episode began 32 days ago: its later complaint is in the window, its first is not.
    let found = officer(&[row(0, 32, 1), row(1, 28, 1), row(2, 5, 2)], &Rules::default()).expect("a flag");
    assert_eq!((found.windows[0].complaints, found.windows[0].episodes, found.windows[0].enterprises), (2, 1, 2));
    assert_eq!((found.windows[1].complaints, found.windows[1].episodes), (3, 2));
}

#[test]
fn a_complaint_of_several_branches_counts_once_for_each() {
    let rows = [
        row(0, 1, 1),
        Row { branch: 1, officer: Some(1), ..row(0, 1, 1) },
        row(1, 2, 2),
        Row { branch: 1, officer: None, ..row(2, 3, 3) },
    ];
    let branches: Vec<_> = assessed(&rows, &Rules::default())
        .into_iter()
        .filter(|a| a.kind == SubjectKind::Branch)
        .map(|a| (a.subject.code, a.windows[0].complaints))
        .collect();
    assert_eq!(branches, [("b0".to_owned(), 2), ("b1".to_owned(), 2)]);
}

#[test]
fn reaching_is_less_than_so_many_days_after_the_first() {
    let reached = |count, k, days, rows: &[Row]| {
        let result =
            reach(&frames(rows), SubjectKind::Officer, count, k, days, &Rules::default(), true).expect("an answer");
        assert_eq!(result.reached.map(|reached| reached.len()), Some(result.subjects as usize));
        (result.subjects, result.by_year.iter().map(|year| (year.year, year.subjects)).collect::<Vec<_>>())
    };
    let two = [row(0, 400, 1), row(1, 35, 1)];
    assert_eq!(reached(Count::Complaints, 2, 365, &two), (0, vec![]), "365 days after the first");
    assert_eq!(reached(Count::Complaints, 2, 366, &two), (1, vec![(2024, 1)]));
    assert_eq!(reached(Count::Complaints, 1, 1, &two), (1, vec![(2023, 1)]), "counted in the first year");
    assert_eq!(reached(Count::Enterprises, 2, 366, &two), (0, vec![]));
    let close = [row(0, 10, 1), row(1, 9, 1), row(2, 8, 2)];
    assert_eq!(reached(Count::Complaints, 3, 30, &close).0, 1);
    assert_eq!(reached(Count::Episodes, 3, 30, &close).0, 0);
    assert_eq!(reached(Count::Episodes, 2, 30, &close).0, 1);
    assert_eq!(reached(Count::Enterprises, 2, 30, &close).0, 1);
    let void: Vec<Row> = close.iter().map(|row| Row { void: true, conduct: false, ..*row }).collect();
    assert_eq!(reached(Count::Complaints, 3, 30, &void).0, 1, "every complaint, whatever its kind and finding");
    assert_eq!(reached(Count::Episodes, 1, 30, &void).0, 0);
}

#[test]
fn an_empty_register_gives_an_answer() {
    assert_eq!(assessed(&[], &Rules::default()), []);
    let empty = reach(&frames(&[]), SubjectKind::Branch, Count::Enterprises, 2, 10, &Rules::default(), false)
        .expect("an answer");
    assert_eq!((empty.subjects, empty.by_year.len()), (0, 0));
}

pub(super) fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let one = (0u32..60, 0u32..3, 0u32..2, -10i32..400, proptest::option::of(0u32..8), any::<[bool; 5]>());
    proptest::collection::vec(one, 0..60).prop_map(|rows| {
        // Attributes of a complaint are the same on all its rows.
        let mut complaints: std::collections::HashMap<u32, (i32, Option<u32>, bool)> = Default::default();
        rows.into_iter()
            .map(|(complaint, officer, branch, ago, enterprise, [serious, void, cleared, not_sustained, confirmed])| {
                let (ago, enterprise, void) =
                    *complaints.entry(complaint).or_insert((ago, enterprise, void && complaint % 4 == 0));
                Row {
                    officer: Some(officer),
                    branch,
                    serious,
                    void,
                    cleared: cleared && not_sustained,
                    not_sustained,
                    confirmed,
                    ..row(complaint, ago, enterprise)
                }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_rows_does_not_matter(rows in any_rows(), turn in 0usize..60) {
        let mut other = rows.clone();
        other.reverse();
        let n = other.len().max(1);
        other.rotate_left(turn % n);
        let rules = Rules::default();
        let (a, b) = (assessed(&rows, &rules), assessed(&other, &rules));
        prop_assert_eq!(&a, &b);
        let hash = |rows: &[Row], of: &[Assessment]| {
            run_hashes(&frames(rows), of, as_of(), &rules).expect("hashes").result_hash
        };
        prop_assert_eq!(hash(&rows, &a), hash(&other, &b));
    }

    #[test]
    fn nothing_after_the_day_matters(rows in any_rows()) {
        let before: Vec<Row> = rows.iter().copied().filter(|row| row.ago >= 0).collect();
        prop_assert_eq!(assessed(&rows, &Rules::default()), assessed(&before, &Rules::default()));
    }

    #[test]
    fn a_further_complaint_of_an_enterprise_in_the_window_leaves_d_unchanged(mut rows in any_rows(), ago in 0i32..365) {
        rows.push(row(900, 20, 3));
        let before = officer(&rows, &Rules::default()).map(|a| a.windows[3].enterprises);
        rows.push(row(901, ago, 3));
        prop_assert_eq!(officer(&rows, &Rules::default()).map(|a| a.windows[3].enterprises), before);
    }

    #[test]
    fn removing_an_enterprise_never_raises_a_tier(rows in any_rows(), enterprise in 0u32..8) {
        let without: Vec<Row> = rows.iter().copied().filter(|row| row.enterprise != Some(enterprise)).collect();
        prop_assert!(tier(&without) <= tier(&rows));
    }

    #[test]
    fn the_hash_tells_rows_apart(rows in any_rows(), at in 0usize..60) {
        prop_assume!(!rows.is_empty());
        let mut other = rows.clone();
        let at = at % rows.len();
        other[at].confirmed = !other[at].confirmed;
        let rules = Rules::default();
        let hash = |rows: &[Row]| run_hashes(&frames(rows), &[], as_of(), &rules).expect("hashes").input_hash;
        let mut lines: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        let mut others: Vec<String> = other.iter().map(|row| format!("{row:?}")).collect();
        lines.sort();
        others.sort();
        prop_assert_eq!(hash(&rows) == hash(&other), lines == others);
    }
}

#[test]
fn a_day_is_counted_from_1970() {
    assert_eq!(day_number(NaiveDate::default()), 0);
    assert_eq!(day_number(NaiveDate::default() + Days::new(366)), 366);
}
