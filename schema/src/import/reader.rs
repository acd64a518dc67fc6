//! Reads the rows of a CSV or gzipped CSV file, in the encoding of the mapping, with one record in memory at a time.

use super::encoding::{NotUtf8, check_start, is_utf8};
use super::looks::shown;
use super::quotes::{MalformedQuotes, Quotes};
use super::row::Row;
use super::{ImportError, Mapping};
use crate::sheet::unescape_cell;
use csv::{ByteRecord, StringRecord};
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest record accepted, in bytes. A quote that is never closed makes the rest of the file one record.
pub const LONGEST_RECORD: u64 = 16 * 1024 * 1024;

/// A line appended to every file. It ends the last record with a line break, and it exposes a quote that is never
/// closed, because that record then ends with this line. U+0004 does not occur in registers.
const END_MARK: &[u8] = b"\n\x04\n";

/// The rows of a file.
pub struct Rows {
    name: String,
    csv: csv::Reader<Box<dyn Read>>,
    pub header: Vec<String>,
    record: ByteRecord,
    /// The byte offset in the text at which the current record began.
    record_began: Rc<Cell<u64>>,
    read: Rc<Cell<u64>>,
    utf8: bool,
    /// Whether the encoding is single-byte: it decodes unassigned bytes to C1 control characters.
    single_byte: bool,
    /// Whether the bytes so far are valid UTF-8 although the encoding is another one.
    seems_utf8: Rc<Cell<bool>>,
    encoding: Option<&'static encoding_rs::Encoding>,
    malformed: MalformedQuotes,
}

