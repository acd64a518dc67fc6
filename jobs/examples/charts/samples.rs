//! Invented numbers for each chart, and the charts of them.

use chrono::{Days, Months, NaiveDate};
use jobs::JobError;
use jobs::charts::cusum::{self, CusumData, CusumPoint};
use jobs::charts::funnel::{self, FunnelData, FunnelPoint};
use jobs::charts::interval::{self, IntervalData, IntervalRow};
use jobs::charts::map::{self, MapArea, MapData, Places};
use jobs::charts::pareto::{self, ParetoBar, ParetoData};
use jobs::charts::peers::{self, PeersData};
use jobs::charts::timeline::{self, TierChange, TimelineData, TimelineEpisode, TimelineMeasure};
use jobs::charts::trend::{self, TrendData, TrendMonth};
use jobs::charts::waiting::{self, WaitingCurve, WaitingData};
use jobs::charts::{Chart, Style, Unusual, Words};
use jobs::numeric::funnel::{Funnel, Z_95, Z_998};
use schema::enums::{Locale, SubjectKind, Tier};

/// Each kind of chart with its name, in the language of the words.
///
/// # Errors
/// If a chart cannot be drawn.
pub fn charts(locale: Locale, words: &Words, style: Style<'_>) -> Result<Vec<(&'static str, Chart)>, JobError> {
    Ok(vec![
        ("trend", trend::chart(&trend_data(locale), words, style)?),
        ("pareto", pareto::chart(&pareto_data(locale), words, style)?),
        ("funnel", funnel::chart(&funnel_data(locale, 40), words, style)?),
        ("cusum", cusum::chart(&cusum_data(), words, style)?),
        ("waiting", waiting::chart(&waiting_data(locale), words, style)?),
        ("peers", peers::chart(&peers_data(locale), words, style)?),
        ("timeline", timeline::chart(&timeline_data(locale), words, style)?),
        ("interval", interval::chart(&interval_data(locale), words, style)?),
        ("map", map::chart(&map_data(locale)?, words, style)?),
    ])
}

fn of<'a>(locale: Locale, vi: &'a str, en: &'a str) -> &'a str {
    match locale {
        Locale::Vi => vi,
        Locale::En => en,
    }
}

/// A day of 2026, counted from its first.
fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).and_then(|first| first.checked_add_days(Days::new(number))).unwrap_or_default()
}

/// A number from 0 to 1 that looks like chance and is the same on every machine.
fn noise(seed: u64) -> f64 {
    let mixed = seed.wrapping_add(1).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (mixed >> 40) as f64 / (1_u64 << 24) as f64
}

/// Eleven months of twelve, the last above its range.
pub fn trend_data(locale: Locale) -> TrendData {
    let values = [310.0, 284.0, 297.0, 322.0, 345.0, 318.0, 301.0, 288.0, 290.0, 335.0, 352.0, 431.0];
    let months = values.into_iter().zip(0..).map(|(value, month)| TrendMonth {
        month: day(0).checked_add_months(Months::new(month)).unwrap_or_default(),
        value: (month != 6).then_some(value),
        before: Some(value * 0.9 - 20.0 * noise(u64::from(month))),
        usual: Some((value.min(340.0) - 45.0, value.min(340.0) + 45.0)),
    });
    TrendData { what: of(locale, "Phản ánh", "Complaints").to_owned(), months: months.collect() }
}

/// A unit that answers later than most of its kind.
pub fn peers_data(locale: Locale) -> PeersData {
    PeersData {
        label: of(locale, "Cục Hải quan thành phố Hải Phòng", "Customs of Hai Phong").to_owned(),
        what: of(locale, "trả lời đúng hạn", "answered in time").to_owned(),
        share_name: of(locale, "Trả lời đúng hạn", "Answered in time").to_owned(),
        share: 0.714,
        lower: 0.642,
        upper: 0.777,
        peers: 33,
        half: 0.926,
        lowest: 0.841,
        highest: 0.983,
    }
}

