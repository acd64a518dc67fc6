//! A short text on the stack.

use std::fmt::{self, Write};

/// A text of at most `N` bytes on the stack. What does not fit is an error.
pub struct Stack<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Stack<N> {
    pub fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    /// Appends a number with leading zeros, as many digits as given.
    ///
    /// # Errors
    /// If the digits do not fit.
    pub fn digits(&mut self, number: u32, digits: u32) -> fmt::Result {
        for place in (0..digits).rev() {
            // A digit is below 10.
            let digit = u8::try_from(number / 10u32.pow(place) % 10).unwrap_or(0);
            self.byte(b'0' + digit)?;
        }
        Ok(())
    }

    /// Appends a letter of ASCII.
    ///
    /// # Errors
    /// If the buffer is full.
    pub fn byte(&mut self, byte: u8) -> fmt::Result {
        let place = self.bytes.get_mut(self.length).ok_or(fmt::Error)?;
        *place = byte;
        self.length += 1;
        Ok(())
    }

    /// Removes the last byte while it is this one.
    pub fn trim_end(&mut self, byte: u8) {
        while self.length > 0 && self.bytes[self.length - 1] == byte {
            self.length -= 1;
        }
    }

    pub fn as_str(&self) -> &str {
        // Only whole texts and letters of ASCII are appended.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

impl<const N: usize> Write for Stack<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
