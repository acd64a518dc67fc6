//! Messages (Fluent), numbers and dates in Vietnamese and English.

use crate::JobError;
use chrono::NaiveDate;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::locale;
use schema::enums::Locale;
use unic_langid::LanguageIdentifier;

/// The messages and formats of one language.
pub struct Messages {
    bundle: FluentBundle<FluentResource>,
    locale: Locale,
}

impl Messages {
    /// Loads the messages of digests.
    ///
    /// # Errors
    /// `Template` when the source cannot be parsed.
    pub fn new(locale: Locale) -> Result<Self, JobError> {
        let source = match locale {
            Locale::Vi => include_str!("vi.ftl"),
            Locale::En => include_str!("en.ftl"),
        };
        Self::of(locale, [source.to_owned()])
    }

    /// Loads messages from other sources. No key may be in two of them.
    ///
    /// # Errors
    /// `Template` when a source cannot be parsed, or a key is in two of them.
    pub fn of(locale: Locale, sources: impl IntoIterator<Item = String>) -> Result<Self, JobError> {
        let broken = |what: String| JobError::Template(format!("the messages of {locale}: {what}"));
        let (language, formatter): (_, fn(&FluentValue<'_>, &_) -> Option<String>) = match locale {
            Locale::Vi => ("vi", |value, _| formatted(value, Locale::Vi)),
            Locale::En => ("en", |value, _| formatted(value, Locale::En)),
        };
        let language: LanguageIdentifier = language.parse().map_err(|e| broken(format!("{e:?}")))?;
        let mut bundle = FluentBundle::new_concurrent(vec![language]);
        // Bidirectional isolation marks around values would show in plain text.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(formatter));
        for source in sources {
            let resource = FluentResource::try_new(source).map_err(|(_, errors)| broken(format!("{errors:?}")))?;
            bundle.add_resource(resource).map_err(|errors| broken(format!("{errors:?}")))?;
        }
        Ok(Self { bundle, locale })
    }

    pub fn is_english(&self) -> bool {
        self.locale == Locale::En
    }

    /// Whether a message has this key.
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    /// A message with its values filled in.
    ///
    /// # Errors
    /// `Template` when the message or a value is missing.
    pub fn message(&self, key: &str, args: &FluentArgs<'_>) -> Result<String, JobError> {
        let broken = |what: &str| JobError::Template(format!("the message {key} of {}: {what}", self.locale));
        let message = self.bundle.get_message(key).ok_or_else(|| broken("it does not exist"))?;
        let pattern = message.value().ok_or_else(|| broken("it is empty"))?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        match errors.first() {
            None => Ok(text),
            Some(error) => Err(broken(&error.to_string())),
        }
    }

    pub fn number(&self, value: f64, digits: usize) -> String {
        // An empty sum of floats is -0.0: adding 0.0 removes the sign.
        number(value + 0.0, digits, self.locale)
    }

    /// A number with at most `digits` decimals, without zeros at its end.
    pub fn number_at_most(&self, value: f64, digits: usize) -> String {
        let plain = format!("{value:.digits$}");
        let decimals = plain.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len());
        self.number(value, decimals)
    }

    /// A share from 0 to 1 as a percentage with one decimal.
    pub fn percent(&self, share: f64) -> String {
        format!("{}%", self.number(share * 100.0, 1))
    }

    /// An amount in whole đồng.
    pub fn money(&self, vnd: f64) -> String {
        match self.locale {
            Locale::Vi => format!("{} đồng", self.number(vnd, 0)),
            Locale::En => format!("VND {}", self.number(vnd, 0)),
        }
    }

    pub fn date(&self, day: NaiveDate) -> String {
        match self.locale {
            Locale::Vi => day.format("%d/%m/%Y").to_string(),
            Locale::En => day.format("%-d %B %Y").to_string(),
        }
    }
}

fn formatted(value: &FluentValue<'_>, locale: Locale) -> Option<String> {
    match value {
        FluentValue::Number(FluentNumber { value, .. }) => Some(number(*value, 0, locale)),
        _ => None,
    }
}

fn number(value: f64, digits: usize, locale: Locale) -> String {
    let plain = format!("{value:.digits$}");
    let preferences = match locale {
        Locale::Vi => locale!("vi").into(),
        Locale::En => locale!("en").into(),
    };
    // The binary contains the data of both languages, so the fallback is never needed.
    match (DecimalFormatter::try_new(preferences, Default::default()), Decimal::try_from_str(&plain)) {
        (Ok(formatter), Ok(decimal)) => formatter.format(&decimal).to_string(),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::enums::{MeasureKind, MeasureState, SuspensionGround};

    #[test]
    fn numbers_dates_and_plurals_are_those_of_the_language() {
        let (vi, en) = (Messages::new(Locale::Vi).expect("vi"), Messages::new(Locale::En).expect("en"));
        assert_eq!(
            (vi.number(1_234_567.5, 1), en.number(1_234_567.5, 1)),
            ("1.234.567,5".into(), "1,234,567.5".into())
        );
        assert_eq!((vi.number(-0.0, 0), en.number([0.0; 0].iter().sum(), 0)), ("0".into(), "0".into()));
        assert_eq!([0.5, 0.001, 12.0].map(|value| vi.number_at_most(value, 3)), ["0,5", "0,001", "12"]);
        assert_eq!((vi.percent(0.875), en.percent(0.875)), ("87,5%".into(), "87.5%".into()));
        assert_eq!((vi.money(2_500_000.0), en.money(2_500_000.0)), ("2.500.000 đồng".into(), "VND 2,500,000".into()));
        let day = NaiveDate::from_ymd_opt(2025, 3, 1).expect("a date");
        assert_eq!((vi.date(day), en.date(day)), ("01/03/2025".into(), "1 March 2025".into()));
        let count = |messages: &Messages, n: i64| {
            let mut args = FluentArgs::new();
            args.set("count", n);
            messages.message("overdue-total", &args).expect("a message")
        };
        assert!(count(&en, 1).starts_with("1 complaint has"), "{}", count(&en, 1));
        assert!(count(&en, 1_200).starts_with("1,200 complaints have"), "{}", count(&en, 1_200));
        assert!(count(&vi, 1_200).starts_with("1.200 phản ánh"), "{}", count(&vi, 1_200));
        assert!(en.message("overdue-total", &FluentArgs::new()).is_err(), "a value that is missing is told");
        assert!(en.message("nothing", &FluentArgs::new()).is_err());
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
        let all = keys(include_str!("vi.ftl"));
        assert_eq!(all, keys(include_str!("en.ftl")));
        // A digest counts every kind of event.
        for kind in schema::enums::ComplaintEventKind::WORDS {
            assert!(all.iter().any(|key| key == kind), "{kind}");
        }
        // A digest names the kind, the state and the ground of every measure.
        let named =
            [("measure", MeasureKind::WORDS), ("measure", MeasureState::WORDS), ("ground", SuspensionGround::WORDS)];
        for (prefix, words) in named {
            for word in words {
                assert!(all.contains(&format!("{prefix}-{word}")), "{prefix}-{word}");
            }
        }
    }
}
