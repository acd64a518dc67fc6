//! Detects an encoding that contradicts the mapping: decoding with the wrong one yields wrong text without an error.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Non-ASCII characters after which a file that was valid UTF-8 so far is certain to be UTF-8.
const CERTAIN: usize = 16;

/// Checks the first bytes of a file against the encoding of the mapping; None is UTF-8.
///
/// # Errors
/// Says which encoding or format the file has, and what to write in the mapping.
pub fn check_start(encoding: Option<&'static Encoding>, start: &[u8]) -> Result<(), String> {
    if start.starts_with(b"PK\x03\x04") || start.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err("is a workbook or an archive, not a CSV file: open it and save the sheet as \"CSV UTF-8\"".into());
    }
    let wide = utf16_of(start);
    match (encoding, wide) {
        (None, Some(wide)) => Err(format!(
            "is UTF-16, not UTF-8: set encoding = \"{}\" under [file] of the mapping",
            wide.name().to_ascii_lowercase()
        )),
        (Some(encoding), Some(wide)) if encoding != wide => Err(format!(
            "is {}, not {}: set encoding = \"{}\" under [file] of the mapping",
            wide.name(),
            encoding.name(),
            wide.name().to_ascii_lowercase()
        )),
        (Some(encoding), None) if (encoding == UTF_16BE || encoding == UTF_16LE) && !start.contains(&0) => {
            Err(format!(
                "is not {}: none of its first bytes is zero. Remove encoding from [file] of the mapping if the file is UTF-8, \
             or set its encoding, for example \"windows-1258\"",
                encoding.name()
            ))
        }
        (Some(encoding), None) if start.starts_with(&[0xef, 0xbb, 0xbf]) => Err(is_utf8(encoding)),
        _ => Ok(()),
    }
}

/// Detects UTF-16 by its byte order mark, or by the zero bytes at every other position of its ASCII characters.
pub fn utf16_of(start: &[u8]) -> Option<&'static Encoding> {
    match start {
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        _ => {}
    }
    let start = &start[..start.len().min(4096)];
    let zeros = |first: usize| start.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (high_first, low_first) = (zeros(0), zeros(1));
    let pairs = start.len() / 2;
    if high_first > pairs / 4 && high_first > 4 * low_first {
        return Some(UTF_16BE);
    }
    (low_first > pairs / 4 && low_first > 4 * high_first).then_some(UTF_16LE)
}

pub fn is_utf8(encoding: &'static Encoding) -> String {
    format!(
        "the file is UTF-8, not {}: set encoding = \"utf-8\" under [file] of the mapping, or remove that line",
        encoding.name()
    )
}

/// A reader that fails where a file declared in another encoding turns out to be UTF-8: text of that encoding with
/// many non-ASCII characters is not valid UTF-8 by chance.
pub struct NotUtf8<R> {
    inner: R,
    encoding: &'static Encoding,
    /// Bytes that may begin a character that is not complete yet.
    rest: Vec<u8>,
    letters: usize,
    decided: bool,
    /// Whether the bytes so far are valid UTF-8 with at least one non-ASCII character.
    seems: Rc<Cell<bool>>,
}

impl<R: Read> NotUtf8<R> {
    pub fn new(inner: R, encoding: &'static Encoding, seems: Rc<Cell<bool>>) -> Self {
        let decided = encoding == UTF_16BE || encoding == UTF_16LE;
        Self { inner, encoding, rest: Vec::new(), letters: 0, decided, seems }
    }

    fn observe(&mut self, bytes: &[u8]) {
        if self.rest.is_empty() && bytes.is_ascii() {
            return;
        }
        self.rest.extend_from_slice(bytes);
        let (text, rest) = match std::str::from_utf8(&self.rest) {
            Ok(text) => (text, self.rest.len()),
            Err(e) if e.error_len().is_some() => {
                self.decided = true;
                return;
            }
            Err(e) => {
                let end = e.valid_up_to();
                (std::str::from_utf8(&self.rest[..end]).unwrap_or_default(), end)
            }
        };
        self.letters += text.chars().filter(|c| !c.is_ascii()).count();
        self.rest.drain(..rest);
    }
}

impl<R: Read> Read for NotUtf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        if self.decided || buffer.is_empty() {
            return Ok(n);
        }
        self.observe(&buffer[..n]);
        self.seems.set(!self.decided && self.letters > 0);
        let ended = n == 0 && self.rest.is_empty();
        if !self.decided && (self.letters >= CERTAIN || (ended && self.letters > 0)) {
            return Err(io::Error::other(is_utf8(self.encoding)));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{WINDOWS_1252, WINDOWS_1258};

    /// Reads in small parts, which split characters.
    fn read(bytes: &[u8], encoding: &'static Encoding) -> io::Result<Vec<u8>> {
        let mut reader = NotUtf8::new(bytes, encoding, Rc::default());
        let mut read = Vec::new();
        loop {
            let mut part = [0; 3];
            match reader.read(&mut part)? {
                0 => return Ok(read),
                n => read.extend_from_slice(&part[..n]),
            }
        }
    }

    #[test]
    fn utf_8_is_no_other_encoding() {
        for text in ["Đội trưởng", "a,b\n1,é", "abc…"] {
            let error = read(text.as_bytes(), WINDOWS_1258).unwrap_err().to_string();
            assert!(error.contains("UTF-8") && error.contains("encoding = \"utf-8\""), "{error}");
        }
        for (text, encoding) in [
            ("Đo\u{300}i tiê\u{300}n, châ\u{323}m", WINDOWS_1258),
            ("café – 5 €", WINDOWS_1252),
            ("plain", WINDOWS_1258),
        ] {
            let bytes = encoding.encode(text).0;
            assert_eq!(read(&bytes, encoding).expect("it is read"), bytes.as_ref());
        }
    }

    #[test]
    fn both_orders_of_utf_16_are_known() {
        let text = "ref,nhan,mst\nPA-1,05/03/2024,Đội\n";
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for mark in [&[][..], &[0xfe, 0xff]] {
            let file = [mark, &be].concat();
            assert!(check_start(None, &file).unwrap_err().contains("\"utf-16be\""));
            assert!(check_start(Some(UTF_16LE), &file).unwrap_err().contains("\"utf-16be\""));
            assert!(check_start(Some(UTF_16BE), &file).is_ok());
        }
        for mark in [&[][..], &[0xff, 0xfe]] {
            let file = [mark, &le].concat();
            assert!(check_start(None, &file).unwrap_err().contains("\"utf-16le\""));
            assert!(check_start(Some(WINDOWS_1258), &file).unwrap_err().contains("\"utf-16le\""));
            assert!(check_start(Some(UTF_16LE), &file).is_ok());
        }
        assert!(check_start(Some(UTF_16LE), text.as_bytes()).unwrap_err().contains("is not UTF-16LE"));
        assert!(check_start(None, text.as_bytes()).is_ok());
    }
}
