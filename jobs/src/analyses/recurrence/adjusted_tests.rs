//! Tests of the adjustment for exposure, campaigns and robustness: frames worked out by hand, and properties
//! of all frames.

use super::cells::cells;
use super::expected::{Expected, expected};
use super::significance::Adjusted;
use super::tests::{any_rows, as_of, assessed_with, exposed, frames, officer_of, row, serious, subject};
use super::tiers::{Test, rule_of};
use super::*;
use crate::facts::exposure::Span;
use crate::facts::frames::Frames;
use crate::facts::minhash::TextSketch;
use crate::numeric::shrinkage::{Gamma, Prior};
use proptest::prelude::*;
use schema::enums::Tier;
use std::sync::Arc;

/// Cells as (subject, group, month, exposure, episodes), in months of 30 days.
fn table(cells_: &[(u32, i32, u32, f64, u32)], rules: &Rules) -> Expected {
    let spans: Vec<Span> =
        (0..12).map(|month| Span { from: month * 30, to: month * 30 + 29, month: month.unsigned_abs() }).collect();
    let exposed: Vec<_> = cells_.iter().filter(|cell| cell.3 > 0.0).collect();
    let exposure = DataFrame::new(
        exposed.len(),
        vec![
            Column::new("subject".into(), exposed.iter().map(|cell| cell.0).collect::<Vec<_>>()),
            Column::new("group".into(), exposed.iter().map(|cell| cell.1).collect::<Vec<_>>()),
            Column::new("span".into(), exposed.iter().map(|cell| cell.2).collect::<Vec<_>>()),
            Column::new("month".into(), exposed.iter().map(|cell| cell.2).collect::<Vec<_>>()),
            Column::new("exposure".into(), exposed.iter().map(|cell| cell.3).collect::<Vec<_>>()),
            Column::new("carried".into(), vec![false; exposed.len()]),
        ],
    )
    .expect("a frame");
    let episodes: Vec<_> = cells_.iter().flat_map(|cell| vec![*cell; cell.4 as usize]).collect();
    let rows = DataFrame::new(
        episodes.len(),
        vec![
            Column::new("subject".into(), episodes.iter().map(|cell| cell.0).collect::<Vec<_>>()),
            Column::new("group".into(), episodes.iter().map(|cell| cell.1).collect::<Vec<_>>()),
            Column::new("episode_day".into(), episodes.iter().map(|cell| cell.2 as i32 * 30 + 3).collect::<Vec<_>>()),
            Column::new("opens".into(), vec![true; episodes.len()]),
        ],
    )
    .expect("a frame");
    let cells = cells(&rows, &exposure, &spans).expect("cells");
    expected(&cells, &spans, 360, rules).expect("expectations")
}

#[track_caller]
fn close(found: Option<f64>, expected: f64) {
    assert!(found.is_some_and(|found| (found - expected).abs() < 1e-12), "{found:?}, expected {expected}");
}

#[test]
fn the_others_of_the_stratum_are_the_measure() {
    let found = table(&[(0, 0, 0, 10.0, 1), (1, 0, 0, 20.0, 4), (2, 0, 0, 30.0, 5)], &Rules::default());
    // The others have 9 episodes in an exposure of 50; 6 in 40; 5 in 30.
    close(found.expected[0], 10.0 * 9.0 / 50.0);
    close(found.expected[1], 20.0 * 6.0 / 40.0);
    close(found.expected[2], 30.0 * 5.0 / 30.0);
    assert_eq!((found.observed, found.widened), (vec![1, 4, 5], vec![0.0; 3]));
}

#[test]
fn a_thin_stratum_is_widened_to_the_window_of_its_group() {
    let months = [
        (0, 0, 0, 10.0, 1),
        (1, 0, 0, 20.0, 4),
        (2, 0, 0, 30.0, 5),
        (0, 0, 1, 10.0, 0),
        (1, 0, 1, 20.0, 1),
        (2, 0, 1, 30.0, 0),
    ];
    let found = table(&months, &Rules::default());
    // In month 1 the others have at most one episode: over the window 10 in 100; 6 in 80; 6 in 60.
    close(found.expected[0], 1.8 + 10.0 * 10.0 / 100.0);
    close(found.expected[1], 3.0 + 20.0 * 6.0 / 80.0);
    close(found.expected[2], 5.0 + 30.0 * 6.0 / 60.0);
    assert!((found.widened[0] - 1.0 / 2.8).abs() < 1e-12);
}

#[test]
fn who_is_alone_in_a_group_is_compared_with_all() {
    let found = table(&[(0, 0, 0, 10.0, 6), (1, 0, 0, 20.0, 4), (2, 1, 0, 5.0, 1)], &Rules::default());
    close(found.expected[2], 5.0 * 10.0 / 30.0);
    assert_eq!(found.widened[2], 1.0);
}

