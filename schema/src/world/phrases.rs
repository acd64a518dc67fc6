//! The texts of complaints and responses, put together from `phrases.toml`, with typing errors and abbreviations.

use super::chance::SeededRng;
use serde::Deserialize;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization;

/// The building blocks of texts, as in `phrases.toml`.
#[derive(Debug, Deserialize)]
pub struct Phrases {
    openings: Vec<String>,
    effects: Vec<String>,
    requests: Vec<String>,
    goods: Vec<String>,
    what: BTreeMap<String, Vec<String>>,
    responses: BTreeMap<String, Vec<String>>,
    short: BTreeMap<String, Vec<String>>,
}

/// The values for the slots of a text.
pub struct Matter<'a> {
    pub category: &'a str,
    pub declaration: &'a str,
    pub day: String,
    /// The words by which the text refers to the officer.
    pub officer: &'a str,
    pub unit: &'a str,
}

impl Phrases {
    pub fn load() -> Self {
        // Part of the binary, parsed in a test.
        toml::from_str(include_str!("phrases.toml")).expect("phrases.toml matches the struct Phrases")
    }

    /// A complaint's text, with abbreviations, typing errors and the like.
    pub fn complaint(&self, chance: &mut SeededRng, matter: &Matter<'_>) -> String {
        let text = self.plain(chance, matter);
        self.as_people_write(chance, text)
    }

    /// A complaint's text in clean spelling.
    pub fn plain(&self, chance: &mut SeededRng, matter: &Matter<'_>) -> String {
        let what = self.what.get(matter.category).map_or(&[][..], Vec::as_slice);
        let first = if what.is_empty() { 0 } else { chance.below(what.len()) };
        let mut parts = vec![chance.pick(&self.openings).as_str()];
        parts.extend(what.get(first).map(String::as_str));
        // Some texts raise a second point.
        if what.len() > 2 && chance.is(0.25) {
            parts.push(&what[(first + 1 + chance.below(what.len() - 1)) % what.len()]);
        }
        parts.push(chance.pick(&self.effects).as_str());
        parts.push(chance.pick(&self.requests).as_str());
        let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        self.fill(chance, &text, matter)
    }

    fn fill(&self, chance: &mut SeededRng, text: &str, matter: &Matter<'_>) -> String {
        let mut filled = String::with_capacity(text.len() + 64);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((slot, after)) = after.split_once('}') else { break };
            match slot {
                "tk" => filled.push_str(matter.declaration),
                "ngay" => filled.push_str(&matter.day),
                "gio" => filled.push_str(&(7 + chance.below(10)).to_string()),
                "hang" => filled.push_str(chance.pick(&self.goods).as_str()),
                "lan" => filled.push_str(&(2 + chance.below(6)).to_string()),
                // Capital letter where the officer begins a sentence or clause.
                "cb" if filled.is_empty() || filled.trim_end().ends_with(['.', ',', ':']) => {
                    filled.push_str(&capitalised(matter.officer));
                }
                "cb" => filled.push_str(matter.officer),
                _ => filled.push_str(matter.unit),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn as_people_write(&self, chance: &mut SeededRng, mut text: String) -> String {
        if chance.is(0.45) {
            let much = chance.between(0.3, 1.0);
            for (long, short) in &self.short {
                if text.contains(long.as_str()) && chance.is(much) {
                    text = text.replace(long.as_str(), chance.pick(short).as_str());
                }
            }
        }
        if chance.is(0.3) {
            text = without_diacritics(&text);
        }
        if chance.is(0.12) {
            text = text.to_lowercase();
        }
        if chance.is(0.1) {
            text = text.replace(['.', ','], "");
        }
        let errors = chance.poisson(0.6);
        for _ in 0..errors {
            text = mistyped(chance, &text);
        }
        text
    }

    /// The text with small edits, as members of a campaign make: words dropped, doubled or swapped, a typing error.
    pub fn lightly_edited(&self, chance: &mut SeededRng, text: &str) -> String {
        let mut words: Vec<&str> = text.split(' ').collect();
        for _ in 0..1 + chance.below(3) {
            let count = words.len();
            if count > 12 {
                let at = chance.below(count);
                match chance.below(3) {
                    0 => drop(words.remove(at)),
                    1 => words.insert(at, words[at]),
                    _ => words.swap(at, (at + 1) % count),
                }
            }
        }
        let mut text = words.join(" ");
        if chance.is(0.3) {
            text = mistyped(chance, &text);
        }
        if chance.is(0.2) {
            text.push_str(" Xin cảm ơn.");
        }
        text
    }

    pub fn response(&self, chance: &mut SeededRng, action: &str) -> &str {
        self.responses.get(action).map_or("Đã xử lý.", |texts| chance.pick(texts).as_str())
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Vietnamese as typed on a keyboard without diacritics.
pub fn without_diacritics(text: &str) -> String {
    text.nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .map(|c| match c {
            'đ' => 'd',
            'Đ' => 'D',
            other => other,
        })
        .collect()
}

/// Makes one typing error: two letters swapped, one left out or one doubled.
fn mistyped(chance: &mut SeededRng, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 20 {
        return text.to_owned();
    }
    let at = 1 + chance.below(letters.len() - 3);
    // Digits stay: a changed number would be another declaration.
    if !(letters[at].is_alphabetic() && letters[at + 1].is_alphabetic()) {
        return text.to_owned();
    }
    match chance.below(3) {
        0 => letters.swap(at, at + 1),
        1 => drop(letters.remove(at)),
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn matter(category: &str) -> Matter<'_> {
        Matter {
            category, declaration: "302212345678", day: "3/4".into(), officer: "anh cán bộ", unit: "Chi cục A"
        }
    }

    #[test]
    fn texts_of_one_category_are_of_many_kinds_and_leave_no_slot_open() {
        let phrases = Phrases::load();
        for category in phrases.what.keys() {
            let mut chance = SeededRng::new(1, category, 0);
            let texts: HashSet<String> = (0..200).map(|_| phrases.complaint(&mut chance, &matter(category))).collect();
            assert!(texts.len() > 190, "{category}: {} different of 200", texts.len());
            for text in &texts {
                assert!(!text.contains(['{', '}']) && text.nfc().eq(text.chars()), "{text}");
            }
        }
    }

    #[test]
    fn diacritics_are_lost_as_on_a_plain_keyboard() {
        assert_eq!(without_diacritics("Đề nghị giải quyết sớm"), "De nghi giai quyet som");
    }

    #[test]
    fn an_edited_text_is_nearly_the_same() {
        let phrases = Phrases::load();
        let mut chance = SeededRng::new(2, "edit", 0);
        let text = phrases.plain(&mut chance, &matter("OBSTRUCTION"));
        let edited = phrases.lightly_edited(&mut chance, &text);
        let words: HashSet<&str> = text.split(' ').collect();
        let kept = edited.split(' ').filter(|word| words.contains(word)).count();
        assert!(kept * 10 >= words.len() * 7, "{text}\n{edited}");
    }
}