impl Rows {
    /// Opens a file and reads its header; gzip and line ends are detected from its contents. `name` is for messages.
    ///
    /// # Errors
    /// If the file is empty, in another encoding or format, or has two columns of one name.
    pub fn open(name: &str, input: Box<dyn Read>, mapping: &Mapping) -> Result<Self, ImportError> {
        let file = |message: String| ImportError::File { path: name.to_owned(), message };
        let read = Rc::new(Cell::new(0));
        let counted = Counted { inner: input, read: Rc::clone(&read) };
        let mut raw = BufReader::with_capacity(1 << 16, counted);
        let magic = raw.fill_buf().map_err(|e| file(e.to_string()))?;
        if magic.is_empty() {
            return Err(file("is empty: there is not even a header".into()));
        }
        let plain: Box<dyn Read> =
            if magic.starts_with(&[0x1f, 0x8b]) { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
        let mut plain = BufReader::with_capacity(1 << 16, plain);
        let start = plain.fill_buf().map_err(|e| file(read_failure(&e)))?;
        if start.is_empty() {
            return Err(file("is empty: there is not even a header".into()));
        }
        check_start(mapping.encoding, start).map_err(file)?;
        let seems_utf8 = Rc::new(Cell::new(false));
        let text: Box<dyn Read> = match mapping.encoding {
            None => Box::new(plain),
            Some(encoding) => Box::new(DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(NotUtf8::new(
                plain,
                encoding,
                Rc::clone(&seems_utf8),
            ))),
        };
        let mut text = BufReader::with_capacity(1 << 16, text);
        let start = text.fill_buf().map_err(|e| file(read_failure(&e)))?;
        let text: Box<dyn Read> =
            if has_old_mac_lines(start) { Box::new(OldMacLines { inner: text }) } else { Box::new(text) };
        let record_began = Rc::new(Cell::new(0));
        let malformed = MalformedQuotes::default();
        let quotes = Quotes::new(mapping.delimiter, Rc::clone(&malformed));
        let text = Bounded { inner: text, given: 0, record_began: Rc::clone(&record_began), mark: None, quotes };
        let mut rows = Self {
            name: name.to_owned(),
            csv: csv::ReaderBuilder::new()
                .delimiter(mapping.delimiter)
                .has_headers(false)
                // With this terminator the reader counts lines as an editor does: see `next`.
                .terminator(csv::Terminator::Any(b'\n'))
                .flexible(true)
                .buffer_capacity(1 << 16)
                .from_reader(Box::new(text) as Box<dyn Read>),
            header: Vec::new(),
            record: ByteRecord::new(),
            record_began,
            read,
            utf8: mapping.encoding.is_none(),
            single_byte: mapping.encoding.is_some_and(encoding_rs::Encoding::is_single_byte),
            seems_utf8,
            encoding: mapping.encoding,
            malformed,
        };
        let Some(Row { record: header, .. }) = rows.next()? else {
            return Err(file("is empty: there is not even a header".into()));
        };
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        // Columns without a name cannot be mapped, so it does not matter how many there are.
        for (index, column) in header.iter().enumerate().filter(|(_, column)| !column.is_empty()) {
            if let Some(first) = header[..index].iter().position(|other| other == column) {
                return Err(file(format!(
                    "row 1: columns {} and {} are both named \"{}\": rename one of them",
                    first + 1,
                    index + 1,
                    shown(column)
                )));
            }
        }
        rows.header = header;
        Ok(rows)
    }

    /// The next record and the line on which it begins; None at the end of the file.
    ///
    /// # Errors
    /// If the file cannot be read or decoded, or a quote is never closed.
    pub fn next(&mut self) -> Result<Option<Row>, ImportError> {
        self.record_began.set(self.csv.position().byte());
        let line = self.csv.position().line();
        let more = self.csv.read_byte_record(&mut self.record).map_err(|e| {
            let message = match e.into_kind() {
                csv::ErrorKind::Io(e) => read_failure(&e),
                other => format!("{other:?}"),
            };
            self.at(line, message)
        })?;
        if !more {
            return Ok(None);
        }
        let record = std::mem::take(&mut self.record);
        // The reader has skipped blank lines before the record, so its first line is counted back from its end.
        let inside = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let line = self.csv.position().line().saturating_sub(1 + inside);
        if record.as_slice() == END_MARK.trim_ascii() {
            return Ok(None);
        }
        if record.as_slice().ends_with(END_MARK) {
            // The record extends to the end of the file, and includes the appended line.
            let message = "a quote (\") is opened in the record that begins here and never closed";
            return Err(self.at(line + 1, message.into()));
        }
        let misquoted = self.misquoted();
        let Some(record) = without_return(record) else { return self.next() };
        if record.len() == 1 && !record.is_empty() && record.as_slice().iter().all(|byte| *byte == DOS_END) {
            return self.next();
        }
        match StringRecord::from_byte_record(record) {
            Ok(record) => match record.iter().position(|cell| self.is_undecoded(cell)) {
                None => Ok(Some(Row { line, record: without_apostrophes(composed(record)), misquoted })),
                Some(index) => {
                    let seems_utf8 = self.encoding.filter(|_| self.seems_utf8.get()).map(is_utf8);
                    let wrong = || {
                        let column = self.column(index);
                        format!("{column} is not in the encoding that the mapping names: correct [file] encoding")
                    };
                    Err(self.at(line, seems_utf8.unwrap_or_else(wrong)))
                }
            },
            Err(e) => Err(self.at(
                line,
                format!(
                    "{} is not UTF-8: set the file's encoding under [file] of the mapping, for example encoding = \"windows-1258\"",
                    self.column(e.utf8_error().field())
                ),
            )),
        }
    }

    /// Whether the record that was read last has a malformed quote.
    fn misquoted(&self) -> bool {
        let end = self.csv.position().byte();
        let mut malformed = self.malformed.borrow_mut();
        let mut any = false;
        while malformed.front().is_some_and(|at| *at < end) {
            malformed.pop_front();
            any = true;
        }
        any
    }

    /// Whether a cell contains bytes that are invalid in its encoding.
    fn is_undecoded(&self, cell: &str) -> bool {
        !self.utf8 && cell.contains(|c| c == '\u{fffd}' || (self.single_byte && ('\u{80}'..='\u{9f}').contains(&c)))
    }

    /// Bytes of the file read so far; of a gzipped file, compressed bytes.
    pub fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    fn column(&self, index: usize) -> String {
        self.header
            .get(index)
            .map_or_else(|| format!("column {}", index + 1), |name| format!("column \"{}\"", shown(name)))
    }

    fn at(&self, row: u64, message: String) -> ImportError {
        ImportError::Row { path: self.name.clone(), row, message }
    }
}

fn read_failure(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "the file ends in the middle of its gzip stream: it was cut off, get it again".into()
        }
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if error.to_string().contains("deflate") => {
            format!("the gzip stream is damaged ({error}): get the file again")
        }
        _ => error.to_string(),
    }
}

