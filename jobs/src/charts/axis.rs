//! Axes: values at the left side; dates or numbers below.

use super::canvas::{Anchor, Look, TEXT_SIZE, Type};
use super::frame::{Frame, MARGIN, PLOT_HEIGHT, Plot};
use super::labels::{Area, Places};
use super::scale::{DateStep, Scale, dates};
use super::text;
use super::theme::Paint;
use crate::JobError;
use chrono::NaiveDate;

/// Distance from the plot down to the end of its axis, without and with a name.
pub const BELOW_DATES: f64 = 26.0;
pub const BELOW_NUMBERS: f64 = 42.0;

/// Draws the axis at the left side with its name above it. `labels` are the ticks from 0 on with their texts.
pub fn left(frame: &mut Frame<'_>, name: &str, labels: &[(f64, String)]) -> (Plot, Scale) {
    let widest = labels.iter().map(|(_, label)| text::width(label, TEXT_SIZE, false)).fold(0.0, f64::max);
    let top = frame.top + 22.0;
    let plot = Plot { left: MARGIN + widest + 8.0, right: frame.width - MARGIN - 6.0, top, bottom: top + PLOT_HEIGHT };
    let most = labels.last().map_or(1.0, |(tick, _)| *tick);
    let scale = Scale::new(0.0, most, plot.bottom, plot.top);
    let at = (MARGIN, frame.top + 8.0);
    frame.canvas.short_text(at, name, frame.width - 2.0 * MARGIN, Type::muted(Anchor::Start));
    for (tick, label) in labels {
        let y = scale.at(*tick);
        frame.canvas.line((plot.left, y), (plot.right, y), Look::line(Paint::Grid, 1.0));
        frame.canvas.text((plot.left - 6.0, y + 4.0), label, Type::muted(Anchor::End));
    }
    (plot, scale)
}

/// Ticks with their texts.
///
/// # Errors
/// If the words of the chart cannot format a tick.
pub fn labelled(frame: &Frame<'_>, ticks: Vec<f64>) -> Result<Vec<(f64, String)>, JobError> {
    ticks.into_iter().map(|tick| Ok((tick, frame.words.tick(tick)?))).collect()
}

/// The position of a date between two others.
#[derive(Clone, Copy)]
pub struct DateScale {
    first: NaiveDate,
    scale: Scale,
}

impl DateScale {
    pub fn new(first: NaiveDate, last: NaiveDate, start: f64, end: f64) -> Self {
        let days = (last - first).num_days();
        // A single day lies in the middle.
        let (from, to) = if days > 0 { (0.0, days as f64) } else { (-1.0, 1.0) };
        Self { first, scale: Scale::new(from, to, start, end) }
    }

    pub fn at(&self, day: NaiveDate) -> f64 {
        self.scale.at((day - self.first).num_days() as f64)
    }
}

/// Draws an axis of dates below the plot.
pub fn below_dates(frame: &mut Frame<'_>, plot: Plot, first: NaiveDate, last: NaiveDate) -> DateScale {
    let scale = DateScale::new(first, last, plot.left + 6.0, plot.right - 6.0);
    let most = ((plot.right - plot.left) / 75.0) as usize;
    let (found, step) = dates(first, last, most);
    let words = frame.words;
    let labels = found.into_iter().map(|day| {
        let label = if step == DateStep::Days { words.day(day) } else { words.month(day) };
        (scale.at(day), label)
    });
    let labels: Vec<_> = labels.collect();
    below(frame, plot, &labels);
    scale
}

/// Draws an axis of numbers below the plot, with its name under it.
pub fn below_numbers(frame: &mut Frame<'_>, plot: Plot, name: &str, labels: &[(f64, String)]) {
    below(frame, plot, labels);
    let at = (plot.right, plot.bottom + 34.0);
    frame.canvas.short_text(at, name, frame.width - 2.0 * MARGIN, Type::muted(Anchor::End));
}

/// Draws the line of an axis with its labels, each where it has room.
fn below(frame: &mut Frame<'_>, plot: Plot, labels: &[(f64, String)]) {
    frame.canvas.line((plot.left, plot.bottom), (plot.right, plot.bottom), Look::line(Paint::Usual, 1.0));
    let mut places = Places::new(Area(0.0, 0.0, frame.width, f64::INFINITY));
    for (x, label) in labels {
        let width = text::width(label, TEXT_SIZE, false);
        let middle = x.clamp(MARGIN + width / 2.0, (frame.width - MARGIN - width / 2.0).max(MARGIN + width / 2.0));
        let at = (middle, plot.bottom + 17.0);
        // The room that a label needs includes the space to the next one.
        if places.take_if_free(Area::of_text(at, width + 6.0, Anchor::Middle)) {
            frame.canvas.line((*x, plot.bottom), (*x, plot.bottom + 4.0), Look::line(Paint::Usual, 1.0));
            frame.canvas.text(at, label, Type::muted(Anchor::Middle));
        }
    }
}
