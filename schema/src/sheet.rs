//! CSV for people, and the way back.
//!
//! A spreadsheet runs a cell that begins with a formula sign, whoever wrote it. Such a cell gets an apostrophe in front, which
//! spreadsheets take for "this is text"; numbers stay as they are. Reading takes the apostrophe off again, so that what is
//! written and read is the same, apostrophes that stood there before included.

use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// A cell that no spreadsheet runs.
pub fn inert(cell: &str) -> Cow<'_, str> {
    if is_number(cell) || !runs(cell.trim_start_matches('\'')) {
        return Cow::Borrowed(cell);
    }
    Cow::Owned(format!("'{cell}"))
}

/// What an inert cell was made of.
pub fn live(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if runs(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

/// Whether some spreadsheet takes a text for more than a text.
fn runs(text: &str) -> bool {
    if text.starts_with(['\t', '\r', '\n']) {
        return true;
    }
    // Some look for the sign behind blanks, and behind what cannot be seen.
    text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c)).starts_with([
        '=', '+', '-',
        '@', // As they stand on a Vietnamese keyboard, and as an input method for wide letters has them.
        '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−',
    ])
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A number, which is nothing to run: `-5`, `+0.25`, `-1e-5`.
fn is_number(cell: &str) -> bool {
    let is_written_so = cell.bytes().all(|byte| byte.is_ascii_digit() || b".,eE+-".contains(&byte));
    is_written_so && cell.replace(',', ".").parse::<f64>().is_ok()
}

/// A cell in quotes where it has a sign at which some spreadsheet begins the next cell: where numbers have a decimal comma,
/// cells are parted by semicolons, and what follows one would be run.
fn quoted(cell: &str) -> Cow<'_, str> {
    match cell.contains([',', ';', '\t', '"', '\r', '\n']) {
        true => Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\""))),
        false => Cow::Borrowed(cell),
    }
}

/// Writes CSV whose cells no spreadsheet runs. All CSV of this program goes through it.
pub struct SheetWriter<W: Write>(csv::Writer<W>);

#[allow(clippy::disallowed_methods, reason = "every other writer of CSV goes through this one")]
impl<W: Write> SheetWriter<W> {
    /// Rows need not have the same number of cells.
    pub fn new(to: W) -> Self {
        // Cells are quoted here, see `quoted`.
        Self(csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Never).from_writer(to))
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) -> io::Result<()> {
        for cell in cells {
            self.0.write_field(quoted(&inert(cell)).as_bytes())?;
        }
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    /// Writes rows by their fields, with the names of these before the first where that is wanted.
    ///
    /// # Errors
    /// Where a row has no fields, or cannot be written.
    pub fn rows<T: Serialize>(&mut self, rows: &[T], with_header: bool) -> io::Result<()> {
        let mut plain = csv::WriterBuilder::new().has_headers(with_header).from_writer(Vec::new());
        rows.iter().try_for_each(|row| plain.serialize(row))?;
        let plain = plain.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let mut plain = csv::ReaderBuilder::new().has_headers(false).from_reader(plain.as_slice());
        let mut record = csv::StringRecord::new();
        while plain.read_record(&mut record)? {
            self.row(&record)?;
        }
        Ok(())
    }

    /// # Errors
    /// Where what waits cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    /// Writes what waits, and gives back what was written to.
    ///
    /// # Errors
    /// Where what waits cannot be written.
    pub fn into_inner(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for cell in [
            "=1+1",
            "=HYPERLINK(\"http://x\")",
            "+84 28",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "＝1+1",
            "＠x",
            "−1+1",
            " =1+1",
            "\u{200b}=1",
            "\u{feff}@x",
            "'=1+1",
            "-",
            "=",
            "+1-1",
        ] {
            assert_eq!(inert(cell), format!("'{cell}"), "{cell:?}");
            assert_eq!(live(&inert(cell)), cell);
        }
        for cell in ["", "5", "-5", "+0.25", "-1e-5", "-1.250,5", "a=1", "'", "'a", "Công ty A", "1-2"] {
            let expected = if cell == "-1.250,5" { format!("'{cell}") } else { cell.to_owned() };
            assert_eq!(inert(cell), expected, "{cell:?}");
            assert_eq!(live(&inert(cell)), cell);
        }
    }

    proptest! {
        #[test]
        fn the_way_back_gives_what_was_written(cell in "['=+@\\-\t\r\n \u{200b}＝a0-9.]{0,6}") {
            let written = inert(&cell);
            prop_assert!(is_number(&written) || !runs(&written));
            prop_assert_eq!(live(&written), cell.as_str());
        }
    }
}
