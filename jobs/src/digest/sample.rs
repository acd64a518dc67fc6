//! Documents for tests.

use super::answers::AnswersPart;
use super::document::DigestDocument;
use super::flagged::{FlagsPart, Standing};
use super::head_part::{HeadPart, PeersPart, ScorecardPart, WaitingPart};
use super::measured::MeasuresPart;
use super::news::NewsPart;
use super::numbers::NumbersPart;
use super::people::{SubjectName, UnitName};
use super::timeline::{EpisodeLine, MeasureSpan, TierLine, TimelinePart};
use super::unusual::{CusumPart, FunnelLine, FunnelPart, GravestPart, ProvinceLine, UnusualPart, WindowLine};
use crate::analyses::overdue::OverdueDocument;
use crate::analyses::recurrence::CusumWeek;
use crate::analyses::trends::Totals;
use chrono::NaiveDate;
use schema::Id;
use schema::domain::ids::random_id;
use schema::enums::{MeasureKind, SubjectKind, Tier};
use std::collections::BTreeMap;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// A second digest about all units in which nothing is new.
pub(super) fn quiet() -> DigestDocument {
    DigestDocument {
        as_of: day("2025-12-31"),
        previous_as_of: Some(day("2025-12-30")),
        demonstration: false,
        unit: None,
        narrowed: false,
        analyst: false,
        sections: Vec::new(),
        position: 1,
        runs: BTreeMap::new(),
        stale: Vec::new(),
        monthly: Vec::new(),
        flags: FlagsPart::default(),
        measures: MeasuresPart::default(),
        overdue: OverdueDocument {
            overdue: 3,
            newly_escalated: [0, 0],
            escalated_to: Vec::new(),
            branches: Vec::new(),
        },
        overdue_on: None,
        recent_days: 30,
        before_days: 180,
        rising: Vec::new(),
        recent: Totals::default(),
        previous: Totals::default(),
        answers: AnswersPart {
            days: 365,
            least: 20,
            share_in_time: None,
            median_days: None,
            best: Vec::new(),
            worst: Vec::new(),
        },
        register: Vec::new(),
        events: BTreeMap::new(),
        events_between: None,
        seals: Vec::new(),
        numbers: NumbersPart::default(),
        news: NewsPart::default(),
        categories: Vec::new(),
        blame: Vec::new(),
        proposals: Vec::new(),
        unusual: UnusualPart::default(),
        head: None,
    }
}

/// A flag on an officer, and the key of its change.
pub(super) fn flag(tier: Tier, change: Option<&str>) -> Standing {
    Standing {
        flag: random_id(),
        kind: SubjectKind::Officer,
        code: "CC01".to_owned(),
        tier,
        reason_vi: String::new(),
        reason_en: String::new(),
        subject: SubjectName::default(),
        plain: None,
        change: change.map(str::to_owned),
        was: None,
    }
}

fn unit(code: &str, vi: &str, en: &str) -> UnitName {
    UnitName { code: code.to_owned(), name_vi: vi.to_owned(), name_en: Some(en.to_owned()) }
}

/// The Board's digest with an unusual branch and a flag.
pub(super) fn of_board() -> DigestDocument {
    let mut grave = flag(Tier::SuspensionReview, None);
    grave.subject.name = Some("Nguyễn Văn A".to_owned());
    let branch = |code: &str, vi: &str, en: &str, observed: u32| {
        let branch = unit(code, vi, en);
        FunnelLine { branch, observed, expected: 10.0 }
    };
    let branches = vec![
        branch("01AF", "Cảng Hà Nội", "Hanoi port", 40),
        branch("02AB", "Cảng Sài Gòn", "Saigon port", 11),
        branch("03AA", "Cảng Hải Phòng", "Hai Phong port", 9),
    ];
    let window = |is_confirmed: bool, ratio: f64, lower: f64, upper: f64| WindowLine {
        days: 365,
        is_confirmed,
        ratio,
        lower,
        upper,
    };
    let windows = vec![window(false, 14.2, 9.8, 19.9), window(true, 3.1, 1.2, 6.0)];
    let mut document = quiet();
    document.unusual = UnusualPart {
        funnel: Some(FunnelPart { days: 365, phi: 1.0, tau2: 0.0, branches, provinces: provinces() }),
        gravest: Some(GravestPart { flag: grave.flag, windows }),
        timeline: Some(time_line(grave.flag)),
        cusum: Some(signal()),
    };
    document.flags.standing = vec![grave];
    document
}

fn provinces() -> Vec<ProvinceLine> {
    let line = |vi: &str, en: &str, shape: &str, observed: u32| ProvinceLine {
        name_vi: vi.to_owned(),
        name_en: en.to_owned(),
        shapes: vec![shape.to_owned()],
        observed,
        expected: 10.0,
    };
    vec![line("Hà Nội", "Hanoi", "hanoi", 40), line("Thành phố Hồ Chí Minh", "Ho Chi Minh City", "hcm", 11)]
}

fn time_line(flag: Id) -> TimelinePart {
    let episode = |on: &str, is_confirmed: bool| EpisodeLine { day: day(on), complaints: 1, is_confirmed };
    TimelinePart {
        flag,
        from: day("2025-02-01"),
        to: day("2025-12-31"),
        episodes: vec![episode("2025-02-01", false), episode("2025-05-07", true), episode("2025-11-20", false)],
        tiers: vec![
            TierLine { day: day("2025-05-31"), tier: Tier::Watch },
            TierLine { day: day("2025-12-31"), tier: Tier::SuspensionReview },
        ],
        measures: vec![MeasureSpan { kind: MeasureKind::FormalReview, from: day("2025-06-10"), to: None }],
    }
}

fn signal() -> CusumPart {
    let week = |from: &str, observed: u32, sum: f64, signal: bool| CusumWeek {
        from: day(from),
        observed,
        expected: 1.0,
        sum,
        signal,
    };
    let weeks =
        vec![week("2025-12-11", 1, 0.3, false), week("2025-12-18", 3, 2.1, false), week("2025-12-25", 5, 5.6, true)];
    CusumPart { branch: unit("01AF", "Cảng Hà Nội", "Hanoi port"), limit: 4.0, weeks }
}

/// The digest about a unit that answers less than its peers in time.
pub(super) fn about_a_unit() -> DigestDocument {
    let mut document = quiet();
    document.unit = Some(unit("01", "Hà Nội", "Hanoi"));
    document.head = Some(HeadPart {
        scorecard: ScorecardPart {
            days: 365,
            complaints: 40,
            share_in_time: Some(0.5),
            limits: Some((0.35, 0.65)),
            median_days: Some(3.0),
            peers: Some(PeersPart { count: 27, share_in_time: 0.96, lowest: 0.85, highest: 1.0 }),
            ..ScorecardPart::default()
        },
        waiting: Some(WaitingPart { steps: vec![(1.0, 0.7), (3.0, 0.4)], still_waiting: vec![2, 30] }),
        late: Vec::new(),
        older: 0,
        escalated: Vec::new(),
    });
    document
}