/// Ctrl-Z, the end-of-file mark after the last line of DOS text files.
const DOS_END: u8 = 0x1a;

/// Whether the lines of a text end with a carriage return alone.
fn has_old_mac_lines(start: &[u8]) -> bool {
    // A carriage return at the end of the buffer may be the first half of CR LF.
    let before_last = &start[..start.len().saturating_sub(1)];
    before_last.contains(&b'\r') && !start.contains(&b'\n')
}

/// Replaces the carriage returns of old Mac files by line feeds.
struct OldMacLines<R> {
    inner: R,
}

impl<R: Read> Read for OldMacLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        buffer[..n].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(n)
    }
}

/// Counts the bytes read from the file itself, for the progress bar.
struct Counted {
    inner: Box<dyn Read>,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.set(self.read.get() + n as u64);
        Ok(n)
    }
}

/// Removes the carriage return of CR LF from the last cell; None for a blank line.
fn without_return(record: ByteRecord) -> Option<ByteRecord> {
    let Some(end) = record.iter().next_back().filter(|cell| cell.ends_with(b"\r")) else { return Some(record) };
    let end = &end[..end.len() - 1];
    if record.len() == 1 && end.is_empty() {
        return None;
    }
    let mut cells: ByteRecord = record.iter().take(record.len() - 1).collect();
    cells.push_field(end);
    Some(cells)
}

/// Normalises cells to NFC: some encodings and systems store letters and diacritics apart, and codes and names would
/// not match.
fn composed(record: StringRecord) -> StringRecord {
    if record.as_slice().is_ascii() || record.iter().all(is_nfc) {
        return record;
    }
    record.iter().map(|cell| cell.nfc().collect::<String>()).collect()
}

/// Removes the apostrophes that protect cells from spreadsheets: files of rejected rows have them.
fn without_apostrophes(record: StringRecord) -> StringRecord {
    if record.iter().all(|cell| unescape_cell(cell).len() == cell.len()) {
        return record;
    }
    record.iter().map(unescape_cell).collect()
}

/// Fails where a record exceeds [`LONGEST_RECORD`], which bounds memory; appends [`END_MARK`] and follows quotes.
struct Bounded {
    inner: Box<dyn Read>,
    given: u64,
    record_began: Rc<Cell<u64>>,
    /// The part of the end mark that is still to be read; None before the end of the file.
    mark: Option<&'static [u8]>,
    quotes: Quotes,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given.saturating_sub(self.record_began.get()) > LONGEST_RECORD {
            return Err(io::Error::other(
                "the record that begins here is longer than 16 MiB: is a quote (\") never closed?",
            ));
        }
        let n = self.inner.read(buffer)?;
        if n == 0 && !buffer.is_empty() {
            let mark = self.mark.get_or_insert(END_MARK);
            let given = mark.len().min(buffer.len());
            buffer[..given].copy_from_slice(&mark[..given]);
            *mark = &mark[given..];
            return Ok(given);
        }
        self.quotes.follow(&buffer[..n]);
        self.given += n as u64;
        Ok(n)
    }
}