/// The windows of a flag: the long ones have more than chance explains.
pub fn interval_data(locale: Locale) -> IntervalData {
    let windows = [(90, 2.1, 0.7, 4.9), (180, 6.4, 3.1, 11.8), (365, 14.2, 9.8, 19.9), (730, 0.0, 0.0, 1.4)];
    let rows = windows.map(|(days, ratio, lower, upper)| IntervalRow {
        label: format!(
            "{days} {}",
            of(locale, "ngày, chỉ tính phản ánh đã xác nhận", "days, confirmed complaints alone")
        ),
        ratio,
        lower,
        upper,
    });
    IntervalData {
        title: of(
            locale,
            "Số vụ việc trong 365 ngày gấp 14,2 lần dự kiến",
            "14.2 times as many episodes as expected in 365 days",
        )
        .to_owned(),
        rows_name: of(locale, "Khoảng thời gian", "Window").to_owned(),
        ratio_name: of(locale, "Ghi nhận / dự kiến", "Observed / expected").to_owned(),
        limits_name: of(locale, "Khoảng tin cậy 95%", "95% limits").to_owned(),
        rows: rows.into(),
    }
}

pub fn pareto_data(locale: Locale) -> ParetoData {
    let names = [
        "Hệ thống VNACCS/VCIS không phản hồi hoặc phản hồi chậm",
        "Yêu cầu nộp thêm giấy tờ ngoài quy định",
        "Kiểm tra thực tế hàng hóa kéo dài",
        "Thái độ, tác phong của công chức",
        "Phân luồng không rõ lý do",
        "Tham vấn trị giá",
        "Phân loại hàng hóa, mã số HS",
        "Xuất xứ",
        "Hoàn thuế",
        "Giấy phép chuyên ngành",
        "Thanh khoản hợp đồng gia công",
        "Phí, lệ phí",
        "Hướng dẫn khác nhau giữa các chi cục",
        "Chữ ký số",
    ];
    let bars = names
        .iter()
        .zip(0_i32..)
        .map(|(name, n)| ParetoBar { label: (*name).to_owned(), value: (620.0 * 0.66_f64.powi(n)).round() });
    ParetoData {
        what: of(locale, "phản ánh", "complaints").to_owned(),
        groups: of(locale, "nội dung", "categories").to_owned(),
        bars: bars.collect(),
    }
}

/// Branches of which some differ more than chance explains.
pub fn funnel_data(locale: Locale, branches: u64) -> FunnelData {
    let shape = Funnel { z: Vec::new(), phi: 1.6, tau2: 0.01 };
    let units = (0..branches).map(|n| {
        let expected = 2.0 + 90.0 * noise(n).powi(2);
        let ratio = match n % 17 {
            3 => 2.6,
            9 => 0.3,
            _ => 0.75 + 0.5 * noise(n + 1000),
        };
        let (narrow, wide) = (shape.limits(expected, Z_95), shape.limits(expected, Z_998));
        FunnelPoint {
            label: format!("Chi cục Hải quan cửa khẩu cảng số {} - Thành phố Hải Phòng", n + 1),
            observed: (expected * ratio).round(),
            expected,
            lower_95: narrow.lower,
            upper_95: narrow.upper,
            lower_998: wide.lower,
            upper_998: wide.upper,
        }
    });
    FunnelData {
        what: of(locale, "đợt phản ánh", "episodes").to_owned(),
        units_name: of(locale, "chi cục", "branches").to_owned(),
        dispersion: shape.phi,
        units: units.collect(),
    }
}

pub fn cusum_data() -> CusumData {
    let limit = 3.2;
    let mut sum: f64 = 0.0;
    let weeks = (0..44).map(|week| {
        let observed = (6.0 * noise(week) * if week > 24 { 1.7 } else { 1.0 }).round();
        let expected = 3.0;
        sum = (sum + (observed - expected * 1.44) * 0.5).max(0.0);
        let point = CusumPoint { from: day(week * 7), observed, expected, sum, signal: sum > limit };
        if point.signal {
            sum = 0.0;
        }
        point
    });
    let weeks = weeks.collect();
    CusumData { label: "Chi cục Hải quan cửa khẩu Hữu Nghị".to_owned(), limit, weeks }
}

