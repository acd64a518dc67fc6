//! Charts of data at the edges of what is possible: of nothing, of one point, and of one number throughout.

use crate::samples;
use chrono::NaiveDate;
use jobs::charts::cusum::{self, CusumData};
use jobs::charts::funnel::{self, FunnelData};
use jobs::charts::interval::{self, IntervalData};
use jobs::charts::map::{self, MapData};
use jobs::charts::pareto::{self, ParetoData};
use jobs::charts::timeline::{self, TimelineData};
use jobs::charts::trend::{self, TrendData};
use jobs::charts::waiting::{self, WaitingData};
use jobs::charts::{Chart, Style, Words};
use schema::enums::{Locale, SubjectKind};

/// The data of a chart of each kind that draws a list.
pub struct Data {
    trend: TrendData,
    pareto: ParetoData,
    funnel: FunnelData,
    cusum: CusumData,
    waiting: WaitingData,
    timeline: TimelineData,
    interval: IntervalData,
    map: MapData,
}

impl Data {
    /// That of the samples, with so many branches.
    fn of_samples(locale: Locale, branches: u64) -> Self {
        Self {
            trend: samples::trend_data(locale),
            pareto: samples::pareto_data(locale),
            funnel: samples::funnel_data(locale, branches),
            cusum: samples::cusum_data(),
            waiting: samples::waiting_data(locale),
            timeline: samples::timeline_data(locale),
            interval: samples::interval_data(locale),
            map: samples::map_data(locale).unwrap(),
        }
    }

    /// That of nothing.
    pub fn empty() -> Self {
        let text = || "x".to_owned();
        let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        Self {
            trend: TrendData { what: text(), months: Vec::new() },
            pareto: ParetoData { what: text(), groups: text(), bars: Vec::new() },
            funnel: FunnelData { what: text(), units_name: text(), dispersion: 1.0, units: Vec::new() },
            cusum: CusumData { label: text(), limit: 3.0, weeks: Vec::new() },
            waiting: WaitingData { what: text(), curves: Vec::new(), due: None },
            timeline: TimelineData {
                label: text(),
                subject: SubjectKind::Branch,
                from: day,
                to: day,
                episodes: Vec::new(),
                tiers: Vec::new(),
                measures: Vec::new(),
            },
            interval: IntervalData {
                title: text(),
                rows_name: text(),
                ratio_name: text(),
                limits_name: text(),
                rows: Vec::new(),
            },
            map: MapData { what: text(), areas_name: text(), areas: Vec::new() },
        }
    }

    /// That of one point each.
    pub fn single(locale: Locale) -> Self {
        let mut data = Self::of_samples(locale, 1);
        data.trend.months.truncate(1);
        data.pareto.bars.truncate(1);
        data.cusum.weeks.truncate(1);
        data.waiting.curves.truncate(1);
        data.waiting.curves[0].steps.truncate(1);
        data.waiting.curves[0].censored.clear();
        let timeline = &mut data.timeline;
        timeline.episodes.truncate(1);
        timeline.tiers.truncate(1);
        timeline.measures.truncate(1);
        (timeline.from, timeline.to) = (timeline.episodes[0].day, timeline.episodes[0].day);
        data.interval.rows.truncate(1);
        data.map.areas.truncate(1);
        data
    }

    /// That whose numbers are all this one. A timeline has days and no numbers, and stays as it is.
    pub fn constant(number: f64, locale: Locale) -> Self {
        let mut data = Self::of_samples(locale, 20);
        for month in &mut data.trend.months {
            (month.value, month.before) = (Some(number), Some(number));
        }
        for bar in &mut data.pareto.bars {
            bar.value = number;
        }
        for unit in &mut data.funnel.units {
            (unit.observed, unit.expected) = (number, number);
        }
        for week in &mut data.cusum.weeks {
            (week.observed, week.expected, week.sum) = (number, number, number);
        }
        for curve in &mut data.waiting.curves {
            (curve.median, curve.censored) = (Some(number), vec![number; 3]);
        }
        for row in &mut data.interval.rows {
            (row.ratio, row.lower, row.upper) = (number, number, number);
        }
        for area in &mut data.map.areas {
            (area.observed, area.expected) = (number, number);
        }
        data
    }

    /// The chart of waiting times without a deadline.
    pub fn waiting_without_deadline(&self, words: &Words, style: Style<'_>) -> Chart {
        let data = WaitingData { due: None, ..self.waiting.clone() };
        waiting::chart(&data, words, style).unwrap()
    }

    /// A chart of each.
    pub fn charts(&self, words: &Words, style: Style<'_>) -> Vec<Chart> {
        vec![
            trend::chart(&self.trend, words, style).unwrap(),
            pareto::chart(&self.pareto, words, style).unwrap(),
            funnel::chart(&self.funnel, words, style).unwrap(),
            cusum::chart(&self.cusum, words, style).unwrap(),
            waiting::chart(&self.waiting, words, style).unwrap(),
            timeline::chart(&self.timeline, words, style).unwrap(),
            interval::chart(&self.interval, words, style).unwrap(),
            map::chart(&self.map, words, style).unwrap(),
        ]
    }
}