#[test]
fn an_officer_of_two_groups_is_expected_in_both() {
    let found =
        table(&[(0, 0, 0, 10.0, 0), (1, 0, 0, 10.0, 5), (0, 1, 1, 10.0, 0), (2, 1, 1, 20.0, 5)], &Rules::default());
    close(found.expected[0], 10.0 * 5.0 / 10.0 + 10.0 * 5.0 / 20.0);
}

#[test]
fn without_exposure_or_others_nothing_is_expected() {
    let found = table(&[(0, 0, 0, 0.0, 3), (1, 0, 0, 20.0, 5), (2, 0, 0, 20.0, 5)], &Rules::default());
    assert_eq!((found.observed[0], found.expected[0]), (3, None), "no exposure");
    // Episodes without exposure still count in the rate of the others.
    close(found.expected[1], 20.0 * 8.0 / 20.0);
    let alone = table(&[(0, 0, 0, 10.0, 3)], &Rules::default());
    assert_eq!(alone.expected, [None], "no other subject");
    let quiet = table(&[(0, 0, 0, 10.0, 3), (1, 0, 0, 10.0, 0)], &Rules::default());
    assert_eq!(quiet.expected[0], None, "the others have no episode, so no rate");
    close(quiet.expected[1], 3.0);
    assert_eq!(table(&[], &Rules::default()).subjects.len(), 0);
}

fn text(n: usize) -> String {
    let words =
        ["Cán bộ hải quan cố tình kéo dài việc kiểm tra", "hồ sơ của doanh nghiệp chúng tôi nhiều lần", "trong tháng"];
    format!("{} {n} {} lần thứ {n}", words[..2].join(" "), words[2])
}

/// The assessment of officer 0 from rows given as (days ago, enterprise, text).
fn sketched(rows: &[(i32, u32, &str)], change: impl Fn(&mut Rules)) -> Option<Assessment> {
    let mut rules = Rules { version: "own".into(), ..Rules::default() };
    rules.watch.enterprises = 1;
    change(&mut rules);
    let allegations: Vec<_> = rows
        .iter()
        .zip(0u32..)
        .map(|((ago, enterprise, _), n)| {
            let mut one = row(n, *ago, *enterprise);
            one.text = Some(n);
            one
        })
        .collect();
    let mut frames = frames(&allegations);
    frames.sketches = rows.iter().map(|(_, _, text)| Arc::new(TextSketch::of(text))).collect();
    officer_of(&frames, &rules)
}

#[test]
fn a_campaign_is_one_enterprise_and_one_episode() {
    let texts: Vec<String> = (1..=4).map(text).collect();
    let of = |n: usize| texts[n].as_str();
    let campaign = [(60, 1, of(0)), (50, 2, of(1)), (45, 3, of(2))];
    let found = sketched(&campaign, |_| {}).expect("a flag").windows[2].clone();
    assert_eq!((found.enterprises, found.enterprises_of_campaigns_apart, found.episodes), (1, 3, 1));
    assert_eq!((found.complaints, found.campaign_complaints), (3, 3));
    // A different text counts apart, also from an enterprise of the campaign.
    let other = "Tờ khai của chúng tôi bị yêu cầu bổ sung chứng từ không có trong quy định, phải chờ hai tuần";
    let beside = [(60, 1, of(0)), (50, 2, of(1)), (45, 3, of(2)), (40, 3, other)];
    let found = sketched(&beside, |_| {}).expect("a flag").windows[2].clone();
    assert_eq!((found.enterprises, found.episodes), (2, 2));
    let two = sketched(&[(60, 1, of(0)), (50, 2, of(1))], |_| {}).expect("a flag").windows[2].clone();
    assert_eq!((two.enterprises, two.episodes, two.campaign_complaints), (2, 2, 0), "a campaign needs three");
    let slow = [(160, 1, of(0)), (120, 2, of(1)), (80, 3, of(2))];
    assert_eq!(sketched(&slow, |_| {}).expect("a flag").windows[2].enterprises, 3, "not within 30 days");
    let short = [(60, 1, "kéo dài"), (50, 2, "kéo dài"), (45, 3, "kéo dài")];
    assert_eq!(sketched(&short, |_| {}).expect("a flag").windows[2].enterprises, 3, "too short to tell");
    let form = sketched(&campaign, |rules| rules.campaign.templates = vec![text(9)]).expect("a flag");
    assert_eq!(form.windows[2].enterprises, 3, "similar to a template");
}

