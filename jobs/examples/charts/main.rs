//! Writes each chart as SVG and PNG, in both languages, themes and widths, into a folder to look at:
//!
//!     cargo run -p jobs --example charts -- FOLDER

mod samples;

use jobs::charts::{Style, Theme, Width, Words, png};
use schema::enums::Locale;
use std::fs;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("FOLDER")?);
    fs::create_dir_all(&folder)?;
    for locale in [Locale::Vi, Locale::En] {
        let words = Words::new(locale)?;
        for (theme, of_theme) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            for (width, of_width) in [(Width::Wide, "wide"), (Width::Narrow, "narrow")] {
                for (name, chart) in samples::charts(locale, &words, Style { theme, width, id: "chart" })? {
                    let stem = format!("{name}.{locale}.{of_theme}.{of_width}");
                    fs::write(folder.join(format!("{stem}.svg")), &chart.svg)?;
                    fs::write(folder.join(format!("{stem}.png")), png(&chart, 2.0)?)?;
                    println!("{name} ({locale}): {}\n  {}", chart.title, chart.alt);
                }
            }
        }
    }
    Ok(())
}
