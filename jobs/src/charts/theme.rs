//! Colours: the palette of Okabe and Ito for unusual values, grey for the rest.

use std::fmt::Write;

/// The colours of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
    /// Classes of [`stylesheet`], which follow the page. Without it the chart is light.
    Css,
}

/// The purpose of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Surface,
    /// Text, and the line that the chart is about.
    Ink,
    /// Text that is less important.
    Muted,
    /// Lines behind the data, and outlines of areas without data.
    Grid,
    /// Data that are usual.
    Usual,
    /// The usual range, and areas with usual data.
    Band,
    High,
    Low,
}

impl Paint {
    pub const ALL: [Self; 8] =
        [Self::Surface, Self::Ink, Self::Muted, Self::Grid, Self::Usual, Self::Band, Self::High, Self::Low];

    /// Its part of class names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Surface => "surface",
            Self::Ink => "ink",
            Self::Muted => "muted",
            Self::Grid => "grid",
            Self::Usual => "usual",
            Self::Band => "band",
            Self::High => "high",
            Self::Low => "low",
        }
    }

    pub const fn light(self) -> &'static str {
        match self {
            Self::Surface => "#ffffff",
            Self::Ink => "#1b1f24",
            Self::Muted => "#57606a",
            Self::Grid => "#d0d7de",
            Self::Usual => "#6e7781",
            Self::Band => "#dfe3e8",
            Self::High => "#d55e00",
            Self::Low => "#0072b2",
        }
    }

    pub const fn dark(self) -> &'static str {
        match self {
            Self::Surface => "#15191e",
            Self::Ink => "#e6edf3",
            Self::Muted => "#a3adb8",
            Self::Grid => "#3a424b",
            Self::Usual => "#8b949e",
            Self::Band => "#2f363e",
            Self::High => "#e69f00",
            Self::Low => "#56b4e9",
        }
    }
}

impl Theme {
    pub(super) const fn colour(self, paint: Paint) -> &'static str {
        match self {
            Self::Light | Self::Css => paint.light(),
            Self::Dark => paint.dark(),
        }
    }
}

/// The style sheet of charts drawn with [`Theme::Css`]. A page changes a colour by its property, `--chart-ink` say.
pub fn stylesheet() -> String {
    let properties = |colour: fn(Paint) -> &'static str| {
        Paint::ALL.iter().fold(String::new(), |mut all, paint| {
            let _ = write!(all, "--chart-{}:{};", paint.name(), colour(*paint));
            all
        })
    };
    let (light, dark) = (properties(Paint::light), properties(Paint::dark));
    let mut css = format!(
        ":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n@media print{{:root{{{light}}}}}\n\
         .chart{{max-width:100%;height:auto}}\n"
    );
    for paint in Paint::ALL {
        let name = paint.name();
        let _ = writeln!(
            css,
            ".chart-fill-{name}{{fill:var(--chart-{name})}}\n.chart-stroke-{name}{{stroke:var(--chart-{name})}}"
        );
    }
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people without the cones for red, green or blue see of linear light (Machado, Oliveira and Fernandes 2009).
    const COLOUR_BLIND: [[[f64; 3]; 3]; 3] = [
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ];

    /// A colour of sRGB as linear light: red, green and blue.
    fn linear(colour: &str) -> [f64; 3] {
        [1, 3, 5].map(|at| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// The relative luminance of WCAG 2.2.
    fn luminance(colour: &str) -> f64 {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Linear light in CIE Lab (D65), in which a difference of 2 is just seen.
    fn lab([red, green, blue]: [f64; 3]) -> [f64; 3] {
        let curve = |value: f64| if value > 0.008856 { value.cbrt() } else { 7.787 * value + 16.0 / 116.0 };
        let x = curve((0.412456 * red + 0.357576 * green + 0.180438 * blue) / 0.95047);
        let y = curve(0.212673 * red + 0.715152 * green + 0.072175 * blue);
        let z = curve((0.019334 * red + 0.119192 * green + 0.950304 * blue) / 1.08883);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn text_and_graphics_have_the_contrast_of_wcag() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        for theme in [Theme::Light, Theme::Dark] {
            let colour = |paint| theme.colour(paint);
            for text in [Paint::Ink, Paint::Muted] {
                for below in [Paint::Surface, Paint::Band] {
                    let found = contrast(colour(text), colour(below));
                    assert!(found >= 4.5, "{theme:?} {text:?} on {below:?}: {found:.2}");
                }
            }
            for graphic in [Paint::Usual, Paint::High, Paint::Low] {
                let found = contrast(colour(graphic), colour(Paint::Surface));
                assert!(found >= 3.0, "{theme:?} {graphic:?}: {found:.2}");
            }
        }
    }

    #[test]
    fn colour_blind_readers_tell_what_is_more_what_is_less_and_what_is_usual() {
        for theme in [Theme::Light, Theme::Dark] {
            for (missing, cones) in ["red", "green", "blue"].iter().zip(COLOUR_BLIND) {
                let seen = |paint: Paint| {
                    let light = linear(theme.colour(paint));
                    let part = |row: [f64; 3]| row.iter().zip(light).map(|(weight, part)| weight * part).sum::<f64>();
                    lab(cones.map(|row| part(row).clamp(0.0, 1.0)))
                };
                for (one, other) in [(Paint::High, Paint::Low), (Paint::High, Paint::Usual), (Paint::Low, Paint::Usual)]
                {
                    let squares = seen(one).into_iter().zip(seen(other)).map(|(one, other)| (one - other).powi(2));
                    let apart = squares.sum::<f64>().sqrt();
                    assert!(apart >= 20.0, "{theme:?} without {missing}: {one:?} and {other:?}: {apart:.1}");
                }
            }
        }
    }

    #[test]
    fn the_style_sheet_has_each_colour_in_both_themes() {
        let css = stylesheet();
        for paint in Paint::ALL {
            for part in [
                format!("--chart-{}:{};", paint.name(), paint.light()),
                format!("--chart-{}:{};", paint.name(), paint.dark()),
            ] {
                assert!(css.contains(&part), "{part}");
            }
            assert!(css.contains(&format!(".chart-fill-{}{{", paint.name())));
        }
    }
}
