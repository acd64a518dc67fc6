//! The budget of a request: the time until its deadline and the bytes of its answer.
//!
//! A document of a few kilobytes can select one long text under fifty aliases in each of two hundred rows. The budget
//! therefore counts bytes while the answer is built, and the work ends as soon as they exceed the limit.

use crate::config::Limits;
use async_graphql::Value;
use async_graphql::indexmap::IndexMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// Bytes added for each value to its name and text: a small value takes more memory than room in the answer.
const VALUE_OVERHEAD: usize = 16;

/// Factor of the answer's limit for texts read from the database: rows are read whole.
const TEXT_FACTOR: u64 = 4;

/// The budget of a request, shared by all its operations.
#[derive(Debug, Clone)]
pub struct Budget {
    /// When the whole request must be answered.
    pub deadline: Instant,
    limit: u64,
    spent: Arc<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    /// Bytes of resolved values.
    resolved: AtomicU64,
    /// Bytes of texts in rows read.
    read: AtomicU64,
    /// Bytes of serialised answers.
    written: AtomicU64,
}

/// The bytes that an operation counted against the limit of the answer before it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    resolved: u64,
    read: u64,
}

impl Counted {
    /// The bytes counted since an earlier state of the same budget.
    pub fn since(self, earlier: Self) -> Self {
        Self { resolved: self.resolved.saturating_sub(earlier.resolved), read: self.read.saturating_sub(earlier.read) }
    }

    /// Resolved values, each of which counts this many bytes.
    pub fn of_values(resolved: u64) -> Self {
        Self { resolved, read: 0 }
    }
}

/// Bytes that a field with a scalar counts, as [`Budget::resolved`] does; `text` is the length of the scalar, if that
/// is a string.
pub fn bytes_of_field(name: &str, text: usize) -> u64 {
    (name.len() + VALUE_OVERHEAD + text) as u64
}

/// The answer exceeds this limit, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge(pub u64);

impl Budget {
    /// The budget of a request that arrives now.
    pub fn new(limits: &Limits) -> Self {
        Self::until(Instant::now() + limits.deadline(), limits)
    }

    /// The budget of a request with a given deadline.
    pub fn until(deadline: Instant, limits: &Limits) -> Self {
        Self { deadline, limit: u64::from(limits.answer_bytes), spent: Arc::default() }
    }

