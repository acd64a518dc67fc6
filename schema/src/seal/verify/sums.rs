//! Checks that the rows of each seal are the sealed ones, without holding their marks in memory.
//!
//! Rows are read in the order of their keys, but sealed in the order of positions. So the marks of each seal are hashed
//! with a key, drawn at random for each verification, and added up: two different sets of rows have the same sum with a
//! probability of 2⁻¹²⁸, since the key is unknown beforehand. Where sums differ, the rows are compared one by one.

use super::super::rows::{MARK, Marked};
use crate::models::Seal;
use sha2::{Digest, Sha256};

/// The seals of a chain, each with the sum of its marks.
#[derive(Debug)]
pub struct Spans {
    key: [u8; 16],
    spans: Vec<Span>,
}

#[derive(Debug)]
struct Span {
    number: i64,
    after: i64,
    until: i64,
    sum: Sum,
}

/// The number of rows, and the sum of their keyed hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum(u64, u128);

/// The sums of the rows that were read, by seal.
#[derive(Debug)]
pub struct Sums(Vec<Sum>);

impl Spans {
    pub fn new() -> Self {
        Self { key: rand::random(), spans: Vec::new() }
    }

    pub fn push(&mut self, seal: &Seal) {
        let mut sum = Sum::default();
        for mark in seal.marks.chunks(MARK) {
            sum.add(self.code(mark));
        }
        self.spans.push(Span { number: seal.number, after: seal.after, until: seal.until, sum });
    }

    fn code(&self, mark: &[u8]) -> u128 {
        let mut hasher = Sha256::new();
        hasher.update(self.key);
        hasher.update(mark);
        let hash = hasher.finalize();
        hash.iter().take(16).fold(0, |code, byte| code << 8 | u128::from(*byte))
    }

    pub fn sums(&self) -> Sums {
        Sums(vec![Sum::default(); self.spans.len()])
    }

    /// Adds a row to the sum of the seal that covers its position.
    pub fn add(&self, sums: &mut Sums, mark: &Marked) {
        let at = self.spans.partition_point(|span| span.until < mark.position);
        let Some(span) = self.spans.get(at).filter(|span| span.after < mark.position) else { return };
        debug_assert!(span.until >= mark.position);
        if let Some(sum) = sums.0.get_mut(at) {
            sum.add(self.code(&mark.bytes()));
        }
    }

    /// The numbers of the seals whose sum differs from that of the rows read.
    pub fn differing(&self, sums: &Sums) -> Vec<i64> {
        let pairs = self.spans.iter().zip(&sums.0);
        pairs.filter(|(span, sum)| span.sum != **sum).map(|(span, _)| span.number).collect()
    }
}

impl Sum {
    fn add(&mut self, code: u128) {
        self.0 += 1;
        self.1 = self.1.wrapping_add(code);
    }
}

impl Sums {
    pub fn merge(&mut self, other: &Self) {
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            mine.0 += other.0;
            mine.1 = mine.1.wrapping_add(other.1);
        }
    }
}
