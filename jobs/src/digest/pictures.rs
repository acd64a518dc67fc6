//! The pictures of a digest, drawn from the numbers in its document.

use super::document::DigestDocument;
use super::messages::Messages;
use crate::JobError;
use crate::charts::pareto::{ParetoBar, ParetoData};
use crate::charts::trend::{TrendData, TrendMonth};
use crate::charts::{Chart, Style, Theme, Width, Words, pareto, png, trend};
use fluent_bundle::FluentArgs;
use schema::enums::{DigestSection, Locale};
use serde::Serialize;

/// Pixels of a picture for one of the mail: screens of today have two or three.
const SCALE: f32 = 2.0;

/// A picture as a template shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Its name, `trend` or `categories`.
    pub name: &'static str,
    /// The id of its part of the mail.
    pub cid: String,
    /// What the picture shows, for those who do not see it.
    pub alt: String,
    pub width: u32,
}

/// The pictures of a digest in a language: none of a section without numbers, or that its reader does not want.
pub(super) fn drawn(document: &DigestDocument, locale: Locale) -> Result<Vec<(Picture, Chart)>, JobError> {
    let words = Words::new(locale)?;
    let messages = Messages::new(locale)?;
    let word = |key: &str| messages.message(key, &FluentArgs::new());
    let style = |id: &'static str| Style { theme: Theme::Light, width: Width::Wide, id };
    let mut drawn = Vec::new();
    if document.has(DigestSection::Numbers) && document.numbers.months.len() > 1 {
        let months = document.numbers.months.iter().map(|month| TrendMonth {
            month: month.month,
            value: Some(f64::from(month.complaints)),
            before: month.year_before.map(f64::from),
            usual: month.usual,
        });
        let data = TrendData { what: word("received")?, months: months.collect() };
        drawn.push(named("trend", trend::chart(&data, &words, style("trend"))?));
    }
    if document.has(DigestSection::Rising) && document.categories.len() > 1 {
        let name = |vi: &str, en: Option<&str>| match locale {
            Locale::En => en.unwrap_or(vi).to_owned(),
            Locale::Vi => vi.to_owned(),
        };
        let bars = document.categories.iter().map(|category| ParetoBar {
            label: name(&category.name_vi, category.name_en.as_deref()),
            value: f64::from(category.recent),
        });
        // A Pareto chart names them within a sentence.
        let [what, groups] = [word("received")?, word("categories")?].map(|word| word.to_lowercase());
        let data = ParetoData { what, groups, bars: bars.collect() };
        drawn.push(named("categories", pareto::chart(&data, &words, style("categories"))?));
    }
    Ok(drawn)
}

fn named(name: &'static str, chart: Chart) -> (Picture, Chart) {
    let cid = format!("{name}.png@phananh");
    (Picture { name, cid, alt: chart.alt.clone(), width: Width::Wide.px() as u32 }, chart)
}

/// The pictures as PNG, each with its name and its id.
pub(super) fn files(document: &DigestDocument, locale: Locale) -> Result<Vec<(Picture, Vec<u8>)>, JobError> {
    let drawn = drawn(document, locale)?.into_iter();
    drawn.map(|(picture, chart)| Ok((picture, png(&chart, SCALE)?))).collect()
}
