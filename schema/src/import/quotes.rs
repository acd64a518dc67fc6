//! Finds quotes that CSV does not allow. A CSV reader silently drops or moves them, so the import rejects their rows.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Byte offsets in the text at which a malformed quote was found.
pub type MalformedQuotes = Rc<RefCell<VecDeque<u64>>>;

/// A state machine that follows the quoting of a file byte by byte.
pub struct Quotes {
    delimiter: u8,
    at: u64,
    state: State,
    malformed: MalformedQuotes,
}

#[derive(Clone, Copy)]
enum State {
    /// The reader is at the beginning of a cell.
    Begin,
    /// The reader is in a cell without quotes, or after a malformed quote that was recorded already.
    Plain,
    Quoted,
    /// After a quote in a quoted cell: either the end of the cell, or the first of two quotes.
    Closed,
    /// After the end of a quoted cell and at least one blank.
    Behind,
}

impl Quotes {
    pub fn new(delimiter: u8, malformed: MalformedQuotes) -> Self {
        Self { delimiter, at: 0, state: State::Begin, malformed }
    }

    pub fn follow(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let ends = *byte == self.delimiter || *byte == b'\n';
            self.state = match (self.state, *byte) {
                (State::Quoted, b'"') => State::Closed,
                (State::Quoted, _) | (State::Closed, b'"') => State::Quoted,
                (State::Begin | State::Plain | State::Closed | State::Behind, _) if ends => State::Begin,
                (State::Begin, b'"') => State::Quoted,
                // The byte order mark of UTF-8.
                (State::Begin, 0xef | 0xbb | 0xbf) if self.at < 3 => State::Begin,
                (State::Begin | State::Plain, _) => State::Plain,
                (State::Closed | State::Behind, b' ' | b'\r') => State::Behind,
                (State::Closed | State::Behind, _) => {
                    self.malformed.borrow_mut().push_back(self.at);
                    State::Plain
                }
            };
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn malformed(text: &str) -> Vec<u64> {
        let found = MalformedQuotes::default();
        Quotes::new(b',', Rc::clone(&found)).follow(text.as_bytes());
        found.take().into()
    }

    #[test]
    fn quotes_of_csv_are_no_strays() {
        for text in
            ["a,\"b\"\"c\",d\n", "\"a\nb\",\"\",\"\"\"\"\r\n", "5\" pipe,a\"b\n", "\"a\" ,b\n", "\u{feff}\"a\",b\n"]
        {
            assert!(malformed(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn text_behind_a_closed_quote_is_a_stray() {
        assert_eq!(malformed("a,\"noi \\\"gap\\\" roi\"\n"), [9]);
        assert_eq!(malformed("x\n\"Goi \"hang\" mau\n"), [8]);
        assert_eq!(malformed("\"a\" b,c\n\"d\"e\n"), [4, 11]);
    }
}
