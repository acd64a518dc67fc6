//! Tables of a page: shown as HTML, and written as CSV or XLSX.

use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;

/// A table. All rows have as many cells as there are columns.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Its name in templates and in addresses of files: letters, digits and `-`.
    pub name: &'static str,
    /// The caption above it, which is the name of its sheet.
    pub caption: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(
        name: &'static str,
        caption: impl Into<String>,
        columns: &[String],
        rows: impl IntoIterator<Item = Vec<Cell>>,
    ) -> Self {
        Self { name, caption: caption.into(), columns: columns.to_vec(), rows: rows.into_iter().collect() }
    }
}

/// The value that a file holds in place of the text of a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// The number where there is one, else the text.
    #[default]
    Plain,
    /// The number as per cent.
    Share,
    Day(NaiveDate),
    /// A moment, as clocks in Vietnam show it.
    Time(NaiveDateTime),
}

/// A cell.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cell {
    /// The text that the page shows.
    pub text: String,
    /// The number behind the text, for files; the page aligns it to the right. A share is from 0 to 1.
    pub number: Option<f64>,
    /// The value that a file holds in place of the text.
    #[serde(skip)]
    pub kind: Kind,
    /// Local address to which it leads.
    pub href: Option<String>,
    /// A mark in front of the text, a class of the style sheet (`mark-unusual`, `mark-late`). The text says the same.
    pub mark: Option<&'static str>,
    /// The language of the text, where it is not that of the page.
    pub lang: Option<&'static str>,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A text of the program or of another server, which is in English on each page.
    pub fn english(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self { lang: (!text.is_empty()).then_some("en"), ..Self::text(text) }
    }

    /// A number, and how the page writes it.
    pub fn number(number: f64, shown: impl Into<String>) -> Self {
        Self { text: shown.into(), number: Some(number), ..Self::default() }
    }

    /// A share from 0 to 1, and how the page writes it.
    pub fn share(share: f64, shown: impl Into<String>) -> Self {
        Self { kind: Kind::Share, ..Self::number(share, shown) }
    }

    /// A day, and how the page writes it; a text without one.
    pub fn day(day: Option<NaiveDate>, shown: impl Into<String>) -> Self {
        Self { kind: day.map_or(Kind::Plain, Kind::Day), ..Self::text(shown) }
    }

    /// A moment as clocks in Vietnam show it, and how the page writes it; a text without one.
    pub fn time(time: Option<NaiveDateTime>, shown: impl Into<String>) -> Self {
        Self { kind: time.map_or(Kind::Plain, Kind::Time), ..Self::text(shown) }
    }

    pub fn link(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: Some(href.into()), ..Self::default() }
    }

    #[must_use]
    pub fn marked(mut self, mark: &'static str) -> Self {
        self.mark = Some(mark);
        self
    }
}
