//! Ratios with their 95 % limits, one below the other, against 1.

use super::canvas::{Anchor, Look, TEXT_SIZE, Type};
use super::frame::{Frame, Key, MARGIN, Plot};
use super::scale::{Scale, drawable};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Unusual, Words, axis, text};
use crate::JobError;

const LIMITS: Look = Look::line(Paint::Usual, 2.0);
const USUAL: Look = Look::fill(Paint::Surface).edged(Paint::Usual, 1.4);
const ONE: Look = Look::line(Paint::Ink, 1.2).dashed("5 3");
/// The height of a row: its words, and its bar below them.
const ROW: f64 = 40.0;
/// The most that the numbers of a row take of its width: its label keeps the rest, however large the numbers are.
const NUMBERS: f64 = 0.7;
/// The values that the axis may name. It is logarithmic: half as many is as far from 1 as twice as many.
const TICKS: [f64; 13] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// The title.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalData {
    /// The finding.
    pub title: String,
    /// The name of the rows, for the head of the table.
    pub rows_name: String,
    /// The name of the axis.
    pub ratio_name: String,
    pub limits_name: String,
    pub rows: Vec<IntervalRow>,
}

/// A ratio with its limits.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalRow {
    pub label: String,
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
}

impl IntervalRow {
    /// Whether 1 is outside of the limits.
    pub fn unusual(&self) -> Option<Unusual> {
        match (self.lower > 1.0, self.upper < 1.0) {
            (true, _) => Some(Unusual::High),
            (_, true) => Some(Unusual::Low),
            _ => None,
        }
    }
}

/// Draws ratios with their limits.
///
/// # Errors
/// `Template` when a message is missing.
pub fn chart(data: &IntervalData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let table = table(data, words);
    let mut frame = Frame::new(data.title.clone(), words, style);
    if data.rows.is_empty() {
        return frame.without_data(table);
    }
    let (least, most) = range(&data.rows);
    let top = frame.top + 4.0;
    let plot =
        Plot { left: MARGIN + 4.0, right: frame.width - MARGIN - 4.0, top, bottom: top + ROW * data.rows.len() as f64 };
    let x = Scale::new(least.log10(), most.log10(), plot.left, plot.right);
    let place = |value: f64| x.at(drawable(value).max(least).log10());
    frame.canvas.line((place(1.0), plot.top), (place(1.0), plot.bottom), ONE);
    for (n, row) in data.rows.iter().enumerate() {
        let y = plot.top + ROW * n as f64;
        let (numbers, room) = (numbers(row, words), plot.right - plot.left);
        let taken = text::width(&numbers, TEXT_SIZE, false).min(NUMBERS * room);
        frame.canvas.short_text((plot.left, y + 14.0), &row.label, room - taken - 12.0, Type::ink(Anchor::Start));
        frame.canvas.short_text((plot.right, y + 14.0), &numbers, NUMBERS * room, Type::ink(Anchor::End));
        let middle = y + 26.0;
        frame.canvas.line((place(row.lower), middle), (place(row.upper), middle), LIMITS);
        for limit in [row.lower, row.upper] {
            frame.canvas.line((place(limit), middle - 5.0), (place(limit), middle + 5.0), LIMITS);
        }
        match row.unusual() {
            Some(unusual) => frame.canvas.unusual((place(row.ratio), middle), unusual),
            None => frame.canvas.circle((place(row.ratio), middle), 4.0, USUAL),
        }
    }
    let ticks = TICKS.into_iter().filter(|tick| *tick >= least && *tick <= most);
    let ticks = ticks.map(|tick| Ok((place(tick), words.tick(tick)?))).collect::<Result<Vec<_>, JobError>>()?;
    axis::below_numbers(&mut frame, plot, &data.ratio_name, &ticks);
    let keys = legend(data, words)?;
    let height = frame.legend(plot.bottom + axis::BELOW_NUMBERS, keys);
    let rows = data.rows.iter().map(|row| format!("{}: {}.", row.label, numbers(row, words)));
    let alt = std::iter::once(frame.sentence()).chain(rows).collect::<Vec<_>>().join(" ");
    Ok(frame.finish(alt, table, height))
}

/// The ends of the axis: values that it can name, with 1 inside.
fn range(rows: &[IntervalRow]) -> (f64, f64) {
    let values = || rows.iter().flat_map(|row| [row.ratio, row.lower, row.upper]).filter(|value| *value > 0.0);
    let (low, high) = (values().fold(0.5, f64::min), values().fold(2.0, f64::max));
    let least = TICKS.into_iter().rev().find(|tick| *tick <= low).unwrap_or(TICKS[0]);
    let most = TICKS.into_iter().find(|tick| *tick >= high).unwrap_or(TICKS[TICKS.len() - 1]);
    (least, most)
}

fn numbers(row: &IntervalRow, words: &Words) -> String {
    format!("{} ({})", words.number(row.ratio, 2), limits(row, words))
}

fn limits(row: &IntervalRow, words: &Words) -> String {
    format!("{} – {}", words.number(row.lower, 2), words.number(row.upper, 2))
}

fn legend(data: &IntervalData, words: &Words) -> Result<Vec<(Key, String)>, JobError> {
    let mut keys = vec![(Key::Line(LIMITS), data.limits_name.clone())];
    for (unusual, word) in [(Unusual::High, "more-than-usual"), (Unusual::Low, "less-than-usual")] {
        if data.rows.iter().any(|row| row.unusual() == Some(unusual)) {
            keys.push((Key::Unusual(unusual), words.word(word)?));
        }
    }
    if data.rows.iter().any(|row| row.unusual().is_none()) {
        keys.push((Key::Circle(USUAL), words.word("usual")?));
    }
    Ok(keys)
}

fn table(data: &IntervalData, words: &Words) -> ChartTable {
    let header = vec![data.rows_name.clone(), data.ratio_name.clone(), data.limits_name.clone()];
    let rows = data.rows.iter().map(|row| vec![row.label.clone(), words.number(row.ratio, 2), limits(row, words)]);
    ChartTable { header, rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::super::{Theme, Width};
    use super::*;
    use schema::enums::Locale;

    fn drawn(rows: Vec<IntervalRow>) -> Chart {
        let data = IntervalData {
            title: "Many".into(),
            rows_name: "Window".into(),
            ratio_name: "Observed / expected".into(),
            limits_name: "95 % limits".into(),
            rows,
        };
        let style = Style { theme: Theme::Light, width: Width::Narrow, id: "i" };
        chart(&data, &Words::new(Locale::En).unwrap(), style).unwrap()
    }

    fn row(label: &str, ratio: f64, lower: f64, upper: f64) -> IntervalRow {
        IntervalRow { label: label.into(), ratio, lower, upper }
    }

    #[test]
    fn the_alternative_text_and_the_table_have_the_numbers() {
        let chart = drawn(vec![row("365 days", 4.25, 2.0, 8.5), row("90 days", 0.0, 0.0, 3.0)]);
        assert_eq!(chart.alt, "Many. 365 days: 4.25 (2 – 8.5). 90 days: 0 (0 – 3).");
        assert_eq!(chart.table.rows[0], ["365 days", "4.25", "2 – 8.5"]);
    }

    #[test]
    fn no_rows_and_huge_values_are_drawn() {
        assert!(drawn(Vec::new()).svg.contains("<svg"));
        let huge = drawn(vec![row("x", 1e300, 1e12, 1e301)]);
        assert!(!huge.svg.contains("NaN"), "{}", huge.svg);
    }
}
