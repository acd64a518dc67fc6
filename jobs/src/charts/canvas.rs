//! Writes SVG elements. Colours are attributes and classes: the pages' CSP forbids styles inside of a document.

use super::theme::{Paint, Theme};
use super::{Unusual, text};
use std::fmt::{Display, Write};

/// The size of letters in px, of the title and of everything else.
pub const TITLE_SIZE: f64 = 15.0;
pub const TEXT_SIZE: f64 = 12.0;

/// A number of SVG: at most one decimal.
pub struct Px(pub f64);

impl Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round() / 10.0;
        // Adding 0 removes the sign of -0.
        write!(f, "{}", tenths + 0.0)
    }
}

/// Text for XML: markup escaped, and without control characters, which XML forbids.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            _ if letter.is_control() => escaped.push(' '),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Paint of a shape.
#[derive(Clone, Copy)]
pub struct Look {
    fill: Option<Paint>,
    stroke: Option<(Paint, f64)>,
    dash: Option<&'static str>,
}

impl Look {
    pub const fn fill(paint: Paint) -> Self {
        Self { fill: Some(paint), stroke: None, dash: None }
    }

    pub const fn line(paint: Paint, width: f64) -> Self {
        Self { fill: None, stroke: Some((paint, width)), dash: None }
    }

    pub const fn edged(self, paint: Paint, width: f64) -> Self {
        Self { stroke: Some((paint, width)), ..self }
    }

    /// The same paint, with a stroke that many times as wide.
    pub fn scaled(self, times: f64) -> Self {
        let stroke = self.stroke.map(|(paint, width)| (paint, (width * times * 100.0).round() / 100.0));
        Self { stroke, ..self }
    }

    pub const fn dashed(self, dash: &'static str) -> Self {
        Self { dash: Some(dash), ..self }
    }
}

/// The part of a text that its position gives: beginning, end or middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// Size, weight and anchor of a text.
#[derive(Clone, Copy)]
pub struct Type {
    pub anchor: Anchor,
    pub paint: Paint,
    pub bold: bool,
    pub size: f64,
}

impl Type {
    pub const fn muted(anchor: Anchor) -> Self {
        Self { anchor, paint: Paint::Muted, bold: false, size: TEXT_SIZE }
    }

    pub const fn ink(anchor: Anchor) -> Self {
        Self { anchor, paint: Paint::Ink, bold: false, size: TEXT_SIZE }
    }
}

/// The elements of a chart, in the order of drawing.
pub struct Canvas {
    pub theme: Theme,
    body: String,
}

impl Canvas {
    pub const fn new(theme: Theme) -> Self {
        Self { theme, body: String::new() }
    }

    pub fn into_body(self) -> String {
        self.body
    }

    /// Elements of their own kind, already escaped.
    pub fn raw(&mut self, element: &str) {
        self.body.push_str(element);
    }

    /// The attributes of a style.
    pub fn attributes(&self, look: Look) -> String {
        let mut found = String::new();
        match look.fill {
            Some(paint) => self.write(&mut found, "fill", paint),
            None => found.push_str(" fill=\"none\""),
        }
        if let Some((paint, width)) = look.stroke {
            self.write(&mut found, "stroke", paint);
            let _ = write!(found, " stroke-width=\"{width}\"");
        }
        if let Some(dash) = look.dash {
            let _ = write!(found, " stroke-dasharray=\"{dash}\"");
        }
        if self.theme == Theme::Css {
            let mut classes = Vec::new();
            classes.extend(look.fill.map(|paint| format!("chart-fill-{}", paint.name())));
            classes.extend(look.stroke.map(|(paint, _)| format!("chart-stroke-{}", paint.name())));
            let _ = write!(found, " class=\"{}\"", classes.join(" "));
        }
        found
    }

