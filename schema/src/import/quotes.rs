//! Quotes that CSV does not know: a reader would drop or move them in silence, so their rows are rejected.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Where quotes were found that are not written as CSV has them, in bytes of text.
pub type Strays = Rc<RefCell<VecDeque<u64>>>;

/// Follows the quoting of a file, byte by byte.
pub struct Quotes {
    delimiter: u8,
    at: u64,
    state: State,
    strays: Strays,
}

#[derive(Clone, Copy)]
enum State {
    /// At the beginning of a cell.
    Begin,
    /// In a cell without quotes; or behind a quote that is told already.
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: its end, or the first of two.
    Closed,
    /// Behind the end of a quoted cell, with blanks in between.
    Behind,
}

impl Quotes {
    pub fn new(delimiter: u8, strays: Strays) -> Self {
        Self { delimiter, at: 0, state: State::Begin, strays }
    }

    pub fn follow(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let ends = *byte == self.delimiter || *byte == b'\n';
            self.state = match (self.state, *byte) {
                (State::Quoted, b'"') => State::Closed,
                (State::Quoted, _) | (State::Closed, b'"') => State::Quoted,
                (State::Begin | State::Plain | State::Closed | State::Behind, _) if ends => State::Begin,
                (State::Begin, b'"') => State::Quoted,
                // The mark that some UTF-8 files begin with.
                (State::Begin, 0xef | 0xbb | 0xbf) if self.at < 3 => State::Begin,
                (State::Begin | State::Plain, _) => State::Plain,
                (State::Closed | State::Behind, b' ' | b'\r') => State::Behind,
                (State::Closed | State::Behind, _) => {
                    self.strays.borrow_mut().push_back(self.at);
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

    fn strays(text: &str) -> Vec<u64> {
        let found = Strays::default();
        Quotes::new(b',', Rc::clone(&found)).follow(text.as_bytes());
        found.take().into()
    }

    #[test]
    fn quotes_of_csv_are_no_strays() {
        for text in
            ["a,\"b\"\"c\",d\n", "\"a\nb\",\"\",\"\"\"\"\r\n", "5\" pipe,a\"b\n", "\"a\" ,b\n", "\u{feff}\"a\",b\n"]
        {
            assert!(strays(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn text_behind_a_closed_quote_is_a_stray() {
        assert_eq!(strays("a,\"noi \\\"gap\\\" roi\"\n"), [9]);
        assert_eq!(strays("x\n\"Goi \"hang\" mau\n"), [8]);
        assert_eq!(strays("\"a\" b,c\n\"d\"e\n"), [4, 11]);
    }
}
