//! Monthly numbers, with those of the year before and the usual range.

use super::canvas::Look;
use super::frame::{Frame, Key, Plot};
use super::scale::{Scale, month_number, ticks};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Unusual, Words, axis};
use crate::JobError;
use chrono::NaiveDate;
use fluent_bundle::FluentValue;

const THIS_YEAR: Look = Look::line(Paint::Ink, 2.0);
const YEAR_BEFORE: Look = Look::line(Paint::Usual, 1.5).dashed("5 3");
const USUAL: Look = Look::fill(Paint::Band);

/// The data of a trend. Months may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendData {
    /// The name of the measure, with its unit: the title of the axis.
    pub what: String,
    pub months: Vec<TrendMonth>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendMonth {
    /// Its first day.
    pub month: NaiveDate,
    pub value: Option<f64>,
    /// The same month a year before.
    pub before: Option<f64>,
    /// The lowest and the highest value that chance explains.
    pub usual: Option<(f64, f64)>,
}

impl TrendMonth {
    fn unusual(&self) -> Option<Unusual> {
        let (low, high) = self.usual?;
        Unusual::of(self.value?, low, high)
    }
}

/// Draws a trend.
///
/// # Errors
/// `Template` when a message is missing.
pub fn chart(data: &TrendData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let mut months = data.months.clone();
    months.sort_by_key(|month| month.month);
    let table = table(&months, &data.what, words)?;
    let mut frame = Frame::new(title(&months, &data.what, words)?, words, style);
    let (Some(first), Some(last)) = (months.first(), months.last()) else {
        return frame.without_data(table);
    };
    let values = months
        .iter()
        .flat_map(|month| [month.value, month.before, month.usual.map(|(_, high)| high)].into_iter().flatten());
    let labels = axis::labelled(&frame, ticks(values.fold(0.0, f64::max), 5))?;
    let (plot, y) = axis::left(&mut frame, &data.what, &labels);
    let x = axis::below_dates(&mut frame, plot, first.month, last.month);
    let placed: Vec<(f64, TrendMonth)> = months.iter().map(|month| (x.at(month.month), *month)).collect();
    draw(&mut frame, plot, y, &placed);
    let height = legend(&mut frame, plot.bottom + axis::BELOW_DATES, &months)?;
    let alt = alt(&frame, &months)?;
    Ok(frame.finish(alt, table, height))
}

/// A value of a month.
type ValueOf = fn(&TrendMonth) -> Option<f64>;

fn draw(frame: &mut Frame<'_>, plot: Plot, y: Scale, months: &[(f64, TrendMonth)]) {
    for run in runs(months, |month| month.usual) {
        let mut outline: Vec<_> = run.iter().map(|(x, (_, high))| (*x, y.at(*high))).collect();
        outline.extend(run.iter().rev().map(|(x, (low, _))| (*x, y.at(*low))));
        match run.as_slice() {
            // The range of one month alone gets a width.
            [(x, (low, high))] => {
                let top = y.at(*high);
                frame.canvas.rect((x - 4.0, top), (8.0, y.at(*low) - top), USUAL);
            }
            _ => frame.canvas.polygon(&outline, USUAL),
        }
    }
    let lines: [(ValueOf, Look); 2] = [(|month| month.before, YEAR_BEFORE), (|month| month.value, THIS_YEAR)];
    for (value, look) in lines {
        for run in runs(months, value) {
            let points: Vec<_> = run.iter().map(|(x, value)| (*x, y.at(*value))).collect();
            match points.as_slice() {
                [(x, y)] => frame.canvas.line((x - 4.0, *y), (x + 4.0, *y), look),
                _ => frame.canvas.polyline(&points, look),
            }
        }
    }
    for (x, month) in months {
        if let (Some(value), Some(unusual)) = (month.value, month.unusual()) {
            frame.canvas.unusual((*x, y.at(value).max(plot.top + 4.0)), unusual);
        }
    }
}

