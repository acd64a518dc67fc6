//! Hashed n-grams of syllables and characters, with and without diacritics.
//!
//! A number of buckets that does not depend on the register stands for all n-grams (feature hashing: Weinberger et al.
//! 2009, ICML, "Feature hashing for large scale multitask learning"). So a model holds no word of a complaint, and a
//! text written without diacritics, abbreviated or mistyped still shares most of its n-grams with others. Buckets are
//! weighted by tf-idf: (1 + ln tf) · (ln((1 + n) / (1 + df)) + 1), and the vector of a text has the Euclidean norm 1.

use super::text::{Syllable, syllables};
use siphasher::sip::SipHasher13;

/// Buckets of n-grams. A power of two.
const BUCKETS: u32 = 1 << 15;
/// Texts of the sample that must have a bucket, so that typing errors get no weight of their own.
const LEAST_TEXTS: u32 = 2;
/// Characters of an n-gram with diacritics …
const WRITTEN: usize = 3;
/// … and of one without, where a syllable has fewer different letters.
const PLAIN: usize = 4;

/// The kinds of n-grams. Equal n-grams of two kinds have buckets of their own.
#[derive(Debug, Clone, Copy)]
enum Kind {
    SyllablesWritten = 1,
    SyllablesPlain = 2,
    CharactersWritten = 3,
    CharactersPlain = 4,
}

/// The weighted features of a text: (place among the features of the sample, weight), in the order of places.
pub type Vector = Vec<(u32, f64)>;

/// The buckets that count, with their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// The buckets, in ascending order.
    pub buckets: Vec<u32>,
    /// The inverse document frequency of each.
    pub idf: Vec<f32>,
}

impl Features {
    /// The buckets that texts of a sample have.
    pub fn of_sample<'t>(texts: impl Iterator<Item = &'t str>) -> Self {
        let mut frequency = vec![0u32; BUCKETS as usize];
        let mut number = 0u32;
        for text in texts {
            number += 1;
            for (bucket, _) in counts(text) {
                frequency[bucket as usize] += 1;
            }
        }
        let idf = |df: u32| (((1.0 + f64::from(number)) / (1.0 + f64::from(df))).ln() + 1.0) as f32;
        let kept = (0..BUCKETS).zip(&frequency).filter(|(_, df)| **df >= LEAST_TEXTS);
        let (buckets, idf) = kept.map(|(bucket, df)| (bucket, idf(*df))).unzip();
        Self { buckets, idf }
    }

    /// The features of a text. Buckets that the sample does not have are left out.
    pub fn of(&self, text: &str) -> Vector {
        let mut vector: Vector = Vec::new();
        for (bucket, count) in counts(text) {
            if let Ok(index) = self.buckets.binary_search(&bucket) {
                let weight = (1.0 + f64::from(count).ln()) * f64::from(self.idf[index]);
                vector.push((u32::try_from(index).unwrap_or(u32::MAX), weight));
            }
        }
        let norm = vector.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
        if norm > 0.0 {
            vector.iter_mut().for_each(|(_, weight)| *weight /= norm);
        }
        vector
    }
}

/// The buckets of a text in ascending order, with how many of its n-grams fall into each.
fn counts(text: &str) -> Vec<(u32, u32)> {
    let syllables = syllables(text);
    let mut buckets = Vec::with_capacity(16 * syllables.len());
    of_syllables(&syllables, &mut buckets);
    of_characters(&syllables, &mut buckets);
    buckets.sort_unstable();
    let mut counts: Vec<(u32, u32)> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match counts.last_mut() {
            Some((last, count)) if *last == bucket => *count += 1,
            _ => counts.push((bucket, 1)),
        }
    }
    counts
}

/// Single syllables and pairs.
fn of_syllables(syllables: &[Syllable], buckets: &mut Vec<u32>) {
    let mut pair = String::new();
    for (at, syllable) in syllables.iter().enumerate() {
        buckets.push(bucket(Kind::SyllablesWritten, &syllable.written));
        buckets.push(bucket(Kind::SyllablesPlain, &syllable.plain));
        if let Some(next) = syllables.get(at + 1) {
            for (kind, first, second) in [
                (Kind::SyllablesWritten, &syllable.written, &next.written),
                (Kind::SyllablesPlain, &syllable.plain, &next.plain),
            ] {
                pair.clear();
                pair.push_str(first);
                pair.push(' ');
                pair.push_str(second);
                buckets.push(bucket(kind, &pair));
            }
        }
    }
}

/// Runs of characters, spaces between syllables and at both ends included.
fn of_characters(syllables: &[Syllable], buckets: &mut Vec<u32>) {
    let mut written = String::from(" ");
    let mut plain = String::from(" ");
    for syllable in syllables {
        written.push_str(&syllable.written);
        written.push(' ');
        plain.push_str(&syllable.plain);
        plain.push(' ');
    }
    for (kind, text, length) in [(Kind::CharactersWritten, &written, WRITTEN), (Kind::CharactersPlain, &plain, PLAIN)] {
        let mut starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        starts.push(text.len());
        buckets.extend(starts.windows(length + 1).map(|ends| bucket(kind, &text[ends[0]..ends[length]])));
    }
}

fn bucket(kind: Kind, gram: &str) -> u32 {
    (SipHasher13::new_with_keys(0, kind as u64).hash(gram.as_bytes()) % u64::from(BUCKETS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_diacritics_shares_features_with_the_text() {
        let texts = ["cán bộ gây khó dễ cho doanh nghiệp", "cán bộ gây khó dễ với hồ sơ", "hệ thống treo cả ngày"];
        let features = Features::of_sample(texts.into_iter());
        let shared = |a: &str, b: &str| -> f64 {
            let (a, b) = (features.of(a), features.of(b));
            a.iter().filter_map(|(index, x)| b.iter().find(|(other, _)| other == index).map(|(_, y)| x * y)).sum()
        };
        assert!(shared(texts[0], "can bo gay kho de") > 0.4, "{}", shared(texts[0], "can bo gay kho de"));
        assert!(shared(texts[0], texts[1]) > 3.0 * shared(texts[0], texts[2]));
        let norm: f64 = features.of(texts[0]).iter().map(|(_, x)| x * x).sum();
        assert!((norm - 1.0).abs() < 1e-9, "{norm}");
        assert!(features.of("").is_empty());
    }
}
