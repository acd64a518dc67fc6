//! Words of the names of columns, and of cells, in small letters without diacritics.

use crate::db::search_text::plain;

/// A text as its words. A name such as `SRNumber` or `createdDate` has two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    pub fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut apart = String::with_capacity(text.len() + 8);
        for (nth, c) in chars.iter().enumerate() {
            let before = nth.checked_sub(1).map(|nth| chars[nth]);
            let begins_word = c.is_uppercase()
                && before.is_some_and(|before| {
                    let ends_acronym =
                        before.is_uppercase() && chars.get(nth + 1).is_some_and(|next| next.is_lowercase());
                    before.is_lowercase() || before.is_ascii_digit() || ends_acronym
                });
            if begins_word {
                apart.push(' ');
            }
            apart.push(*c);
        }
        let plain: String = plain(&apart).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        Self(plain.split_whitespace().map(str::to_owned).collect())
    }

    /// Whether the words of a phrase stand in it, one behind the other, be the last one of them in the plural; or whether it is the
    /// phrase written as one word.
    pub fn has(&self, phrase: &str) -> bool {
        self.place_of(phrase).is_some()
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

    /// The rest without a phrase; None where it does not stand in it.
    pub fn without(&self, phrase: &str) -> Option<Self> {
        let place = self.place_of(phrase)?;
        let mut rest = self.0.clone();
        rest.drain(place..place + phrase.split(' ').count());
        Some(Self(rest))
    }

    pub fn shares_word_with(&self, other: &Self) -> bool {
        self.0.iter().any(|word| other.0.contains(word))
    }

    fn place_of(&self, phrase: &str) -> Option<usize> {
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let last = phrase.len() - 1;
        let same = |(nth, (word, other)): (usize, (&String, &&str))| {
            word == other || (nth == last && word.strip_suffix('s') == Some(other))
        };
        self.0.windows(phrase.len()).position(|window| window.iter().zip(&phrase).enumerate().all(same))
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
