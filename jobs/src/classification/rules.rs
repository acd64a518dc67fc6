//! Keyword rules: what suggests categories before a model is trained.

use super::text::plain;
use crate::JobError;
use schema::domain::toml_text;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::path::Path;

/// The rules that are part of the program.
const SHIPPED: &str = include_str!("rules.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rules: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The code of the category.
    category: String,
    #[serde(default)]
    vi: Vec<String>,
    #[serde(default)]
    en: Vec<String>,
}

/// The rules of a file.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The beginning of the SHA-256 hash of the file, in hexadecimal.
    pub version: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    category: String,
    /// Each without diacritics between two spaces, with its number of syllables.
    phrases: Vec<(String, u32)>,
}

impl Rules {
    /// The rules of a file; without one, those of the program.
    ///
    /// # Errors
    /// `Rules` if the file cannot be read or is wrong.
    pub fn load(path: Option<&Path>) -> Result<Self, JobError> {
        let Some(path) = path else {
            return Self::parse(SHIPPED).map_err(|message| wrong("of the program", message));
        };
        let text = std::fs::read_to_string(path).map_err(|e| wrong(&path.display().to_string(), e.to_string()))?;
        Self::parse(&text).map_err(|message| wrong(&path.display().to_string(), message))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml_text::parse(text)?;
        let mut rules: Vec<Rule> = Vec::with_capacity(file.rules.len());
        for entry in file.rules {
            let mut phrases = Vec::new();
            for phrase in entry.vi.iter().chain(&entry.en) {
                let plain = plain(phrase);
                if plain.is_empty() {
                    return Err(format!("{}: {phrase:?} has no letters: take it out", entry.category));
                }
                phrases.push((format!(" {plain} "), u32::try_from(plain.split(' ').count()).unwrap_or(u32::MAX)));
            }
            phrases.sort();
            phrases.dedup();
            if phrases.is_empty() {
                return Err(format!("{}: has no words: name some under vi or en", entry.category));
            }
            if rules.iter().any(|rule| rule.category == entry.category) {
                return Err(format!("{}: has two rules: combine them into one", entry.category));
            }
            rules.push(Rule { category: entry.category, phrases });
        }
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes())[..4]);
        Ok(Self { version: hash, rules })
    }

    /// The codes of the categories whose words a text has, with the weight of their phrases over that of all phrases
    /// found and one more. The highest first, else in the order of the file. Unlike the confidence of a model, this
    /// number is not calibrated.
    pub fn ranked(&self, text: &str) -> Vec<(&str, f64)> {
        let text = format!(" {} ", plain(text));
        let weight = |rule: &Rule| -> u32 {
            rule.phrases.iter().filter(|(phrase, _)| text.contains(phrase)).map(|(_, syllables)| syllables).sum()
        };
        let mut found: Vec<(&str, u32)> =
            self.rules.iter().map(|rule| (rule.category.as_str(), weight(rule))).collect();
        found.retain(|(_, weight)| *weight > 0);
        found.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        let total = f64::from(found.iter().map(|(_, weight)| weight).sum::<u32>()) + 1.0;
        found.into_iter().map(|(category, weight)| (category, f64::from(weight) / total)).collect()
    }
}

fn wrong(path: &str, message: String) -> JobError {
    JobError::Rules { path: path.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_suggest_categories_with_or_without_diacritics_and_in_english() {
        let rules = Rules::load(None).expect("the rules of the program");
        for (text, category) in [
            ("Cán bộ có thái độ hách dịch, quát nhân viên", "ARROGANT"),
            ("can bo thai do hach dich", "ARROGANT"),
            ("Hệ thống treo, không truyền được tờ khai", "TEC-DOWN"),
            ("C/O mẫu D bị từ chối", "PRC-ORIGIN"),
            ("The officer asked for a bribe", "CORRUPTION"),
        ] {
            let ranked = rules.ranked(text);
            assert_eq!(ranked[0].0, category, "{text}: {ranked:?}");
            assert!(ranked[0].1 > 0.0 && ranked.iter().map(|(_, part)| part).sum::<f64>() < 1.0, "{ranked:?}");
        }
        assert!(rules.ranked("Xin chào anh chị").is_empty());
        // Only whole syllables count: "qua" in "quan" is no gift.
        assert!(rules.ranked("hải quan").is_empty());
    }

    #[test]
    fn a_wrong_file_says_what_is_wrong() {
        for (text, part) in [
            ("[[rules]]\ncategory = \"A\"\n", "A: has no words"),
            ("[[rules]]\ncategory = \"A\"\nvi = [\"…\"]\n", "has no letters"),
            ("[[rules]]\ncategory = \"A\"\nvi = [\"x\"]\n[[rules]]\ncategory = \"A\"\nen = [\"y\"]\n", "two rules"),
            ("[[rules]]\ncategory = \"A\"\nfr = [\"x\"]\n", "fr"),
        ] {
            let message = Rules::parse(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