pub fn waiting_data(locale: Locale) -> WaitingData {
    let curve = |label: &str, complaints: usize, rate: f64| {
        let steps: Vec<(f64, f64)> = (1..40).map(|n| (f64::from(n), (-rate * f64::from(n)).exp())).collect();
        let median = steps.iter().find(|(_, share)| *share <= 0.5).map(|(day, _)| *day);
        let censored = (0..12).map(|n| 3.0 + 3.1 * f64::from(n)).collect();
        WaitingCurve { label: label.to_owned(), complaints, steps, censored, median }
    };
    WaitingData {
        what: of(locale, "phản ánh", "complaints").to_owned(),
        curves: vec![
            curve("Chi cục Hải quan cửa khẩu Hữu Nghị", 214, 0.04),
            curve(of(locale, "Các chi cục cùng nhóm", "Peer branches"), 3180, 0.09),
        ],
        due: Some(15.0),
    }
}

pub fn timeline_data(locale: Locale) -> TimelineData {
    let days = [3, 21, 22, 40, 66, 67, 68, 70, 91, 118, 120, 121, 150, 177, 201, 203, 240];
    let episodes = days.into_iter().zip(0..).map(|(number, n)| TimelineEpisode {
        day: day(number),
        label: format!("{} {n}", of(locale, "Doanh nghiệp", "Enterprise")),
        confirmed: n % 3 != 1,
    });
    let tiers = [
        (70, Some(Tier::Watch)),
        (121, Some(Tier::Review)),
        (203, Some(Tier::SuspensionReview)),
        (262, Some(Tier::Review)),
    ];
    TimelineData {
        label: "CC-0412".to_owned(),
        subject: SubjectKind::Officer,
        from: day(0),
        to: day(300),
        episodes: episodes.collect(),
        tiers: tiers.into_iter().map(|(number, tier)| TierChange { day: day(number), tier }).collect(),
        measures: vec![
            TimelineMeasure {
                from: day(130),
                to: Some(day(190)),
                label: of(locale, "Kiểm điểm", "Formal review").to_owned(),
            },
            TimelineMeasure {
                from: day(225),
                to: None,
                label: of(locale, "Tạm đình chỉ công tác để xem xét", "Suspension for the time of the review")
                    .to_owned(),
            },
        ],
    }
}

/// The 34 provinces from July 2025 on.
///
/// # Errors
/// If the file of places is malformed.
pub fn map_data(locale: Locale) -> Result<MapData, JobError> {
    map_data_on(locale, day(0))
}

/// The provinces of a day.
///
/// # Errors
/// If the file of places is malformed.
pub fn map_data_on(locale: Locale, day: NaiveDate) -> Result<MapData, JobError> {
    let places = Places::built_in()?;
    let areas = places.provinces(day).iter().zip(0..).map(|(place, n)| {
        let expected = (20.0 + 200.0 * noise(n)).round();
        let unusual = match place.id.as_str() {
            "langson" | "haiphong" | "khanhhoa" | "dongnai" => Some(Unusual::High),
            "nghean" | "camau" => Some(Unusual::Low),
            _ => None,
        };
        let ratio = match unusual {
            Some(Unusual::High) => 1.8,
            Some(Unusual::Low) => 0.5,
            None => 0.9 + 0.2 * noise(n + 50),
        };
        MapArea {
            label: of(locale, &place.vi, &place.en).to_owned(),
            shapes: place.shapes.clone(),
            observed: (expected * ratio).round(),
            expected,
            unusual,
        }
    });
    Ok(MapData {
        what: of(locale, "phản ánh", "complaints").to_owned(),
        areas_name: of(locale, "tỉnh, thành phố", "provinces").to_owned(),
        areas: areas.collect(),
    })
}
