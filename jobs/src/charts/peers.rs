//! The share of a unit with its limits, and the shares of comparable units, whose names the chart does not show.

use super::canvas::{Anchor, Look, TEXT_SIZE, Type};
use super::frame::{Frame, Key, MARGIN, Plot};
use super::scale::{Scale, ticks};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Unusual, Words, axis, text};
use crate::JobError;

const MOST: Look = Look::fill(Paint::Band);
const HALF: Look = Look::line(Paint::Ink, 1.2).dashed("5 3");
const LIMITS: Look = Look::line(Paint::Usual, 2.0);
const USUAL: Look = Look::fill(Paint::Surface).edged(Paint::Usual, 1.4);
/// The heights of the words and of the drawing below them.
const WORDS: f64 = 22.0;
const DRAWING: f64 = 44.0;

/// The data of a unit among its peers. Shares are from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct PeersData {
    /// The unit.
    pub label: String,
    /// The subject of the share, in words that follow a number: “answered in time”.
    pub what: String,
    /// The name of the share.
    pub share_name: String,
    pub share: f64,
    /// The 95 % limits of the share.
    pub lower: f64,
    pub upper: f64,
    /// Comparable units.
    pub peers: usize,
    /// The median of the peers, and the range of the middle eight tenths.
    pub half: f64,
    pub lowest: f64,
    pub highest: f64,
}

impl PeersData {
    /// Whether chance hardly explains the difference from most of the peers.
    pub fn unusual(&self) -> Option<Unusual> {
        match (self.lower > self.highest, self.upper < self.lowest) {
            (true, _) => Some(Unusual::High),
            (_, true) => Some(Unusual::Low),
            _ => None,
        }
    }
}

/// Draws a unit among its peers.
///
/// # Errors
/// `Template` when a message is missing.
pub fn chart(data: &PeersData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let mut frame = Frame::new(title(data, words)?, words, style);
    let top = frame.top + 4.0;
    let (left, right) = (MARGIN + 4.0, frame.width - MARGIN - 4.0);
    let plot = Plot { left, right, top: top + WORDS, bottom: top + WORDS + DRAWING };
    let x = Scale::new(0.0, 1.0, plot.left, plot.right);
    let (low, high) = (x.at(data.lowest), x.at(data.highest));
    // A range without a width is drawn, too.
    let width = (high - low).max(3.0);
    frame.canvas.rect((low.min(plot.right - width), plot.top), (width, DRAWING), MOST);
    frame.canvas.line((x.at(data.half), plot.top), (x.at(data.half), plot.bottom), HALF);
    let numbers = numbers(data, words);
    let taken = text::width(&numbers, TEXT_SIZE, false);
    let most = (plot.right - plot.left - taken - 12.0).max(0.0);
    frame.canvas.short_text((plot.left, top + 14.0), &data.label, most, Type::ink(Anchor::Start));
    frame.canvas.text((plot.right, top + 14.0), &numbers, Type::ink(Anchor::End));
    let middle = plot.top + DRAWING / 2.0;
    frame.canvas.line((x.at(data.lower), middle), (x.at(data.upper), middle), LIMITS);
    for limit in [data.lower, data.upper] {
        frame.canvas.line((x.at(limit), middle - 5.0), (x.at(limit), middle + 5.0), LIMITS);
    }
    let key = match data.unusual() {
        Some(unusual) => {
            frame.canvas.unusual((x.at(data.share), middle), unusual);
            let word = if unusual == Unusual::High { "more-than-usual" } else { "less-than-usual" };
            (Key::Unusual(unusual), words.word(word)?)
        }
        None => {
            frame.canvas.circle((x.at(data.share), middle), 4.0, USUAL);
            (Key::Circle(USUAL), words.word("usual")?)
        }
    };
    let ticks: Vec<(f64, String)> = ticks(1.0, 5).into_iter().map(|tick| (x.at(tick), words.percent(tick))).collect();
    axis::below_numbers(&mut frame, plot, &data.share_name, &ticks);
    let keys = vec![
        key,
        (Key::Line(LIMITS), words.text("funnel-limit", &[("share", words.percent(0.95).into())])?),
        (Key::Area(MOST), words.text("peers-most", &[("count", data.peers.into())])?),
        (Key::Line(HALF), words.word("peers-half")?),
    ];
    let height = frame.legend(plot.bottom + axis::BELOW_NUMBERS, keys);
    let alt = words.text(
        "peers-alt",
        &[
            ("lower", words.percent(data.lower).into()),
            ("upper", words.percent(data.upper).into()),
            ("half", words.percent(data.half).into()),
        ],
    )?;
    let alt = format!("{} {alt}", frame.sentence());
    Ok(frame.finish(alt, table(data, words)?, height))
}

