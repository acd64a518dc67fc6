//! The words of charts, their numbers and dates, in Vietnamese and English.

use crate::JobError;
use crate::digest::messages::Messages;
use chrono::NaiveDate;
use fluent_bundle::{FluentArgs, FluentValue};
use schema::enums::Locale;

/// The words of charts in one language.
pub struct Words {
    messages: Messages,
}

impl Words {
    /// The words of one language.
    ///
    /// # Errors
    /// `Template` when the messages of the program are malformed.
    pub fn new(locale: Locale) -> Result<Self, JobError> {
        let source = match locale {
            Locale::Vi => include_str!("vi.ftl"),
            Locale::En => include_str!("en.ftl"),
        };
        Ok(Self { messages: Messages::of(locale, [source.to_owned()])? })
    }

    /// A message without values.
    ///
    /// # Errors
    /// If the messages lack the key.
    pub(super) fn word(&self, key: &str) -> Result<String, JobError> {
        self.messages.message(key, &FluentArgs::new())
    }

    /// A message with its values filled in.
    ///
    /// # Errors
    /// If the messages lack the key, or the message a value.
    pub(super) fn text(&self, key: &str, values: &[(&'static str, FluentValue<'_>)]) -> Result<String, JobError> {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, value.clone());
        }
        self.messages.message(key, &args)
    }

    /// A number with at most `digits` decimals, without zeros at its end.
    pub(super) fn number(&self, value: f64, digits: usize) -> String {
        self.messages.number_at_most(value, digits)
    }

    /// A number with so many decimals that it has about three digits.
    pub(super) fn rounded(&self, value: f64) -> String {
        let digits = match value.abs() {
            size if size >= 100.0 => 0,
            size if size >= 10.0 => 1,
            size if size >= 0.1 || size == 0.0 => 2,
            _ => 4,
        };
        self.number(value, digits)
    }

    /// A number of an axis: millions and more as a word.
    ///
    /// # Errors
    /// If the messages lack the word.
    pub(super) fn tick(&self, value: f64) -> Result<String, JobError> {
        let (key, unit) = match value.abs() {
            size if size >= 1e12 => ("trillions", 1e12),
            size if size >= 1e9 => ("billions", 1e9),
            size if size >= 1e6 => ("millions", 1e6),
            _ => return Ok(self.number(value, 4)),
        };
        self.text(key, &[("number", self.number(value / unit, 2).into())])
    }

    /// A share from 0 to 1.
    pub(super) fn percent(&self, share: f64) -> String {
        format!("{}%", self.number(share * 100.0, 1))
    }

    pub(super) fn date(&self, day: NaiveDate) -> String {
        self.messages.date(day)
    }

    pub(super) fn month(&self, day: NaiveDate) -> String {
        match self.messages.is_english() {
            true => day.format("%b %Y").to_string(),
            false => day.format("%m/%Y").to_string(),
        }
    }

    /// A date of an axis, without its year.
    pub(super) fn day(&self, day: NaiveDate) -> String {
        match self.messages.is_english() {
            true => day.format("%-d %b").to_string(),
            false => day.format("%d/%m").to_string(),
        }
    }

    /// The first of these labels, and the number of the others.
    ///
    /// # Errors
    /// If the messages lack the words for the others.
    pub(super) fn list(&self, labels: &[&str]) -> Result<String, JobError> {
        const MOST: usize = 5;
        let shown = labels[..labels.len().min(MOST)].join(", ");
        match labels.len().saturating_sub(MOST) {
            0 => Ok(shown),
            more => self.text("and-more", &[("labels", shown.into()), ("count", more.into())]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_they_need() {
        let (vi, en) = (Words::new(Locale::Vi).unwrap(), Words::new(Locale::En).unwrap());
        assert_eq!((vi.number(2.50, 2), en.number(3.0, 2)), ("2,5".into(), "3".into()));
        assert_eq!((vi.rounded(1234.5), en.rounded(0.01234)), ("1.234".into(), "0.0123".into()));
        assert_eq!((vi.tick(2.5e9).unwrap(), en.tick(1e6).unwrap()), ("2,5 tỷ".into(), "1 million".into()));
        assert_eq!((vi.percent(0.5), en.percent(0.123)), ("50%".into(), "12.3%".into()));
        let many = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(en.list(&many).unwrap(), "a, b, c, d, e and 2 more");
        assert_eq!(vi.list(&many[..2]).unwrap(), "a, b");
    }

    #[test]
    fn both_languages_have_the_same_messages() {
        let keys = |source: &str| -> Vec<String> {
            source
                .lines()
                .filter(|line| !line.starts_with([' ', '#']))
                .filter_map(|line| Some(line.split_once(" =")?.0.to_owned()))
                .collect()
        };
        assert_eq!(keys(include_str!("vi.ftl")), keys(include_str!("en.ftl")));
    }
}
