//! Text similarity by MinHash sketches of shingles.
//!
//! A text is normalised (lower case, no diacritics or punctuation), cut into shingles of four characters, and
//! sketched by MinHash (Broder 1997). The share of equal registers of two sketches estimates the Jaccard
//! similarity of their shingles, here with a standard error of at most 0.045.

use minhash_rs::lsh::band_hash;
use minhash_rs::prelude::MinHash;
use std::iter::once;
use std::sync::{LazyLock, OnceLock};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Registers of a sketch.
const REGISTERS: usize = 128;
/// Registers of a band (locality-sensitive hashing): only sketches that share a band are compared. This misses two
/// in ten thousand pairs of similarity 0.7.
const BAND: usize = 4;
/// Characters of a shingle.
const SHINGLE: usize = 4;

/// The sketch of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextSketch {
    registers: [u32; REGISTERS],
    /// Characters of the normalised text.
    pub length: usize,
}

/// Normalises a text for comparison: lower-case letters without diacritics, digits, one space between words.
pub fn normalised(text: &str) -> String {
    let mut normalised = String::with_capacity(text.len());
    each_character(text, |c| normalised.push(c));
    normalised
}

/// Normal form of one character of a text. Each is normalised by itself: the decomposition of a text is that of its
/// characters, but for the order of combining marks, which are left out.
#[derive(Debug, Clone, Copy)]
enum Plain {
    Nothing,
    /// No letter and no digit.
    Gap,
    One(char),
    /// See [`decomposed`].
    Several,
}

impl Plain {
    fn of(c: char) -> Self {
        let mut all = decomposed(c);
        match (all.next(), all.next()) {
            (None, _) => Self::Nothing,
            (Some(one), None) if one.is_alphanumeric() => Self::One(one),
            (Some(_), None) => Self::Gap,
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// The characters in [`PLAIN`]: those of Vietnamese and of its punctuation are among them.
const IN_TABLE: u32 = 0x2100;

/// Decomposing a character takes ten times as long as looking it up.
static PLAIN: LazyLock<Vec<Plain>> =
    LazyLock::new(|| (0..IN_TABLE).map(|code| char::from_u32(code).map_or(Plain::Nothing, Plain::of)).collect());

/// The characters that a character consists of, without combining marks, in lower case.
fn decomposed(c: char) -> impl Iterator<Item = char> {
    once(c).nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).map(|c| match c {
        // Unicode does not decompose it.
        'đ' => 'd',
        other => other,
    })
}

/// Passes on the characters of the normalised text.
fn each_character(text: &str, mut pass: impl FnMut(char)) {
    let (mut began, mut gap) = (false, false);
    let mut put = |c: char| {
        if !c.is_alphanumeric() {
            gap = true;
            return;
        }
        if began && gap {
            pass(' ');
        }
        (began, gap) = (true, false);
        pass(c);
    };
    let table = PLAIN.as_slice();
    for c in text.chars() {
        match table.get(u32::from(c) as usize).copied().unwrap_or(Plain::Several) {
            Plain::Nothing => {}
            Plain::Gap => put(' '),
            Plain::One(one) => put(one),
            Plain::Several => decomposed(c).for_each(&mut put),
        }
    }
}

fn characters_of(text: &str) -> Vec<char> {
    let mut characters = Vec::with_capacity(text.len());
    each_character(text, |c| characters.push(c));
    characters
}

fn shingles_of(characters: &[char]) -> impl Iterator<Item = u64> {
    // Four characters of 16 bits fill one number.
    let number = |shingle: &[char]| shingle.iter().fold(0u64, |number, c| (number << 16) ^ u64::from(u32::from(*c)));
    characters.windows(SHINGLE.min(characters.len()).max(1)).map(number)
}

/// The shingles that many texts have in common, so that they are hashed once: texts in one language consist of some ten
/// thousand. Threads share it.
pub struct Shingles {
    /// The first shingle that came to each slot.
    slots: Box<[OnceLock<Box<Hashed>>]>,
}

/// A shingle, and the registers of a text that consists of it.
struct Hashed {
    shingle: u64,
    registers: [i32; REGISTERS],
}

const SLOT_BITS: u32 = 15;

/// Flips the highest bit: signed numbers then sort as the unsigned ones did. Processors that compare several numbers at
/// once have the signed comparison only.
const HIGHEST: u32 = 1 << 31;

impl Hashed {
    fn of(shingle: u64) -> Self {
        let sketch: MinHash<u32, REGISTERS> = once(shingle).collect();
        Self { shingle, registers: sketch.into_words().map(|register| (register ^ HIGHEST).cast_signed()) }
    }
}

impl Default for Shingles {
    fn default() -> Self {
        Self { slots: (0..1usize << SLOT_BITS).map(|_| OnceLock::new()).collect() }
    }
}

impl Shingles {
    /// The sketch of a text: the same as [`TextSketch::of`].
    pub fn sketch(&self, text: &str) -> TextSketch {
        let characters = characters_of(text);
        let mut least = [i32::MAX; REGISTERS];
        let mut others = Vec::new();
        for shingle in shingles_of(&characters) {
            // Fibonacci hashing: the highest bits of the product depend on all bits of the shingle.
            let slot = shingle.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SLOT_BITS);
            let hashed = self.slots[slot as usize].get_or_init(|| Box::new(Hashed::of(shingle)));
            if hashed.shingle == shingle {
                for (least, register) in least.iter_mut().zip(&hashed.registers) {
                    *least = (*least).min(*register);
                }
            } else {
                others.push(shingle);
            }
        }
        let mut registers = least.map(|register| register.cast_unsigned() ^ HIGHEST);
        if !others.is_empty() {
            let sketch: MinHash<u32, REGISTERS> = others.into_iter().collect();
            for (register, other) in registers.iter_mut().zip(sketch.into_words()) {
                *register = (*register).min(other);
            }
        }
        TextSketch { registers, length: characters.len() }
    }
}

impl TextSketch {
    pub fn of(text: &str) -> Self {
        let characters = characters_of(text);
        let sketch: MinHash<u32, REGISTERS> = shingles_of(&characters).collect();
        Self { registers: sketch.into_words(), length: characters.len() }
    }

