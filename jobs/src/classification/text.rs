//! Vietnamese text as syllables. Spaces separate syllables, not words. Pairs of syllables stand for most words, so no
//! segmentation into words is needed.

use schema::db::search_text::search_form;
use unicode_normalization::UnicodeNormalization;

/// Characters of a text that are read. A complaint says what it is about long before.
const MOST_CHARACTERS: usize = 5_000;

/// A syllable as it is written in lower case, and the same without diacritics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syllable {
    pub written: String,
    pub plain: String,
}

impl Syllable {
    /// Whether the token replaces a number or a code.
    pub fn is_number(&self) -> bool {
        self.written == NUMBER
    }
}

/// The token that replaces whatever has a digit: declaration numbers, days and amounts say nothing of the category.
const NUMBER: &str = "0";

/// The syllables of a text.
pub fn syllables(text: &str) -> Vec<Syllable> {
    let lower: String = text.nfc().take(MOST_CHARACTERS).flat_map(char::to_lowercase).collect();
    let parts = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let syllable = |part: &str| match part.contains(|c: char| c.is_numeric()) {
        true => Syllable { written: NUMBER.to_owned(), plain: NUMBER.to_owned() },
        false => Syllable { written: part.to_owned(), plain: search_form(part) },
    };
    parts.map(syllable).collect()
}

/// The syllables of a text without diacritics, joined by spaces.
pub fn plain(text: &str) -> String {
    let syllables: Vec<String> = syllables(text).into_iter().map(|syllable| syllable.plain).collect();
    syllables.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_have_a_form_without_diacritics_and_numbers_are_alike() {
        let found = syllables("Đội trả HỒ-SƠ, tờ khai 302212345678 ngày 3/4!");
        let written: Vec<&str> = found.iter().map(|one| one.written.as_str()).collect();
        assert_eq!(written, ["đội", "trả", "hồ", "sơ", "tờ", "khai", "0", "ngày", "0", "0"]);
        assert_eq!(plain("Đội trả HỒ-SƠ"), "doi tra ho so");
        assert!(found[6].is_number() && !found[0].is_number());
        // Composed and decomposed letters are the same.
        assert_eq!(syllables("Hồ sơ".nfd().collect::<String>().as_str()), syllables("hồ sơ"));
    }
}
