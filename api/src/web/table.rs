//! Tables of a page: shown as HTML, and written as CSV or XLSX.

use serde::Serialize;

/// A table. All rows have as many cells as there are columns.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// Its name in templates and in addresses of files: letters, digits and `-`.
    pub name: &'static str,
    /// What it shows, above it and as the name of its sheet.
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

/// A cell.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cell {
    /// As the page shows it.
    pub text: String,
    /// The number behind the text, for files; the page aligns it to the right.
    pub number: Option<f64>,
    /// Where it leads: a local address.
    pub href: Option<String>,
    /// A mark in front of the text, a class of the style sheet (`mark-unusual`, `mark-late`). The text says the same.
    pub mark: Option<&'static str>,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A number, and how the page writes it.
    pub fn number(number: f64, shown: impl Into<String>) -> Self {
        Self { text: shown.into(), number: Some(number), ..Self::default() }
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
