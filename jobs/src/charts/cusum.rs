//! The sum by which a unit exceeds its expectation, with the limit of a signal.

use super::canvas::Look;
use super::frame::{Frame, Key};
use super::scale::ticks;
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Unusual, Words, axis};
use crate::JobError;
use chrono::NaiveDate;

const SUM: Look = Look::line(Paint::Ink, 1.8);
const LIMIT: Look = Look::line(Paint::Usual, 1.2).dashed("6 4");

/// The data of a CUSUM chart.
#[derive(Debug, Clone, PartialEq)]
pub struct CusumData {
    /// The unit.
    pub label: String,
    /// A sum above it is a signal; the sum then restarts at 0.
    pub limit: f64,
    pub weeks: Vec<CusumPoint>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CusumPoint {
    /// The first day of the week.
    pub from: NaiveDate,
    pub observed: f64,
    pub expected: f64,
    pub sum: f64,
    pub signal: bool,
}

/// Draws a CUSUM.
///
/// # Errors
/// `Template` when a message is missing.
pub fn chart(data: &CusumData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let mut weeks = data.weeks.clone();
    weeks.sort_by_key(|week| week.from);
    let signals: Vec<&CusumPoint> = weeks.iter().filter(|week| week.signal).collect();
    let title = title(data, &weeks, &signals, words)?;
    let table = table(&weeks, words)?;
    let mut frame = Frame::new(title, words, style);
    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else {
        return frame.without_data(table);
    };
    let most = weeks.iter().map(|week| week.sum).fold(data.limit * 1.1, f64::max);
    let labels = axis::labelled(&frame, ticks(most, 5))?;
    let (plot, y) = axis::left(&mut frame, &words.word("cusum-axis")?, &labels);
    let x = axis::below_dates(&mut frame, plot, first.from, last.from);
    frame.canvas.line((plot.left, y.at(data.limit)), (plot.right, y.at(data.limit)), LIMIT);
    // The sum restarts after a signal, so that the line is broken there.
    let mut run: Vec<(f64, f64)> = Vec::new();
    for week in &weeks {
        run.push((x.at(week.from), y.at(week.sum)));
        if week.signal {
            frame.canvas.polyline(&run, SUM);
            run.clear();
        }
    }
    match run.as_slice() {
        [(x, y)] => frame.canvas.circle((*x, *y), 2.5, Look::fill(Paint::Ink)),
        _ => frame.canvas.polyline(&run, SUM),
    }
    for week in &signals {
        frame.canvas.unusual((x.at(week.from), y.at(week.sum)), Unusual::High);
    }
    let limit = words.rounded(data.limit);
    let keys = vec![
        (Key::Line(SUM), words.word("cusum-sum")?),
        (Key::Line(LIMIT), words.text("cusum-limit", &[("limit", limit.as_str().into())])?),
        (Key::Unusual(Unusual::High), words.word("cusum-signal")?),
    ];
    let height = frame.legend(plot.bottom + axis::BELOW_DATES, keys);
    let days: Vec<String> = signals.iter().map(|week| words.date(week.from)).collect();
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    let alt = words.text(
        "cusum-alt",
        &[
            ("weeks", weeks.len().into()),
            ("limit", limit.as_str().into()),
            ("highest", words.rounded(weeks.iter().map(|week| week.sum).fold(0.0, f64::max)).into()),
        ],
    )?;
    let alt = match days.is_empty() {
        true => format!("{} {alt}", frame.sentence()),
        false => {
            let named = words.text("cusum-alt-signals", &[("days", words.list(&days)?.into())])?;
            format!("{} {alt} {named}", frame.sentence())
        }
    };
    Ok(frame.finish(alt, table, height))
}

fn title(data: &CusumData, weeks: &[CusumPoint], signals: &[&CusumPoint], words: &Words) -> Result<String, JobError> {
    let label = data.label.as_str();
    match signals.last() {
        _ if weeks.is_empty() => words.text("cusum-none", &[("label", label.into())]),
        None => words.text("cusum-usual", &[("label", label.into())]),
        Some(last) => words.text(
            "cusum-title",
            &[("label", label.into()), ("count", signals.len().into()), ("day", words.date(last.from).into())],
        ),
    }
}

fn table(weeks: &[CusumPoint], words: &Words) -> Result<ChartTable, JobError> {
    let header = vec![
        words.word("week")?,
        words.word("observed")?,
        words.word("expected")?,
        words.word("cusum-sum")?,
        words.word("cusum-signal")?,
    ];
    let yes = words.word("yes")?;
    let rows = weeks.iter().map(|week| {
        vec![
            words.date(week.from),
            words.number(week.observed, 2),
            words.number(week.expected, 2),
            words.number(week.sum, 2),
            if week.signal { yes.clone() } else { String::new() },
        ]
    });
    Ok(ChartTable { header, rows: rows.collect() })
}
