//! Units by how much is expected of them and how much was observed, with the limits of chance.

use super::canvas::{Look, TEXT_SIZE, Type};
use super::frame::{Frame, Key, Plot};
use super::labels::{Area, Places};
use super::scale::{Scale, drawable, ticks};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Unusual, Words, axis, text};
use crate::JobError;

const WIDE_LIMIT: Look = Look::line(Paint::Ink, 1.2);
const NARROW_LIMIT: Look = Look::line(Paint::Usual, 1.0).dashed("5 3");
const USUAL: Look = Look::fill(Paint::Surface).edged(Paint::Usual, 1.2);
/// Between 95 % and 99.8 %.
const NEAR: Look = Look::fill(Paint::Usual).edged(Paint::Surface, 0.5);
/// Ratios above are drawn at the upper edge.
const HIGHEST: f64 = 8.0;
/// A label is at most this wide, in px.
const LABEL: f64 = 150.0;

/// The data of a funnel plot.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelData {
    /// The name of the measure.
    pub what: String,
    /// The name of the compared subjects, in the plural.
    pub units_name: String,
    /// Dispersion of units relative to chance: 1 is chance alone. The limits allow for it.
    pub dispersion: f64,
    pub units: Vec<FunnelPoint>,
}

/// A unit. The limits are of the ratio of observed to expected.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelPoint {
    pub label: String,
    pub observed: f64,
    /// More than 0.
    pub expected: f64,
    pub lower_95: f64,
    pub upper_95: f64,
    pub lower_998: f64,
    pub upper_998: f64,
}

impl FunnelPoint {
    /// Observed / expected.
    pub fn ratio(&self) -> f64 {
        self.observed / self.expected
    }

    /// Whether the unit is beyond the limits of 99.8 %.
    pub fn unusual(&self) -> Option<Unusual> {
        Unusual::of(self.ratio(), self.lower_998, self.upper_998)
    }
}

/// Draws a funnel. Units without an expectation are only in the table.
///
/// # Errors
/// `Template` when a message is missing.
pub fn chart(data: &FunnelData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let mut units: Vec<&FunnelPoint> = data.units.iter().filter(|unit| unit.expected > 0.0).collect();
    units.sort_by(|one, other| one.expected.total_cmp(&other.expected));
    let table = table(data, words)?;
    let mut frame = Frame::new(title(data, &units, words)?, words, style);
    let Some(largest) = units.last() else {
        return frame.without_data(table);
    };
    // Many units expect little: the square root gives them room.
    let across = ticks(largest.expected, 5);
    let most = across.last().copied().unwrap_or(1.0).sqrt();
    let reached = units.iter().map(|unit| unit.ratio()).fold(2.0, f64::max);
    let labels = axis::labelled(&frame, ticks(reached.min(HIGHEST), 5))?;
    let (plot, y) =
        axis::left(&mut frame, &words.text("funnel-ratio", &[("what", data.what.as_str().into())])?, &labels);
    let x = Scale::new(0.0, most, plot.left + 4.0, plot.right - 4.0);
    let ticks = across.into_iter().map(|tick| Ok((x.at(tick.sqrt()), words.tick(tick)?)));
    let ticks = ticks.collect::<Result<Vec<_>, JobError>>()?;
    axis::below_numbers(
        &mut frame,
        plot,
        &words.text("funnel-expected", &[("what", data.what.as_str().into())])?,
        &ticks,
    );
    draw(&mut frame, plot, (x, y), &units);
    let bottom = legend(&mut frame, plot.bottom + axis::BELOW_NUMBERS)?;
    let height = match data.dispersion > 1.05 {
        true => {
            let note = words.text("funnel-dispersion", &[("times", words.number(data.dispersion, 1).into())])?;
            frame.note(bottom, &note)
        }
        false => bottom,
    };
    let alt = alt(&frame, &units)?;
    Ok(frame.finish(alt, table, height))
}

/// A limit of a unit.
type Limit = fn(&FunnelPoint) -> f64;