fn numbers(data: &PeersData, words: &Words) -> String {
    format!("{} ({})", words.percent(data.share), between(data.lower, data.upper, words))
}

fn between(low: f64, high: f64, words: &Words) -> String {
    format!("{} – {}", words.percent(low), words.percent(high))
}

fn title(data: &PeersData, words: &Words) -> Result<String, JobError> {
    let is_among_most = data.share >= data.lowest && data.share <= data.highest;
    let key = match data.unusual() {
        Some(Unusual::High) => "peers-high",
        Some(Unusual::Low) => "peers-low",
        None if is_among_most => "peers-usual",
        None => "peers-chance",
    };
    words.text(
        key,
        &[
            ("label", data.label.as_str().into()),
            ("share", words.percent(data.share).into()),
            ("what", data.what.as_str().into()),
            ("count", data.peers.into()),
            ("low", words.percent(data.lowest).into()),
            ("high", words.percent(data.highest).into()),
        ],
    )
}

fn table(data: &PeersData, words: &Words) -> Result<ChartTable, JobError> {
    let header = vec![words.word("peers-who")?, data.share_name.clone(), words.word("peers-range")?];
    let most = words.text("peers-most", &[("count", data.peers.into())])?;
    let rows =
        [(data.label.clone(), data.share, (data.lower, data.upper)), (most, data.half, (data.lowest, data.highest))];
    let rows = rows
        .into_iter()
        .map(|(label, share, (low, high))| vec![label, words.percent(share), between(low, high, words)]);
    Ok(ChartTable { header, rows: rows.collect() })
}

#[cfg(test)]
mod tests {
    use super::super::{Theme, Width};
    use super::*;
    use schema::enums::Locale;

    fn data(share: f64, lower: f64, upper: f64) -> PeersData {
        PeersData {
            label: "Hà Nội".into(),
            what: "answered in time".into(),
            share_name: "Answered in time".into(),
            share,
            lower,
            upper,
            peers: 27,
            half: 0.96,
            lowest: 0.85,
            highest: 1.0,
        }
    }

    fn drawn(data: &PeersData) -> Chart {
        let style = Style { theme: Theme::Light, width: Width::Narrow, id: "p" };
        chart(data, &Words::new(Locale::En).unwrap(), style).unwrap()
    }

    #[test]
    fn the_title_says_what_chance_hardly_explains() {
        let title = |share, lower, upper| drawn(&data(share, lower, upper)).title;
        assert_eq!(
            title(0.5, 0.4, 0.6),
            "Hà Nội: 50% answered in time, less than most of 27 comparable units (85% to 100%)"
        );
        assert_eq!(title(0.9, 0.7, 0.97), "Hà Nội: 90% answered in time, as most of 27 comparable units (85% to 100%)");
        assert!(title(0.8, 0.6, 0.9).contains("which chance can explain"));
        let high = PeersData { lowest: 0.2, half: 0.3, highest: 0.4, ..data(0.9, 0.7, 0.97) };
        assert!(drawn(&high).title.contains("more than most of 27 comparable units (20% to 40%)"));
        assert_eq!((high.unusual(), data(0.8, 0.6, 0.9).unusual()), (Some(Unusual::High), None));
    }

    #[test]
    fn the_alternative_text_and_the_table_have_the_numbers() {
        let chart = drawn(&data(0.5, 0.4, 0.6));
        assert!(
            chart.alt.ends_with("Its 95% limits are 40% to 60%. Half of those units reach 96% or more."),
            "{}",
            chart.alt
        );
        assert_eq!(chart.table.rows[0], ["Hà Nội", "50%", "40% – 60%"]);
        assert_eq!(chart.table.rows[1], ["eight in ten of 27 comparable units", "96%", "85% – 100%"]);
    }

    #[test]
    fn a_range_without_a_width_and_numbers_that_are_none_are_drawn() {
        let same = PeersData { lowest: 1.0, half: 1.0, ..data(1.0, 0.7, 1.0) };
        assert_eq!(drawn(&same).svg.matches("<rect").count(), 3, "the ground, the range and its sample");
        let none = PeersData { half: f64::NAN, ..data(f64::NAN, f64::NAN, f64::INFINITY) };
        assert!(!drawn(&none).svg.contains("=\"NaN"));
    }
}
