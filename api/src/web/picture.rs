//! Charts of `jobs::charts` on a page: wide and narrow, with their tables.

use super::error::PageError;
use super::shapes::shared;
use super::table::{Cell, Table};
use jobs::JobError;
use jobs::charts::{Chart, Style, Theme, Width, Words};
use moka::sync::Cache;
use schema::enums::Locale;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Debug;
use std::sync::LazyLock;

/// A chart of a page: `picture.html` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Picture {
    pub title: String,
    pub alt: String,
    /// The SVG document for a screen, and the one for a telephone: a smaller picture would have smaller letters. The
    /// latter draws shapes of the former, so that a page needs both.
    pub svg: String,
    pub narrow: String,
    /// The numbers of the chart.
    pub table: Table,
}

/// Draws a chart in both widths. `name` is that of its table, and begins the ids of its elements.
///
/// # Errors
/// `Internal` if the words of charts are broken.
pub fn picture(
    name: &'static str,
    locale: Locale,
    draw: impl Fn(&Words, Style<'_>) -> Result<Chart, JobError>,
) -> Result<Picture, PageError> {
    let broken = |error: JobError| {
        tracing::error!(%error, name, "a chart of the page");
        PageError::Internal
    };
    let words = Words::new(locale).map_err(broken)?;
    let id = format!("{name}-narrow");
    let drawn = |width, id: &str| draw(&words, Style { theme: Theme::Css, width, id });
    let chart = drawn(Width::Wide, name).map_err(broken)?;
    let narrow = drawn(Width::Narrow, &id).map_err(broken)?.svg;
    let rows = chart.table.rows.into_iter().map(|row| row.into_iter().map(Cell::text).collect());
    let table = Table::new(name, chart.title.as_str(), &chart.table.header, rows);
    let (svg, narrow) = shared(name, &chart.svg, &narrow);
    Ok(Picture { title: chart.title, alt: chart.alt, svg, narrow, table })
}

/// A picture by its name, its language and a hash of its data.
type Key = (&'static str, &'static str, [u8; 32]);

/// Pictures that are kept: a few names, in two languages, each for readers who see more or less.
const KEPT: u64 = 24;

static DRAWN: LazyLock<Cache<Key, Picture>> = LazyLock::new(|| Cache::builder().max_capacity(KEPT).build());

/// The same for a picture that takes long to draw and whose data change once a day: that of the same data is kept. The
/// picture depends on nothing else.
///
/// # Errors
/// Same errors as [`picture`].
pub fn kept_picture<D: Debug>(
    name: &'static str,
    locale: Locale,
    data: &D,
    draw: impl Fn(&D, &Words, Style<'_>) -> Result<Chart, JobError>,
) -> Result<Picture, PageError> {
    let key: Key = (name, locale.as_str(), Sha256::digest(format!("{data:?}")).into());
    if let Some(drawn) = DRAWN.get(&key) {
        return Ok(drawn);
    }
    let drawn = picture(name, locale, |words, style| draw(data, words, style))?;
    DRAWN.insert(key, drawn.clone());
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::super::assets::Assets;
    use super::*;
    use jobs::charts::funnel::{self, FunnelData};
    use jobs::charts::stylesheet;
    use std::cell::Cell as Counter;

    #[test]
    fn a_picture_is_drawn_again_for_other_data_another_language_or_another_name() {
        let mut data =
            FunnelData { what: "a".to_owned(), units_name: "b".to_owned(), dispersion: 1.0, units: Vec::new() };
        let times = Counter::new(0);
        let drawn = |name, locale, data: &FunnelData| {
            let picture = kept_picture(name, locale, data, |data, words, style| {
                times.set(times.get() + 1);
                funnel::chart(data, words, style)
            });
            (times.get(), picture.unwrap().svg)
        };
        // Each picture has two widths.
        let (_, first) = drawn("kept-one", Locale::Vi, &data);
        assert_eq!(drawn("kept-one", Locale::Vi, &data), (2, first.clone()));
        assert_eq!(drawn("kept-one", Locale::En, &data).0, 4);
        assert_eq!(drawn("kept-two", Locale::Vi, &data).0, 6);
        data.what.push('c');
        assert_eq!(drawn("kept-one", Locale::Vi, &data).0, 8);
        data.what.pop();
        assert_eq!(drawn("kept-one", Locale::Vi, &data), (8, first));
    }

    #[test]
    fn the_style_sheet_has_the_colours_and_classes_of_the_chart_module() {
        let plain = |css: &str| css.replace(char::is_whitespace, "").replace(";}", "}");
        let asset = Assets::get("static/pictures.css").unwrap();
        let own = plain(std::str::from_utf8(&asset.data).unwrap());
        for rule in stylesheet().lines().filter(|line| line.starts_with(".chart-")) {
            assert!(own.contains(&plain(rule)), "{rule}");
        }
        let of_module = stylesheet();
        for property in of_module.split(['{', ';', '}']).filter(|part| part.starts_with("--chart-")) {
            assert!(own.contains(&plain(property)), "{property}");
        }
    }
}
