//! Charts of `jobs::charts` on a page: wide and narrow, with their tables.

use super::error::PageError;
use super::table::{Cell, Table};
use jobs::JobError;
use jobs::charts::{Chart, Style, Theme, Width, Words};
use schema::enums::Locale;
use serde::Serialize;

/// A chart of a page: `ui.chart` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Picture {
    pub title: String,
    pub alt: String,
    /// The SVG document for a screen, and the one for a telephone: a smaller picture would have smaller letters.
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
    Ok(Picture { title: chart.title, alt: chart.alt, svg: chart.svg, narrow, table })
}

#[cfg(test)]
mod tests {
    use super::super::assets::Assets;
    use jobs::charts::stylesheet;

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
