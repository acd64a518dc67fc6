//! A Pareto chart: the few groups that make up most of a total.

use super::canvas::{Anchor, Look, TEXT_SIZE, Type};
use super::frame::{Frame, Key, MARGIN};
use super::scale::{Scale, drawable};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Width, Words, text};
use crate::JobError;

/// The share that the most frequent groups are counted up to.
const MOST: f64 = 0.8;
/// More groups than these are drawn as one. The table has all.
const BARS: usize = 12;
const ROW: f64 = 24.0;

/// The data of a Pareto chart.
#[derive(Debug, Clone, PartialEq)]
pub struct ParetoData {
    /// The name of the measure, with its unit.
    pub what: String,
    /// The name of the groups, in the plural.
    pub groups: String,
    /// The bars, in any order.
    pub bars: Vec<ParetoBar>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ParetoBar {
    pub label: String,
    /// The value, at least 0.
    pub value: f64,
}

/// A bar with the share of it and of all before it.
struct Row {
    label: String,
    value: f64,
    share: f64,
    is_few: bool,
}

/// Draws a Pareto chart.
///
/// # Errors
/// `Template` when a message is missing.
pub fn chart(data: &ParetoData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let rows = rows(data);
    let table = table(data, &rows, words)?;
    let few = rows.iter().filter(|row| row.is_few).count();
    let Some(last_of_few) = few.checked_sub(1).and_then(|last| rows.get(last)) else {
        let title = words.text("pareto-none", &[("what", data.what.as_str().into())])?;
        return Frame::new(title, words, style).without_data(table);
    };
    let title = words.text(
        "pareto-title",
        &[
            ("few", few.into()),
            ("all", rows.len().into()),
            ("groups", data.groups.as_str().into()),
            ("share", words.percent(last_of_few.share).into()),
            ("what", data.what.as_str().into()),
        ],
    )?;
    let mut frame = Frame::new(title, words, style);
    let drawn = drawn(&rows, words)?;
    let bottom = draw(&mut frame, &drawn)?;
    let keys = vec![
        (Key::Area(Look::fill(Paint::Ink)), words.text("pareto-few", &[("share", words.percent(MOST).into())])?),
        (Key::Area(Look::fill(Paint::Usual)), words.word("pareto-rest")?),
    ];
    let height = frame.legend(bottom + 6.0, keys);
    let labels: Vec<&str> = rows.iter().take(few).map(|row| row.label.as_str()).collect();
    let total: f64 = rows.iter().map(|row| row.value).sum();
    let alt = words.text(
        "pareto-alt",
        &[
            ("total", words.number(total, 2).into()),
            ("labels", words.list(&labels)?.into()),
            ("what", data.what.as_str().into()),
        ],
    )?;
    let alt = format!("{} {alt}", frame.sentence());
    Ok(frame.finish(alt, table, height))
}

fn rows(data: &ParetoData) -> Vec<Row> {
    let mut bars: Vec<(&str, f64)> =
        data.bars.iter().map(|bar| (bar.label.as_str(), drawable(bar.value).max(0.0))).collect();
    bars.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    let total: f64 = bars.iter().map(|bar| bar.1).sum();
    let mut sum = 0.0;
    let rows = bars.into_iter().map(|(label, value)| {
        // A group counts among the few while those before it do not reach the share.
        let is_few = total > 0.0 && sum / total < MOST - 1e-9;
        sum += value;
        Row { label: label.to_owned(), value, share: if total > 0.0 { sum / total } else { 0.0 }, is_few }
    });
    rows.collect()
}

/// The rows that are drawn: the last one sums up all that have no room.
fn drawn(rows: &[Row], words: &Words) -> Result<Vec<Row>, JobError> {
    let alone = if rows.len() > BARS { BARS - 1 } else { rows.len() };
    let copy = |row: &Row| Row { label: row.label.clone(), ..*row };
    let mut drawn: Vec<Row> = rows[..alone].iter().map(copy).collect();
    if alone < rows.len() {
        let label = words.text("others", &[("count", (rows.len() - alone).into())])?;
        let value = rows[alone..].iter().map(|row| row.value).sum();
        drawn.push(Row { label, value, share: 1.0, is_few: false });
    }
    Ok(drawn)
}

/// Draws the bars, and returns where they end.
fn draw(frame: &mut Frame<'_>, rows: &[Row]) -> Result<f64, JobError> {
    let words = frame.words;
    let is_wide = frame.style.width == Width::Wide;
    let of_labels = if is_wide { 230.0 } else { 130.0 };
    let value_width =
        rows.iter().map(|row| text::width(&words.rounded(row.value), TEXT_SIZE, false)).fold(0.0, f64::max);
    let heading = words.word("cumulative")?;
    let of_share = text::width(&heading, TEXT_SIZE, false).max(48.0);
    let left = MARGIN + of_labels + 8.0;
    let right = frame.width - MARGIN - of_share - value_width - 14.0;
    let most = rows.iter().map(|row| row.value).fold(0.0, f64::max);
    let scale = Scale::new(0.0, most, left, right.max(left + 20.0));
    frame.canvas.text((frame.width - MARGIN, frame.top + 8.0), &heading, Type::muted(Anchor::End));
    let top = frame.top + 16.0;
    for (n, row) in rows.iter().enumerate() {
        let y = top + n as f64 * ROW;
        let middle = y + ROW / 2.0 + 4.0;
        let paint = if row.is_few { Paint::Ink } else { Paint::Usual };
        frame.canvas.short_text((left - 8.0, middle), &row.label, of_labels, Type::ink(Anchor::End));
        let end = scale.at(row.value);
        frame.canvas.rect((left, y + 4.0), (end - left, ROW - 8.0), Look::fill(paint));
        frame.canvas.text((end + 5.0, middle), &words.rounded(row.value), Type::ink(Anchor::Start));
        let share = words.percent(row.share);
        frame.canvas.text((frame.width - MARGIN, middle), &share, Type::muted(Anchor::End));
    }
    let bottom = top + rows.len() as f64 * ROW;
    frame.canvas.line((left, top), (left, bottom), Look::line(Paint::Usual, 1.0));
    Ok(bottom)
}

fn table(data: &ParetoData, rows: &[Row], words: &Words) -> Result<ChartTable, JobError> {
    let header = vec![data.groups.clone(), data.what.clone(), words.word("cumulative")?];
    let rows = rows.iter().map(|row| vec![row.label.clone(), words.number(row.value, 2), words.percent(row.share)]);
    Ok(ChartTable { header, rows: rows.collect() })
}