/// The values of months that follow each other without a gap.
fn runs<T>(months: &[(f64, TrendMonth)], value: impl Fn(&TrendMonth) -> Option<T>) -> Vec<Vec<(f64, T)>> {
    let mut found: Vec<Vec<(f64, T)>> = Vec::new();
    let mut before = None;
    for (x, month) in months {
        let number = month_number(month.month);
        let Some(value) = value(month) else { continue };
        match found.last_mut() {
            Some(run) if before == Some(number - 1) => run.push((*x, value)),
            _ => found.push(vec![(*x, value)]),
        }
        before = Some(number);
    }
    found
}

fn legend(frame: &mut Frame<'_>, top: f64, months: &[TrendMonth]) -> Result<f64, JobError> {
    let words = frame.words;
    let mut keys = vec![(Key::Line(THIS_YEAR), words.word("trend-value")?)];
    if months.iter().any(|month| month.before.is_some()) {
        keys.push((Key::Line(YEAR_BEFORE), words.word("trend-before")?));
    }
    if months.iter().any(|month| month.usual.is_some()) {
        keys.push((Key::Area(USUAL), words.word("trend-range")?));
    }
    for (unusual, word) in [(Unusual::High, "more-than-usual"), (Unusual::Low, "less-than-usual")] {
        if months.iter().any(|month| month.unusual() == Some(unusual)) {
            keys.push((Key::Unusual(unusual), words.word(word)?));
        }
    }
    Ok(frame.legend(top, keys))
}

/// The finding: the newest month against its range, or against the year before.
fn title(months: &[TrendMonth], what: &str, words: &Words) -> Result<String, JobError> {
    let Some((month, value)) = months.iter().rev().find_map(|month| Some((month, month.value?))) else {
        return words.text("trend-none", &[("what", what.into())]);
    };
    let mut values: Vec<(&'static str, FluentValue<'_>)> =
        vec![("what", what.into()), ("month", words.month(month.month).into()), ("value", words.rounded(value).into())];
    if let Some((low, high)) = month.usual {
        values.push(("low", words.rounded(low).into()));
        values.push(("high", words.rounded(high).into()));
        let key = match month.unusual() {
            Some(Unusual::High) => "trend-high",
            Some(Unusual::Low) => "trend-low",
            None => "trend-usual",
        };
        return words.text(key, &values);
    }
    match month.before {
        Some(before) => {
            values.push(("before", words.rounded(before).into()));
            words.text("trend-year-before", &values)
        }
        None => words.text("trend-alone", &values),
    }
}

fn alt(frame: &Frame<'_>, months: &[TrendMonth]) -> Result<String, JobError> {
    let words = frame.words;
    let mut sentences = vec![frame.sentence()];
    let with_values = || months.iter().filter_map(|month| Some((month.month, month.value?)));
    let highest = with_values().max_by(|one, other| one.1.total_cmp(&other.1));
    let lowest = with_values().min_by(|one, other| one.1.total_cmp(&other.1));
    if let (Some(highest), Some(lowest)) = (highest, lowest) {
        sentences.push(words.text(
            "trend-alt",
            &[
                ("count", with_values().count().into()),
                ("highest", words.rounded(highest.1).into()),
                ("highest-month", words.month(highest.0).into()),
                ("lowest", words.rounded(lowest.1).into()),
                ("lowest-month", words.month(lowest.0).into()),
            ],
        )?);
    }
    let unusual = months.iter().filter(|month| month.unusual().is_some()).map(|month| words.month(month.month));
    let unusual: Vec<String> = unusual.collect();
    if !unusual.is_empty() {
        let labels: Vec<&str> = unusual.iter().map(String::as_str).collect();
        sentences.push(words.text("trend-alt-unusual", &[("months", words.list(&labels)?.into())])?);
    }
    Ok(sentences.join(" "))
}

fn table(months: &[TrendMonth], what: &str, words: &Words) -> Result<ChartTable, JobError> {
    let header = vec![words.word("month")?, what.to_owned(), words.word("trend-before")?, words.word("trend-range")?];
    let shown = |value: Option<f64>| value.map_or_else(String::new, |value| words.number(value, 2));
    let rows = months.iter().map(|month| {
        let usual = month.usual.map(|(low, high)| format!("{} – {}", words.number(low, 2), words.number(high, 2)));
        vec![words.month(month.month), shown(month.value), shown(month.before), usual.unwrap_or_default()]
    });
    Ok(ChartTable { header, rows: rows.collect() })
}
