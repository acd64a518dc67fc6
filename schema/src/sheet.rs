//! Writes CSV that is safe to open in a spreadsheet, and reverses the escaping.
//!
//! A spreadsheet evaluates a cell that begins with a formula character (CSV injection). Such a cell gets an apostrophe
//! in front, which marks it as text; numbers stay unchanged. Reading removes the apostrophe, so that a round trip
//! preserves every cell, including cells that begin with an apostrophe.

use serde::Serialize;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

/// Escapes a cell so that no spreadsheet evaluates it.
pub fn escape_cell(cell: &str) -> Cow<'_, str> {
    if is_number(cell) || !runs(cell.trim_start_matches('\'')) {
        return Cow::Borrowed(cell);
    }
    Cow::Owned(format!("'{cell}"))
}

/// Reverses [`escape_cell`].
pub fn unescape_cell(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if runs(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

/// Whether some spreadsheet would evaluate a text, or treat it as more than one cell.
fn runs(text: &str) -> bool {
    if text.starts_with(['\t', '\r', '\n']) {
        return true;
    }
    // Some spreadsheets skip blanks and invisible characters before the formula character.
    text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c)).starts_with([
        '=', '+', '-',
        '@', // Full-width and small forms, as input methods for wide letters write them, and the minus sign.
        '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫', '−',
    ])
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether a cell is a number, which is harmless: `-5`, `+0.25`, `-1e-5`.
fn is_number(cell: &str) -> bool {
    let is_written_so = cell.bytes().all(|byte| byte.is_ascii_digit() || b".,eE+-".contains(&byte));
    is_written_so && cell.replace(',', ".").parse::<f64>().is_ok()
}

/// The bytes that need no quotes in a cell that begins with a letter or a digit.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
        byte += 1;
    }
    plain
};

/// Whether a cell needs neither an apostrophe nor quotes. This looks at each byte once: most cells of an export are
/// codes, pseudonyms, numbers and days.
fn is_plain(cell: &str) -> bool {
    let mut bytes = cell.bytes();
    bytes.next().is_none_or(|first| first.is_ascii_alphanumeric()) && bytes.all(|byte| PLAIN[usize::from(byte)])
}

/// Quotes a cell that contains a delimiter of some spreadsheet. Where numbers have a decimal comma, semicolons separate
/// cells, and the text after one would be evaluated.
fn quoted(cell: &str) -> Cow<'_, str> {
    match cell.contains([',', ';', '\t', '"', '\r', '\n']) {
        true => Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\""))),
        false => Cow::Borrowed(cell),
    }
}

/// Bytes that are written at once.
const BUFFER: usize = 64 * 1024;

/// Writes text behind bytes.
struct Behind<'b>(&'b mut Vec<u8>);

impl fmt::Write for Behind<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// A CSV writer whose cells no spreadsheet evaluates. All CSV output of this program goes through it. What is not
/// flushed at the end is lost.
pub struct SheetWriter<W: Write> {
    to: W,
    /// Whole rows, and the present one.
    buffer: Vec<u8>,
    /// The offset of the present row in the buffer.
    row: usize,
    has_cells: bool,
}

impl<W: Write> SheetWriter<W> {
    /// Rows need not have the same number of cells.
    pub fn new(to: W) -> Self {
        Self { to, buffer: Vec::new(), row: 0, has_cells: false }
    }