#[test]
fn an_officer_is_found_among_colleagues_and_a_busy_one_is_not() {
    // Twelve enterprises each; officer 1 handles 12 times as much. All others have one episode each.
    let by = |officer: u32, complaint: u32, nth: u32| {
        let mut one = serious(row(complaint, 10 + 20 * nth as i32, nth));
        one.officer = Some(officer);
        one
    };
    let mut rows: Vec<_> = (0..12).flat_map(|n| [by(0, n, n), by(1, 20 + n, n)]).collect();
    rows.extend((2..100).map(|n| by(n, 100 + n, n % 15)));
    let mut all = frames(&rows);
    let daily: Vec<(u32, f64)> = (0..100).map(|n| (n, if n == 1 { 12.0 } else { 1.0 })).collect();
    all.officers = (0..100).map(|n| subject("o", n)).collect();
    all.exposure[0] = exposed(&daily);
    let found = assess_kind(&all, SubjectKind::Officer, as_of(), &Rules::default()).expect("an assessment");
    let codes: Vec<_> = found.found.iter().map(|one| (one.subject.code.as_str(), one.tier)).collect();
    assert_eq!(codes, [("o0", Tier::SuspensionReview)]);
    let year = &found.found[0].windows[3];
    let adjusted = year.adjusted.as_ref().expect("adjusted");
    // 12 episodes of officer 1 and 98 of the others, in 110 times the exposure: about one. (Months differ.)
    assert!((0.9..1.3).contains(&adjusted.expected), "{adjusted:?}");
    assert_eq!((adjusted.observed, adjusted.largest, adjusted.anonymous), (12, 1, 0));
    assert!(adjusted.lower < adjusted.ratio && adjusted.ratio < adjusted.upper && adjusted.eb05 < adjusted.ebgm);
    assert_eq!(found.basis, crate::facts::exposure::Basis::Declarations);
}

#[test]
fn one_mans_feud_is_not_robust() {
    // Nine episodes from one enterprise, and one each from two others.
    let mut rows: Vec<_> = (0..9).map(|n| row(n, 10 + 30 * n as i32, 1)).collect();
    rows.extend([row(20, 5, 2), row(21, 15, 3)]);
    let colleagues = (30..50).map(|n| {
        let mut one = row(n, 7 * (n as i32 - 30), n % 20);
        one.officer = Some(1 + n % 4);
        one
    });
    rows.extend(colleagues);
    let mut all = frames(&rows);
    all.exposure[0] = exposed(&[(0, 1.0), (1, 2.0), (2, 2.0), (3, 2.0), (4, 2.0)]);
    let tier = |frames: &Frames| officer_of(frames, &Rules::default()).map(|one| one.tier);
    assert!(tier(&all) < Some(Tier::Review), "{:?}", tier(&all));
    let rules = Rules {
        version: "own".into(),
        review: TierRule { robust: false, eb05: None, ..Rules::default().review },
        ..Rules::default()
    };
    assert_eq!(officer_of(&all, &rules).map(|one| one.tier), Some(Tier::Review), "without the robustness rule");
}

#[test]
fn extremes_give_numbers_or_none() {
    let many: Vec<_> = (0..10_000).map(|n| row(n, (n % 365) as i32, n % 20)).collect();
    let anonymous: Vec<_> = (0..10).map(|n| row(n, n as i32, None)).collect();
    let future: Vec<_> = (0..10).map(|n| row(n, -5, n)).collect();
    let one = vec![row(0, 1, 1)];
    // Colleagues have complaints, too: otherwise there would be no expectation.
    let colleagues: Vec<_> = (0..20)
        .map(|n| {
            let mut one = row(20_000 + n, n as i32, n % 7);
            one.officer = Some(1 + n % 3);
            one
        })
        .collect();
    let mut compared = 0;
    for rows in [vec![], one, anonymous, future, many] {
        let rows = [rows, colleagues.clone()].concat();
        for exposure in [&[][..], &[(0, 1.0)], &[(0, 1.0), (1, 1.0)], &[(0, 1e-9), (1, 1e9), (2, 1.0)]] {
            let mut all = frames(&rows);
            all.exposure = [exposed(exposure), exposed(exposure)];
            let assessed = assess_kind(&all, SubjectKind::Officer, as_of(), &Rules::default()).expect("an answer");
            assert!(assess(&all, as_of(), &Rules::default()).is_ok());
            let Some(longest) = assessed.longest else { continue };
            for (index, observed, _) in longest.pairs() {
                let numbers = longest.numbers_of(index, observed.min(3), observed.min(2)).expect("numbers");
                let written = serde_json::to_string(&numbers).expect("JSON");
                assert!(!written.contains("null"), "NaN and infinities are written as null: {written}");
                compared += 1;
            }
        }
    }
    assert!(compared > 10, "{compared}");
}