fn draw(frame: &mut Frame<'_>, plot: Plot, (x, y): (Scale, Scale), units: &[&FunnelPoint]) {
    frame.canvas.line((plot.left, y.at(1.0)), (plot.right, y.at(1.0)), Look::line(Paint::Usual, 1.0));
    let limits: [(Limit, Look); 4] = [
        (|unit| unit.lower_95, NARROW_LIMIT),
        (|unit| unit.upper_95, NARROW_LIMIT),
        (|unit| unit.lower_998, WIDE_LIMIT),
        (|unit| unit.upper_998, WIDE_LIMIT),
    ];
    let place = |unit: &FunnelPoint| x.at(unit.expected.sqrt());
    for (limit, look) in limits {
        let points: Vec<_> = units.iter().map(|unit| (place(unit), y.at(limit(unit)))).collect();
        match points.as_slice() {
            [(x, y)] => frame.canvas.line((x - 8.0, *y), (x + 8.0, *y), look),
            _ => frame.canvas.polyline(&points, look),
        }
    }
    let mut places = Places::new(Area(plot.left, plot.top - 6.0, plot.right, plot.bottom));
    let mut outside = Vec::new();
    for unit in units {
        let at = (place(unit), y.at(unit.ratio()));
        match unit.unusual() {
            Some(unusual) => {
                places.take(Area(at.0 - 6.0, at.1 - 6.0, at.0 + 6.0, at.1 + 6.0));
                outside.push((at, unusual, *unit));
            }
            None => {
                let is_inside = Unusual::of(unit.ratio(), unit.lower_95, unit.upper_95).is_none();
                frame.canvas.begin(&unit.label);
                frame.canvas.circle(at, 3.5, if is_inside { USUAL } else { NEAR });
                frame.canvas.end();
            }
        }
    }
    // The farthest from 1 first: labels may not have room for all.
    outside.sort_by(|one, other| farness(other.2).total_cmp(&farness(one.2)));
    for (at, unusual, unit) in outside {
        frame.canvas.begin(&unit.label);
        frame.canvas.unusual(at, unusual);
        let label = text::elide(&unit.label, LABEL, TEXT_SIZE, false);
        if let Some((beside, anchor)) = places.beside(at, &label) {
            frame.canvas.text(beside, &label, Type::ink(anchor));
        }
        frame.canvas.end();
    }
}

/// Distance of a unit beyond its limit.
fn farness(unit: &FunnelPoint) -> f64 {
    let farness = (unit.ratio() - unit.upper_998).max(unit.lower_998 - unit.ratio());
    drawable(farness * unit.expected.sqrt())
}

fn legend(frame: &mut Frame<'_>, top: f64) -> Result<f64, JobError> {
    let words = frame.words;
    let keys = vec![
        (Key::Unusual(Unusual::High), words.word("more-than-usual")?),
        (Key::Unusual(Unusual::Low), words.word("less-than-usual")?),
        (Key::Circle(USUAL), words.word("usual")?),
        (Key::Circle(NEAR), words.word("funnel-near")?),
        (Key::Line(NARROW_LIMIT), words.text("funnel-limit", &[("share", words.percent(0.95).into())])?),
        (Key::Line(WIDE_LIMIT), words.text("funnel-limit", &[("share", words.percent(0.998).into())])?),
    ];
    Ok(frame.legend(top, keys))
}

fn labels_of<'a>(units: &[&'a FunnelPoint], unusual: Unusual) -> Vec<&'a str> {
    let found = units.iter().filter(|unit| unit.unusual() == Some(unusual));
    let mut found: Vec<&&FunnelPoint> = found.collect();
    found.sort_by(|one, other| farness(other).total_cmp(&farness(one)));
    found.into_iter().map(|unit| unit.label.as_str()).collect()
}

fn title(data: &FunnelData, units: &[&FunnelPoint], words: &Words) -> Result<String, JobError> {
    let (high, low) = (labels_of(units, Unusual::High).len(), labels_of(units, Unusual::Low).len());
    let key = match (units.len(), high, low) {
        (0, _, _) => "funnel-none",
        (_, 0, 0) => "funnel-usual",
        _ => "funnel-title",
    };
    words.text(
        key,
        &[
            ("all", units.len().into()),
            ("high", high.into()),
            ("low", low.into()),
            ("what", data.what.as_str().into()),
            ("units", data.units_name.as_str().into()),
        ],
    )
}

fn alt(frame: &Frame<'_>, units: &[&FunnelPoint]) -> Result<String, JobError> {
    let mut sentences = vec![frame.sentence()];
    for (unusual, key) in [(Unusual::High, "funnel-alt-high"), (Unusual::Low, "funnel-alt-low")] {
        let labels = labels_of(units, unusual);
        if !labels.is_empty() {
            sentences.push(frame.words.text(key, &[("labels", frame.words.list(&labels)?.into())])?);
        }
    }
    Ok(sentences.join(" "))
}

fn table(data: &FunnelData, words: &Words) -> Result<ChartTable, JobError> {
    let limit = |share: f64| words.text("funnel-limit", &[("share", words.percent(share).into())]);
    let header = vec![
        data.units_name.clone(),
        words.word("observed")?,
        words.word("expected")?,
        words.word("ratio")?,
        limit(0.95)?,
        limit(0.998)?,
    ];
    let mut units: Vec<&FunnelPoint> = data.units.iter().collect();
    units.sort_by(|one, other| other.ratio().total_cmp(&one.ratio()));
    let between = |low: f64, high: f64| format!("{} – {}", words.number(low, 2), words.number(high, 2));
    let rows = units.into_iter().map(|unit| {
        vec![
            unit.label.clone(),
            words.number(unit.observed, 2),
            words.number(unit.expected, 2),
            if unit.expected > 0.0 { words.number(unit.ratio(), 2) } else { String::new() },
            between(unit.lower_95, unit.upper_95),
            between(unit.lower_998, unit.upper_998),
        ]
    });
    Ok(ChartTable { header, rows: rows.collect() })
}