    /// The estimated Jaccard similarity of two texts, from 0 to 1.
    pub fn similarity(&self, other: &Self) -> f64 {
        let same = self.registers.iter().zip(&other.registers).filter(|(a, b)| a == b).count();
        same as f64 / REGISTERS as f64
    }

    /// The registers of the sketch, for hashing.
    pub fn registers(&self) -> &[u32] {
        &self.registers
    }

    /// The hash of each band, with its index. Similar texts very likely share at least one.
    pub fn bands(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        (0u8..).zip(self.registers.chunks(BAND)).map(|(band, registers)| (band, band_hash(registers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use unicode_normalization::char::canonical_combining_class;

    #[test]
    fn what_a_keyboard_without_vietnamese_writes_is_the_same_text() {
        assert_eq!(normalised("  Cán bộ  ĐỘI 2, cố tình…kéo dài! "), "can bo doi 2 co tinh keo dai");
        let with = TextSketch::of("Cán bộ hải quan cố tình kéo dài việc kiểm tra hồ sơ của doanh nghiệp chúng tôi.");
        let without = TextSketch::of("can bo hai quan co tinh keo dai viec kiem tra ho so cua doanh nghiep chung toi");
        assert_eq!(with, without);
    }

    #[test]
    fn a_word_changed_is_nearly_the_same_and_another_matter_is_not() {
        let text =
            "Cán bộ hải quan cố tình kéo dài việc kiểm tra hồ sơ của doanh nghiệp chúng tôi, hàng hư hỏng một phần";
        let edited = text.replace("kéo dài việc", "kéo dài mãi việc");
        let other = "Hệ thống báo lỗi khi gửi tờ khai, chúng tôi gọi tổng đài nhiều lần mà không ai trả lời";
        let same = TextSketch::of(text).similarity(&TextSketch::of(&edited));
        assert!(same > 0.8, "{same}");
        let different = TextSketch::of(text).similarity(&TextSketch::of(other));
        assert!(different < 0.3, "{different}");
        let shared = |a: &TextSketch, b: &TextSketch| a.bands().zip(b.bands()).any(|(a, b)| a == b);
        assert!(shared(&TextSketch::of(text), &TextSketch::of(&edited)));
    }

    #[test]
    fn short_and_empty_texts_are_sketched_too() {
        assert_eq!(TextSketch::of("").length, 0);
        assert_eq!(TextSketch::of("!?").length, 0);
        assert_eq!(TextSketch::of("ab").similarity(&TextSketch::of("ab")), 1.0);
    }

    /// The definition, text by text, that stored hashes of runs rest on.
    fn normalised_as_a_whole(text: &str) -> String {
        let plain = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).map(|c| match c {
            'đ' => 'd',
            other => other,
        });
        let mut normalised = String::new();
        for c in plain {
            if c.is_alphanumeric() {
                normalised.push(c);
            } else if !normalised.ends_with(' ') && !normalised.is_empty() {
                normalised.push(' ');
            }
        }
        normalised.truncate(normalised.trim_end().len());
        normalised
    }

    #[test]
    fn each_character_is_normalised_as_in_a_text() {
        // The planes beyond have private characters, and marks of variants.
        for c in ('\0'..='\u{323af}').chain('\u{e0000}'..='\u{e01ff}') {
            let text = format!("a{c}b\u{302}\u{323}{c}{c} ");
            assert_eq!(normalised(&text), normalised_as_a_whole(&text), "U+{:04X}", u32::from(c));
            // Only marks, which are left out, change their places.
            assert!(canonical_combining_class(c) == 0 || is_combining_mark(c), "U+{:04X}", u32::from(c));
        }
    }

    const TEXTS: &str = "[a-đĐ-ơƯ-ự .,0-9\u{300}-\u{30a}]{0,90}|\\PC{0,60}";

    proptest! {
        #[test]
        fn shared_shingles_give_the_same_sketches(texts in vec(TEXTS, 1..8)) {
            let shingles = Shingles::default();
            for text in texts.iter().chain(&texts) {
                prop_assert_eq!(normalised(text), normalised_as_a_whole(text));
                let characters: Vec<char> = normalised_as_a_whole(text).chars().collect();
                let numbers = characters
                    .windows(SHINGLE.min(characters.len()).max(1))
                    .map(|shingle| shingle.iter().fold(0u64, |number, c| (number << 16) ^ u64::from(u32::from(*c))));
                let whole: MinHash<u32, REGISTERS> = numbers.collect();
                let (sketch, words) = (shingles.sketch(text), whole.into_words());
                prop_assert_eq!(sketch.registers(), words.as_slice());
                prop_assert_eq!(sketch, TextSketch::of(text));
            }
        }
    }

    #[test]
    fn a_shingle_whose_slot_is_taken_counts_too() {
        let shingles = Shingles::default();
        let texts: Vec<String> = (0..2_000u32).map(|n| format!("{} {n} {}", n * 48_271, n * 69_621)).collect();
        let others = texts.iter().filter(|text| shingles.sketch(text) != TextSketch::of(text)).count();
        assert_eq!(others, 0);
        let words: String = (0..60_000u32).filter_map(|n| char::from_u32(0x4e00 + n * 7_919 % 20_000)).collect();
        assert_eq!(shingles.sketch(&words), TextSketch::of(&words));
    }
}
