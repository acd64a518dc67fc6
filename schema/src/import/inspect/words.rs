//! Splits column names and cells into lower-case words, and finds phrases in them.

use crate::db::search_text::search_form;
use std::borrow::Cow;
use std::ops::Range;
use unicode_normalization::UnicodeNormalization;

/// The words of a text, without diacritics. A name such as `SRNumber` or `createdDate` has two words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    pub fn of(text: &str) -> Self {
        Self(split(&search_form(&apart(text))))
    }

    /// Whether it contains the words of a phrase in sequence, the last one perhaps in the plural, or is the phrase
    /// written as one word.
    pub fn has(&self, phrase: &str) -> bool {
        self.index_of(phrase).is_some()
            || (self.0.len() == 1 && phrase.contains(' ') && self.0[0] == phrase.replace(' ', ""))
    }

    pub fn has_any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.has(phrase))
    }

    pub fn is(&self, phrase: &str) -> bool {
        self.has(phrase) && phrase.split(' ').count() >= self.count()
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The words without a phrase; None where they do not contain it.
    pub fn without(&self, phrase: &str) -> Option<Self> {
        let index = self.index_of(phrase)?;
        let mut rest = self.0.clone();
        rest.drain(index..index + phrase.split(' ').count());
        Some(Self(rest))
    }

    pub fn shares_word_with(&self, other: &Self) -> bool {
        self.0.iter().any(|word| other.0.contains(word))
    }

    fn index_of(&self, phrase: &str) -> Option<usize> {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let last = phrase.len() - 1;
        let same = |(nth, (word, other)): (usize, (&String, &&str))| is_same(word, other, nth == last);
        self.0.windows(phrase.len()).position(|window| window.iter().zip(&phrase).enumerate().all(same))
    }
}

/// Inserts a space before each letter that begins a word inside a camel-case name.
fn apart(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut apart = String::with_capacity(text.len() + 8);
    for (nth, c) in chars.iter().enumerate() {
        let before = nth.checked_sub(1).map(|nth| chars[nth]);
        let begins_word = c.is_uppercase()
            && before.is_some_and(|before| {
                let ends_acronym = before.is_uppercase() && chars.get(nth + 1).is_some_and(|next| next.is_lowercase());
                before.is_lowercase() || before.is_ascii_digit() || ends_acronym
            });
        if begins_word {
            apart.push(' ');
        }
        apart.push(*c);
    }
    apart
}

fn split(text: &str) -> Vec<String> {
    let apart: String = text.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    apart.split_whitespace().map(str::to_owned).collect()
}

/// Whether two words are equal; the last word of a phrase also matches a plural with `s`.
fn is_same(word: &str, other: &str, is_last: bool) -> bool {
    word == other || (is_last && word.strip_suffix('s') == Some(other))
}

/// The words of a cell with their diacritics: "đúng" (right) is not "dừng" (stopped). A cell without diacritics is
/// compared without them.
#[derive(Debug, Clone)]
pub struct Said {
    words: Vec<String>,
    has_diacritics: bool,
}

impl Said {
    pub fn of(text: &str) -> Self {
        let text: String = text.nfc().collect();
        let has_diacritics = !text.is_ascii();
        Self { words: split(&apart(&text).to_lowercase()), has_diacritics }
    }

    /// The positions at which the words of a phrase occur in sequence.
    pub fn places_of(&self, phrase: &str) -> Vec<Range<usize>> {
        let is_as_it_is = self.has_diacritics || phrase.is_ascii();
        let phrase = if is_as_it_is { Cow::Borrowed(phrase) } else { Cow::Owned(search_form(phrase)) };
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let last = phrase.len() - 1;
        let windows = self.words.windows(phrase.len()).enumerate();
        let is_it = |window: &[String]| (0..=last).all(|nth| is_same(&window[nth], phrase[nth], nth == last));
        windows.filter(|(_, window)| is_it(window)).map(|(at, _)| at..at + phrase.len()).collect()
    }

    /// Whether a match may be another word: one word with diacritics, in a cell of several words without any.
    pub fn may_be_another(&self, phrase: &str) -> bool {
        !self.has_diacritics && !phrase.is_ascii() && !phrase.contains(' ') && self.words.len() > 1
    }

    pub fn len(&self) -> usize {
        self.words.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_however_they_are_written() {
        for name in ["SRNumber", "sr_number", "SR Number", "srNumber", "SR-NUMBER"] {
            assert!(Words::of(name).is("sr number"), "{name}");
        }
        assert!(Words::of("Đơn vị bị phản ánh").has("don vi") && !Words::of("Đơn vị").is("don"));
        assert!(Words::of("complaintid").is("complaint id") && Words::of("RACE_OF_OFFICERS").has("officer"));
        assert!(!Words::of("Timely response?").has("time"));
        assert_eq!(Words::of("Year received").without("year"), Some(Words::of("received")));
        assert_eq!(Words::of("Received").without("year"), None);
    }
}