    fn write(&self, to: &mut String, attribute: &str, paint: Paint) {
        let _ = write!(to, " {attribute}=\"{}\"", self.theme.colour(paint));
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), look: Look) {
        let look = self.attributes(look);
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ =
            write!(self.body, "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"{look}/>", Px(x1), Px(y1), Px(x2), Px(y2));
    }

    /// A rectangle by its left upper corner and its size; nothing when it has no area.
    pub fn rect(&mut self, corner: (f64, f64), size: (f64, f64), look: Look) {
        if size.0 <= 0.0 || size.1 <= 0.0 {
            return;
        }
        let look = self.attributes(look);
        let _ = write!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{look}/>",
            Px(corner.0),
            Px(corner.1),
            Px(size.0),
            Px(size.1)
        );
    }

    pub fn circle(&mut self, middle: (f64, f64), radius: f64, look: Look) {
        let look = self.attributes(look);
        let _ =
            write!(self.body, "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"{look}/>", Px(middle.0), Px(middle.1), Px(radius));
    }

    /// Lines through points; nothing for fewer than two.
    pub fn polyline(&mut self, points: &[(f64, f64)], look: Look) {
        if points.len() > 1 {
            self.points("polyline", points, look);
        }
    }

    /// A closed area; nothing for fewer than three points.
    pub fn polygon(&mut self, points: &[(f64, f64)], look: Look) {
        if points.len() > 2 {
            self.points("polygon", points, look);
        }
    }

    fn points(&mut self, element: &str, points: &[(f64, f64)], look: Look) {
        let look = self.attributes(look);
        let _ = write!(self.body, "<{element} points=\"");
        for (n, (x, y)) in points.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            let _ = write!(self.body, "{space}{},{}", Px(*x), Px(*y));
        }
        let _ = write!(self.body, "\" stroke-linejoin=\"round\"{look}/>");
    }

    /// The mark of a value that chance hardly explains: shape and direction repeat the meaning of its colour.
    pub fn unusual(&mut self, middle: (f64, f64), unusual: Unusual) {
        const SIZE: f64 = 6.0;
        let (x, y) = middle;
        let (paint, tip) = match unusual {
            Unusual::High => (Paint::High, -1.0),
            Unusual::Low => (Paint::Low, 1.0),
        };
        let corners = [(x, y + tip * SIZE), (x - SIZE, y - tip * SIZE * 0.75), (x + SIZE, y - tip * SIZE * 0.75)];
        self.polygon(&corners, Look::fill(paint).edged(Paint::Surface, 1.0));
    }

    /// Begins a group with a tooltip, which [`Canvas::end`] ends.
    pub fn begin(&mut self, tooltip: &str) {
        let _ = write!(self.body, "<g><title>{}</title>", escape(tooltip));
    }

    pub fn end(&mut self) {
        self.body.push_str("</g>");
    }

    /// A text in one line, by the left, middle or right end of its baseline.
    pub fn text(&mut self, at: (f64, f64), text: &str, look: Type) {
        let anchor = match look.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let bold = if look.bold { " font-weight=\"700\"" } else { "" };
        let paint = self.attributes(Look::fill(look.paint));
        let _ = write!(
            self.body,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{anchor}{bold}{paint}>{}</text>",
            Px(at.0),
            Px(at.1),
            Px(look.size),
            escape(text)
        );
    }

    /// A text shortened to `most` px. The tooltip has it in full.
    pub fn short_text(&mut self, at: (f64, f64), full: &str, most: f64, look: Type) {
        let short = text::elide(full, most, look.size, look.bold);
        if short == full {
            self.text(at, full, look);
        } else {
            self.begin(full);
            self.text(at, &short, look);
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_text_is_escaped() {
        assert_eq!(format!("{} {} {}", Px(1.25), Px(-0.01), Px(3.0)), "1.3 0 3");
        assert_eq!(escape("<b> & \"c\" 'd'\u{0}"), "&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; ");
    }

    #[test]
    fn marks_differ_without_colours() {
        let shape = |unusual| {
            let mut canvas = Canvas::new(Theme::Light);
            canvas.unusual((10.0, 10.0), unusual);
            canvas.into_body().split(" fill=").next().unwrap_or_default().to_owned()
        };
        assert_ne!(shape(Unusual::High), shape(Unusual::Low));
    }

    #[test]
    fn classes_come_only_with_the_theme_of_the_page() {
        let look = Look::fill(Paint::Band).edged(Paint::Ink, 1.5).dashed("3 2");
        let light = Canvas::new(Theme::Light).attributes(look);
        assert_eq!(light, " fill=\"#dfe3e8\" stroke=\"#1b1f24\" stroke-width=\"1.5\" stroke-dasharray=\"3 2\"");
        let css = Canvas::new(Theme::Css).attributes(look);
        assert_eq!(css, format!("{light} class=\"chart-fill-band chart-stroke-ink\""));
    }
}