fn prior() -> impl Strategy<Value = Prior> {
    let gamma = || (0.1f64..5.0, 0.1f64..5.0).prop_map(|(shape, rate)| Gamma { shape, rate });
    (gamma(), gamma(), 0.01f64..0.5).prop_map(|(first, second, share)| Prior::Mixture { first, second, share })
}

/// The numbers of one subject under a fixed prior.
fn fixed(prior: &Prior, observed: u32, expected: f64, largest: u32, cut_off: f64) -> Adjusted {
    let eb05 = |n: u32| prior.posterior(n, expected).quantile(0.05);
    let p = |n: u32| crate::numeric::poisson::mid_p_upper_tail(n, expected);
    Adjusted {
        observed,
        exposure: 1.0,
        expected,
        ratio: f64::from(observed) / expected,
        lower: 0.0,
        upper: 0.0,
        p: p(observed),
        // Only whether q is below or above the limits matters.
        q: if p(observed) <= cut_off { 0.0 } else { 1.0 },
        ebgm: prior.posterior(observed, expected).ebgm,
        eb05: eb05(observed),
        eb95: prior.posterior(observed, expected).quantile(0.95),
        largest,
        anonymous: 0,
        p_without_largest: p(observed - largest),
        eb05_without_largest: eb05(observed - largest),
        p_without_anonymous: p(observed),
        eb05_without_anonymous: eb05(observed),
        widened: 0.0,
        carried: false,
    }
}

proptest! {
    #[test]
    fn eb05_rises_with_what_was_observed_and_falls_with_what_was_expected(
        prior in prior(), n in 0u32..60, e in 0.01f64..30.0, more in 1.01f64..5.0,
    ) {
        let eb05 = |n: u32, e: f64| prior.posterior(n, e).quantile(0.05);
        prop_assert!(eb05(n + 1, e) >= eb05(n, e) * (1.0 - 1e-9));
        prop_assert!(eb05(n, e * more) <= eb05(n, e) * (1.0 + 1e-9));
        let posterior = prior.posterior(n, e);
        let (low, middle, high) = (posterior.quantile(0.05), posterior.ebgm, posterior.quantile(0.95));
        prop_assert!(low.is_finite() && low <= high && middle > 0.0 && middle <= high * 1.0001, "{low} {middle} {high}");
    }

    #[test]
    fn a_tier_rises_with_enterprises_and_episodes_and_falls_with_an_enterprise_left_out(
        prior in prior(), n in 1u32..40, e in 0.05f64..10.0, d in 0u32..12, largest in 1u32..40, next in 1u32..40,
        cut in 1e-6f64..0.05,
    ) {
        let largest = largest.min(n);
        let rules = Rules::default();
        let tier = |d: u32, n: u32, largest: u32| {
            let adjusted = Some(fixed(&prior, n, e, largest, cut));
            let windows = WINDOWS.map(|days| WindowNumbers {
                days,
                enterprises: d,
                enterprises_confirmed: d,
                serious: 1,
                serious_confirmed: 1,
                adjusted: adjusted.clone(),
                adjusted_confirmed: adjusted.clone(),
                ..WindowNumbers::default()
            });
            [Tier::SuspensionReview, Tier::Review, Tier::Watch].into_iter().find(|tier| {
                let rule = rule_of(&rules, *tier);
                Test { rule, adjusted: true, cut_off: rule.q.map(|_| cut) }.holds(&windows)
            })
        };
        prop_assert!(tier(d + 1, n, largest) >= tier(d, n, largest));
        prop_assert!(tier(d, n + 1, largest) >= tier(d, n, largest));
        // Without the complaints of the enterprise with the most, d falls by one and another enterprise has
        // the most.
        if d > 0 && n > largest {
            let next = next.min(largest).min(n - largest);
            prop_assert!(tier(d - 1, n - largest, next) <= tier(d, n, largest));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn with_exposure_the_order_of_rows_and_the_future_do_not_matter(rows in any_rows(), turn in 0usize..60) {
        let mut other = rows.clone();
        other.reverse();
        let n = other.len().max(1);
        other.rotate_left(turn % n);
        let exposure = exposed(&[(0, 1.0), (1, 3.0), (2, 0.5)]);
        let a = assessed_with(&rows, &exposure);
        prop_assert_eq!(&a, &assessed_with(&other, &exposure));
        let before: Vec<_> = rows.iter().copied().filter(|row| row.ago >= 0).collect();
        prop_assert_eq!(&a, &assessed_with(&before, &exposure));
    }
}
