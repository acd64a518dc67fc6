//! Reads the rows of a file: CSV or gzipped CSV, in the encoding that the mapping names, never
//! holding more than one record.

use super::encoding::{NotUtf8, check_start, is_utf8};
use super::looks::shown;
use super::quotes::{Quotes, Strays};
use super::row::Row;
use super::{ImportError, Mapping};
use crate::sheet::live;
use csv::{ByteRecord, StringRecord};
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest record taken. A quote that is never closed makes one record of the rest of a file.
pub const LONGEST_RECORD: u64 = 16 * 1024 * 1024;

/// A last line that every file is given: then every record ends with a line break, and a quote that
/// is never closed is found out, because it swallows this line. No register holds this character.
const END_MARK: &[u8] = b"\n\x04\n";

/// The rows of a file.
pub struct Rows {
    name: String,
    csv: csv::Reader<Box<dyn Read>>,
    pub header: Vec<String>,
    record: ByteRecord,
    /// Where the record being read began, in bytes of text.
    record_began: Rc<Cell<u64>>,
    read: Rc<Cell<u64>>,
    utf8: bool,
    /// Whether the encoding has one byte for each letter: its bytes without a letter become control characters.
    single_byte: bool,
    /// Where the encoding is another one: whether what was read so far is UTF-8 nevertheless.
    seems_utf8: Rc<Cell<bool>>,
    encoding: Option<&'static encoding_rs::Encoding>,
    strays: Strays,
}

impl Rows {
    /// Opens a file by its contents; `name` is for messages.
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
        let strays = Strays::default();
        let quotes = Quotes::new(mapping.delimiter, Rc::clone(&strays));
        let text = Bounded { inner: text, given: 0, record_began: Rc::clone(&record_began), mark: None, quotes };
        let mut rows = Self {
            name: name.to_owned(),
            csv: csv::ReaderBuilder::new()
                .delimiter(mapping.delimiter)
                .has_headers(false)
                // Only then does the reader count lines as people do: see `next`.
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
            strays,
        };
        let Some(Row { record: header, .. }) = rows.next()? else {
            return Err(file("is empty: there is not even a header".into()));
        };
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        // Columns without a name cannot be mapped, so it does not matter how many there are.
        for (place, column) in header.iter().enumerate().filter(|(_, column)| !column.is_empty()) {
            if let Some(first) = header[..place].iter().position(|other| other == column) {
                return Err(file(format!(
                    "row 1: columns {} and {} are both named \"{}\": rename one of them",
                    first + 1,
                    place + 1,
                    shown(column)
                )));
            }
        }
        rows.header = header;
        Ok(rows)
    }

    /// The next record and the line on which it begins.
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
        // Blank lines before a record have been passed by now, so its line is counted from its end.
        let inside = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let line = self.csv.position().line().saturating_sub(1 + inside);
        if record.as_slice() == END_MARK.trim_ascii() {
            return Ok(None);
        }
        if record.as_slice().ends_with(END_MARK) {
            // The record went on to the end of the file, whose last line is ours.
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
                Some(place) => {
                    let seems_utf8 = self.encoding.filter(|_| self.seems_utf8.get()).map(is_utf8);
                    let wrong = || {
                        let column = self.column(place);
                        format!("{column} is not in the encoding that the mapping names: correct [file] encoding")
                    };
                    Err(self.at(line, seems_utf8.unwrap_or_else(wrong)))
                }
            },
            Err(e) => Err(self.at(
                line,
                format!(
                    "{} is not UTF-8: say the file's encoding under [file] of the mapping, for example encoding = \"windows-1258\"",
                    self.column(e.utf8_error().field())
                ),
            )),
        }
    }

    /// Whether a quote of the record that was read last is written as CSV does not have it.
    fn misquoted(&self) -> bool {
        let end = self.csv.position().byte();
        let mut strays = self.strays.borrow_mut();
        let mut any = false;
        while strays.front().is_some_and(|at| *at < end) {
            strays.pop_front();
            any = true;
        }
        any
    }

    /// Whether a cell has bytes that its encoding does not have.
    fn is_undecoded(&self, cell: &str) -> bool {
        !self.utf8 && cell.contains(|c| c == '\u{fffd}' || (self.single_byte && ('\u{80}'..='\u{9f}').contains(&c)))
    }

    /// Bytes of the file read so far, compressed where it is.
    pub fn bytes_read(&self) -> u64 {
        self.read.get()
    }

    fn column(&self, place: usize) -> String {
        self.header
            .get(place)
            .map_or_else(|| format!("column {}", place + 1), |name| format!("column \"{}\"", shown(name)))
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

/// Ends the text of files of DOS, behind their last line.
const DOS_END: u8 = 0x1a;

/// Whether the lines of a text end with a carriage return alone.
fn has_old_mac_lines(start: &[u8]) -> bool {
    // A carriage return at the end may be the first half of a line's end.
    let before_last = &start[..start.len().saturating_sub(1)];
    before_last.contains(&b'\r') && !start.contains(&b'\n')
}

/// Gives lines that end with a carriage return the line break of today.
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

/// Counts what is read of the file itself, for the progress bar.
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

/// Takes the carriage return of a line's end off the last cell; None for a line that is blank.
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

/// Letters with their marks, as one character each: some encodings and systems write them apart,
/// and then no code or name would match.
fn composed(record: StringRecord) -> StringRecord {
    if record.as_slice().is_ascii() || record.iter().all(is_nfc) {
        return record;
    }
    record.iter().map(|cell| cell.nfc().collect::<String>()).collect()
}

/// Cells as they were before they were made harmless for spreadsheets: rejected rows come back so.
fn without_apostrophes(record: StringRecord) -> StringRecord {
    if record.iter().all(|cell| live(cell).len() == cell.len()) {
        return record;
    }
    record.iter().map(live).collect()
}

/// Fails where one record grows beyond [`LONGEST_RECORD`], before memory does.
struct Bounded {
    inner: Box<dyn Read>,
    given: u64,
    record_began: Rc<Cell<u64>>,
    /// What is still to be given of the end mark; None before the end of the file.
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
