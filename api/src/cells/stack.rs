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
    pub fn digits(&mut self, mut number: u32, digits: usize) -> fmt::Result {
        let end = self.length + digits;
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        for place in room.iter_mut().rev() {
            // A digit is below 10.
            *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        self.length = end;
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