    /// Writes a row.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn row<'c>(&mut self, cells: impl IntoIterator<Item = &'c str>) -> io::Result<()> {
        cells.into_iter().for_each(|cell| self.cell(cell));
        self.end_row()
    }

    /// Adds a cell to the present row.
    pub fn cell(&mut self, cell: &str) {
        if self.has_cells {
            self.buffer.push(b',');
        }
        self.has_cells = true;
        match is_plain(cell) {
            true => self.buffer.extend_from_slice(cell.as_bytes()),
            false => self.buffer.extend_from_slice(quoted(&escape_cell(cell)).as_bytes()),
        }
    }

    /// Adds a cell that `write` writes: a number, a day or another value without any character that separates cells.
    /// Only its first character can need an apostrophe, so that the others are not looked at.
    ///
    /// # Errors
    /// If `write` fails.
    pub fn value_cell(&mut self, write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result) -> fmt::Result {
        let (before, had_cells) = (self.buffer.len(), self.has_cells);
        if had_cells {
            self.buffer.push(b',');
        }
        self.has_cells = true;
        let from = self.buffer.len();
        write(&mut Behind(&mut self.buffer))?;
        if self.buffer.get(from).is_none_or(u8::is_ascii_alphanumeric) {
            return Ok(());
        }
        let cell = String::from_utf8_lossy(&self.buffer[from..]).into_owned();
        self.buffer.truncate(before);
        self.has_cells = had_cells;
        self.cell(&cell);
        Ok(())
    }

    /// Ends the present row.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn end_row(&mut self) -> io::Result<()> {
        // Readers skip an empty line: a row without text is one empty cell in quotes.
        if self.buffer.len() == self.row {
            self.buffer.extend_from_slice(b"\"\"");
        }
        self.buffer.push(b'\n');
        self.row = self.buffer.len();
        self.has_cells = false;
        if self.buffer.len() >= BUFFER { self.pass_on() } else { Ok(()) }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        self.to.write_all(&self.buffer)?;
        self.buffer.clear();
        self.row = 0;
        Ok(())
    }

    /// Serialises rows by their fields, after a header with the names of the fields if `with_header`.
    ///
    /// # Errors
    /// If a row cannot be serialised or written.
    #[allow(clippy::disallowed_methods, reason = "what is serialised goes through this writer, too")]
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
    /// If buffered output cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.to.flush()
    }

    /// Flushes, and returns the underlying writer.
    ///
    /// # Errors
    /// If buffered output cannot be written.
    pub fn into_inner(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.to)
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
            assert_eq!(escape_cell(cell), format!("'{cell}"), "{cell:?}");
            assert_eq!(unescape_cell(&escape_cell(cell)), cell);
        }
        for cell in ["", "5", "-5", "+0.25", "-1e-5", "-1.250,5", "a=1", "'", "'a", "Công ty A", "1-2"] {
            let expected = if cell == "-1.250,5" { format!("'{cell}") } else { cell.to_owned() };
            assert_eq!(escape_cell(cell), expected, "{cell:?}");
            assert_eq!(unescape_cell(&escape_cell(cell)), cell);
        }
    }

    #[test]
    fn a_value_is_written_as_the_cell_of_its_text() {
        let values = ["", "5", "-5", "-0.25", "1e21", "2024-01-05T00:00:01.500Z", "+12345-01-01", "-Infinity", "true"];
        let (mut by_text, mut by_value) = (SheetWriter::new(Vec::<u8>::new()), SheetWriter::new(Vec::<u8>::new()));
        for row in [&values[..], &values[..1], &values[2..]] {
            for value in row {
                by_text.cell(value);
                by_value.value_cell(|out| out.write_str(value)).unwrap();
            }
            by_text.end_row().unwrap();
            by_value.end_row().unwrap();
        }
        assert_eq!(by_value.into_inner().unwrap(), by_text.into_inner().unwrap());
        assert!(SheetWriter::new(Vec::<u8>::new()).value_cell(|_| Err(fmt::Error)).is_err());
    }

    #[test]
    fn a_plain_cell_is_written_as_it_stands() {
        for cell in ["", "5", "a-b", "2024-01-05", "k1-abc", "1.5", "Z:_."] {
            assert!(is_plain(cell) && quoted(&escape_cell(cell)) == cell, "{cell:?}");
        }
        for cell in ["-5", "=1", "_a", "a;b", "a,b", "a\"b", "a\nb", "Công", "a b", "'a"] {
            assert!(!is_plain(cell), "{cell:?}");
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the bytes are compared with those of the writer of the crate")]
    fn rows_are_written_as_by_the_crate() {
        let long = "x".repeat(BUFFER);
        let rows: [&[&str]; 7] = [&["a", "b"], &[], &[""], &["", ""], &["5", "", "c"], &[long.as_str()], &["last"]];
        let mut plain =
            csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Never).from_writer(Vec::new());
        let mut own = SheetWriter::new(Vec::new());
        for row in rows {
            plain.write_record(row).expect("a row");
            own.row(row.iter().copied()).expect("a row");
        }
        assert!(own.into_inner().expect("bytes") == plain.into_inner().expect("bytes"));
    }

    proptest! {
        #[test]
        fn what_is_plain_needs_nothing(cell in "[a1=+;,.:_ é-]{0,5}") {
            prop_assert!(!is_plain(&cell) || quoted(&escape_cell(&cell)) == cell.as_str());
        }

        #[test]
        fn the_way_back_gives_what_was_written(cell in "['=+@\\-\t\r\n \u{200b}＝a0-9.]{0,6}") {
            let written = escape_cell(&cell);
            prop_assert!(is_number(&written) || !runs(&written));
            prop_assert_eq!(unescape_cell(&written), cell.as_str());
        }
    }
}
