//! The share of complaints that still wait for an answer, by days since they were received (Kaplan–Meier).

use super::canvas::{Anchor, Look, Type};
use super::frame::{Frame, Key, Plot};
use super::scale::{Scale, ticks, whole_ticks};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Words, axis};
use crate::JobError;

/// The styles of the first curve and of those it is compared with.
const LOOKS: [Look; 4] = [
    Look::line(Paint::Ink, 2.2),
    Look::line(Paint::Usual, 1.6).dashed("6 3"),
    Look::line(Paint::Usual, 1.6).dashed("2 3"),
    Look::line(Paint::Usual, 1.6).dashed("8 3 2 3"),
];
const DUE: Look = Look::line(Paint::Muted, 1.0).dashed("1 3");

/// The data of waiting-time curves.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingData {
    /// The name of the waiting objects, in the plural.
    pub what: String,
    /// The first is the one that the chart is about; up to three more are for comparison.
    pub curves: Vec<WaitingCurve>,
    /// The usual deadline in days.
    pub due: Option<f64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WaitingCurve {
    pub label: String,
    /// Number of complaints in the curve.
    pub complaints: usize,
    /// (days, share still waiting after it) at each day with an answer, in order.
    pub steps: Vec<(f64, f64)>,
    /// Days of complaints that still wait: each is known to wait at least as long.
    pub censored: Vec<f64>,
    /// Days until half are answered; None if less than half are.
    pub median: Option<f64>,
}

impl WaitingCurve {
    /// The share still waiting after a number of days.
    pub fn after(&self, days: f64) -> f64 {
        self.steps.iter().take_while(|(day, _)| *day <= days).last().map_or(1.0, |(_, share)| *share)
    }

    /// The last day that the curve knows of.
    fn last_day(&self) -> f64 {
        self.steps.iter().map(|(day, _)| *day).chain(self.censored.iter().copied()).fold(0.0, f64::max)
    }
}

/// Draws waiting-time curves.
///
/// # Errors
/// `Template` when a message is missing.
pub fn chart(data: &WaitingData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let curves: Vec<&WaitingCurve> =
        data.curves.iter().filter(|curve| curve.complaints > 0).take(LOOKS.len()).collect();
    let table = table(data, words)?;
    let Some(first) = curves.first() else {
        let title = words.text("waiting-none", &[("what", data.what.as_str().into())])?;
        return Frame::new(title, words, style).without_data(table);
    };
    let mut frame = Frame::new(title(data, first, words)?, words, style);
    let shares = ticks(1.0, 5).into_iter().map(|share| (share, words.percent(share))).collect::<Vec<_>>();
    let (plot, y) =
        axis::left(&mut frame, &words.text("waiting-axis", &[("what", data.what.as_str().into())])?, &shares);
    let last = curves.iter().map(|curve| curve.last_day()).fold(data.due.unwrap_or(0.0), f64::max);
    let days = whole_ticks(last, 6);
    let x = Scale::new(0.0, days.last().copied().unwrap_or(1.0), plot.left, plot.right - 6.0);
    let days = days.into_iter().map(|day| Ok((x.at(day), words.tick(day)?))).collect::<Result<Vec<_>, JobError>>()?;
    axis::below_numbers(&mut frame, plot, &words.word("waiting-days")?, &days);
    if let Some(due) = data.due {
        draw_due(&mut frame, plot, x.at(due), due)?;
    }
    for (curve, look) in curves.iter().zip(LOOKS).rev() {
        draw(&mut frame, (x, y), curve, look);
    }
    let keys = curves.iter().zip(LOOKS).map(|(curve, look)| {
        let label = words
            .text("waiting-curve", &[("label", curve.label.as_str().into()), ("count", curve.complaints.into())])?;
        Ok((Key::Line(look), label))
    });
    let keys = keys.collect::<Result<Vec<_>, JobError>>()?;
    let bottom = frame.legend(plot.bottom + axis::BELOW_NUMBERS, keys);
    let height = frame.note(bottom, &words.word("waiting-note")?);
    // Without a deadline the title says how long half of the first curve wait.
    let others = curves.iter().skip(usize::from(data.due.is_none()));
    let medians = others.map(|curve| median(curve, words));
    let sentences = std::iter::once(Ok(frame.sentence())).chain(medians).collect::<Result<Vec<_>, JobError>>()?;
    Ok(frame.finish(sentences.join(" "), table, height))
}

