//! Charts as SVG, for pages, digests and documentation.
//!
//! A chart is a pure function of numbers and labels: it reads neither the clock nor the database. Its title says the
//! finding. Its alternative text and its table have the same numbers. One accent marks what chance hardly explains:
//! an orange triangle for more, a blue one that points down for less. Everything else is grey.

mod axis;
mod canvas;
pub mod cusum;
mod frame;
pub mod funnel;
pub mod interval;
mod labels;
pub mod map;
pub mod pareto;
pub mod peers;
mod png;
mod scale;
mod text;
mod theme;
pub mod timeline;
pub mod trend;
pub mod waiting;
mod words;

pub use png::{FONT_BOLD, FONT_REGULAR, png};
pub use theme::{Theme, stylesheet};
pub use words::Words;

use serde::Serialize;

/// A chart with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chart {
    /// The finding, in one sentence.
    pub title: String,
    /// The alternative text, for readers who do not see the picture.
    pub alt: String,
    /// All numbers of the chart, with labels in full.
    pub table: ChartTable,
    /// A whole SVG document without an XML declaration, so that HTML can contain it.
    pub svg: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChartTable {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Style of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style<'a> {
    pub theme: Theme,
    pub width: Width,
    /// Begins the ids of the chart's elements: each chart of one HTML document needs its own.
    pub id: &'a str,
}

/// The width of a chart. Letters have the same size in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// 640 px: a page, a mail.
    Wide,
    /// 360 px: a telephone.
    Narrow,
}

impl Width {
    /// The width in px.
    pub const fn px(self) -> f64 {
        match self {
            Self::Wide => 640.0,
            Self::Narrow => 360.0,
        }
    }
}

/// A value that chance hardly explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusual {
    High,
    Low,
}

impl Unusual {
    /// Whether a value is outside of a range.
    pub fn of(value: f64, low: f64, high: f64) -> Option<Self> {
        match value {
            _ if value > high => Some(Self::High),
            _ if value < low => Some(Self::Low),
            _ => None,
        }
    }
}