    /// Counts the fields of a resolved object; nested objects are counted when they are resolved.
    pub fn resolved<'v, K: AsRef<str> + 'v>(&self, fields: impl IntoIterator<Item = (&'v K, &'v Value)>) {
        let bytes = fields.into_iter().map(|(name, value)| name.as_ref().len() + bytes_of(value)).sum::<usize>();
        self.spent.resolved.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts a resolved JSON document with all its nested values.
    pub fn resolved_document(&self, document: &Value) {
        self.spent.resolved.fetch_add(bytes_of_all(document) as u64, Ordering::Relaxed);
    }

    /// Counts the bytes of an object that was resolved before.
    pub fn resolved_bytes(&self, bytes: u64) {
        self.spent.resolved.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts the texts of rows that were read or copied for the answer.
    pub fn read<'t>(&self, texts: impl IntoIterator<Item = Option<&'t String>>) {
        let bytes = texts.into_iter().flatten().map(String::len).sum::<usize>();
        self.spent.read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether resolved values or texts exceed the limit.
    pub fn is_spent(&self) -> bool {
        self.spent.resolved.load(Ordering::Relaxed) > self.limit
            || self.spent.read.load(Ordering::Relaxed) > self.limit.saturating_mul(TEXT_FACTOR)
    }

    /// The bytes that the operations of the request have counted so far.
    pub fn counted(&self) -> Counted {
        Counted { resolved: self.spent.resolved.load(Ordering::Relaxed), read: self.spent.read.load(Ordering::Relaxed) }
    }

    /// Counts an answer that was written before, with `written` bytes, if it fits; otherwise counts nothing. The
    /// operations of a request run one after another.
    pub fn count_again(&self, counted: Counted, written: u64) -> bool {
        let so_far = self.counted();
        let (resolved, read) = (so_far.resolved + counted.resolved, so_far.read + counted.read);
        let written = self.spent.written.load(Ordering::Relaxed) + written;
        let fits = resolved <= self.limit && read <= self.limit.saturating_mul(TEXT_FACTOR) && written <= self.limit;
        if fits {
            self.spent.resolved.store(resolved, Ordering::Relaxed);
            self.spent.read.store(read, Ordering::Relaxed);
            self.spent.written.store(written, Ordering::Relaxed);
        }
        fits
    }

    /// Takes back what was counted since, for an answer that is not sent.
    pub fn take_back(&self, before: Counted) {
        self.spent.resolved.store(before.resolved, Ordering::Relaxed);
        self.spent.read.store(before.read, Ordering::Relaxed);
    }

    /// Resets the counters: each event of a subscription is a separate answer.
    pub fn renew(&self) {
        for counter in [&self.spent.resolved, &self.spent.read] {
            counter.store(0, Ordering::Relaxed);
        }
        self.spent.written.store(0, Ordering::Relaxed);
    }

    /// Writes an answer as JSON.
    ///
    /// # Errors
    /// If the answers of the request exceed the limit.
    pub fn write(&self, answer: impl FnOnce(&mut Bounded) -> io::Result<()>) -> Result<Vec<u8>, TooLarge> {
        if self.is_spent() {
            return Err(TooLarge(self.limit));
        }
        let left = self.limit.saturating_sub(self.spent.written.load(Ordering::Relaxed));
        let mut to = Bounded { bytes: Vec::with_capacity(256), left };
        answer(&mut to).map_err(|_| TooLarge(self.limit))?;
        self.spent.written.fetch_add(to.bytes.len() as u64, Ordering::Relaxed);
        Ok(to.bytes)
    }
}

/// Bytes of a value, without the fields of an object.
fn bytes_of(value: &Value) -> usize {
    VALUE_OVERHEAD
        + match value {
            Value::String(text) => text.len(),
            Value::List(all) => all.iter().map(bytes_of).sum(),
            // A cached object is charged the bytes it cost when it was first resolved.
            Value::Binary(_)
            | Value::Null
            | Value::Number(_)
            | Value::Boolean(_)
            | Value::Enum(_)
            | Value::Object(_) => 0,
        }
}

/// Bytes of the fields of an object and of all objects in it, as [`Budget::resolved`] counts them one by one.
pub fn bytes_of_fields(object: &Value) -> usize {
    bytes_of_all(object).saturating_sub(VALUE_OVERHEAD)
}

/// Bytes of a value with the fields of all objects.
fn bytes_of_all(value: &Value) -> usize {
    let of_fields = |fields: &IndexMap<async_graphql::Name, Value>| {
        fields.iter().map(|(name, value)| name.len() + bytes_of_all(value)).sum::<usize>()
    };
    match value {
        Value::Object(fields) => VALUE_OVERHEAD + of_fields(fields),
        Value::List(all) => VALUE_OVERHEAD + all.iter().map(bytes_of_all).sum::<usize>(),
        scalar => bytes_of(scalar),
    }
}

/// A writer that fails after `left` bytes.
pub struct Bounded {
    bytes: Vec<u8>,
    left: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::value;

    fn budget(bytes: u32) -> Budget {
        Budget::new(&Limits { answer_bytes: bytes, ..Limits::default() })
    }

    fn text(to: &mut Bounded) -> io::Result<()> {
        to.write_all(br#""0123456789""#)
    }

    #[test]
    fn the_answers_of_a_request_share_its_bytes() {
        let budget = budget(20);
        assert_eq!(budget.write(text).map(|json| json.len()), Ok(12));
        assert_eq!(budget.clone().write(text), Err(TooLarge(20)));
        budget.renew();
        assert!(budget.write(text).is_ok());
        budget.read([Some(&"x".repeat(80)), None]);
        assert!(!budget.is_spent());
        budget.read([Some(&"x".to_owned())]);
        assert!(budget.is_spent(), "texts that are read may have four times as many");
    }

    #[test]
    fn an_answer_that_was_written_before_counts_as_much_again_or_not_at_all() {
        let first = budget(100);
        let before = first.counted();
        first.resolved_bytes(40);
        first.read([Some(&"x".repeat(150))]);
        let counted = first.counted().since(before);
        let second = budget(100);
        assert!(second.count_again(counted, 12) && second.count_again(counted, 12));
        assert!(!second.count_again(counted, 12), "120 resolved, and 450 read");
        assert!(!second.count_again(Counted { resolved: 0, read: 0 }, 77), "101 written");
        assert!(second.count_again(Counted { resolved: 20, read: 100 }, 76), "what did not fit was not counted");
        assert!(!second.is_spent());
        assert_eq!(second.write(text), Err(TooLarge(100)), "100 are written");
    }

    #[test]
    fn what_was_resolved_counts_before_it_is_written() {
        let budget = budget(100);
        let Value::Object(fields) = value!({ "name": "0123456789", "below": { "not": "counted" } }) else { panic!() };
        budget.resolved(&fields);
        assert!(!budget.is_spent(), "4 + 10 + 5, and 16 for each of two values");
        budget.resolved_document(&value!([{ "a": "b" }, ["c"]]));
        assert!(budget.is_spent(), "3, and 16 for each of five values");
        assert_eq!(budget.write(text), Err(TooLarge(100)));
    }
}