fn draw(frame: &mut Frame<'_>, (x, y): (Scale, Scale), curve: &WaitingCurve, look: Look) {
    let mut points = vec![(x.at(0.0), y.at(1.0))];
    let mut share = 1.0;
    for (day, after) in &curve.steps {
        points.push((x.at(*day), y.at(share)));
        points.push((x.at(*day), y.at(*after)));
        share = *after;
    }
    points.push((x.at(curve.last_day()), y.at(share)));
    frame.canvas.polyline(&points, look);
    // Marks of the same place would lie over each other.
    let mut before = f64::NEG_INFINITY;
    let mut censored = curve.censored.clone();
    censored.sort_by(f64::total_cmp);
    for day in censored {
        let at = x.at(day);
        if at - before >= 2.0 {
            let middle = y.at(curve.after(day));
            frame.canvas.line((at, middle - 4.0), (at, middle + 4.0), Look::line(Paint::Ink, 1.0));
            before = at;
        }
    }
}

fn draw_due(frame: &mut Frame<'_>, plot: Plot, x: f64, due: f64) -> Result<(), JobError> {
    let label = frame.words.text("waiting-due", &[("days", frame.words.number(due, 1).into())])?;
    frame.canvas.line((x, plot.top), (x, plot.bottom), DUE);
    // The label goes where there is more room.
    let is_left = x - plot.left < plot.right - x;
    let (at, anchor) = if is_left { (x + 5.0, Anchor::Start) } else { (x - 5.0, Anchor::End) };
    let room = if is_left { plot.right - x } else { x - plot.left };
    frame.canvas.short_text((at, plot.top + 12.0), &label, room - 5.0, Type::muted(anchor));
    Ok(())
}

fn median(curve: &WaitingCurve, words: &Words) -> Result<String, JobError> {
    let label = curve.label.as_str();
    match curve.median {
        Some(days) => words.text("waiting-median", &[("label", label.into()), ("days", words.number(days, 1).into())]),
        None => words.text("waiting-no-median", &[("label", label.into())]),
    }
}

fn title(data: &WaitingData, first: &WaitingCurve, words: &Words) -> Result<String, JobError> {
    match data.due {
        Some(due) => words.text(
            "waiting-title",
            &[
                ("label", first.label.as_str().into()),
                ("what", data.what.as_str().into()),
                ("days", words.number(due, 1).into()),
                ("share", words.percent(first.after(due)).into()),
            ],
        ),
        None => Ok(median(first, words)?.trim_end_matches('.').to_owned()),
    }
}

fn table(data: &WaitingData, words: &Words) -> Result<ChartTable, JobError> {
    let mut header = vec![words.word("curve")?, data.what.clone(), words.word("waiting-half")?];
    if let Some(due) = data.due {
        header.push(words.text("waiting-after", &[("days", words.number(due, 1).into())])?);
    }
    header.push(words.word("waiting-open")?);
    let rows = data.curves.iter().map(|curve| {
        let mut row = vec![
            curve.label.clone(),
            words.number(curve.complaints as f64, 0),
            curve.median.map_or_else(|| "–".to_owned(), |days| words.number(days, 1)),
        ];
        row.extend(data.due.map(|due| words.percent(curve.after(due))));
        row.push(words.number(curve.censored.len() as f64, 0));
        row
    });
    Ok(ChartTable { header, rows: rows.collect() })
}
