//! The frame of every chart: title, legend, notes and the SVG document.

use super::canvas::{Anchor, Canvas, Look, Px, TEXT_SIZE, TITLE_SIZE, Type, escape};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Unusual, Words, text};
use crate::JobError;

/// The height of the area that data are drawn in, in px.
pub const PLOT_HEIGHT: f64 = 240.0;
/// The margins, in px.
pub const MARGIN: f64 = 8.0;
const LINE_HEIGHT: f64 = 16.0;

/// The sample in front of a text of the legend.
pub enum Key {
    Line(Look),
    Area(Look),
    Circle(Look),
    Unusual(Unusual),
}

/// A chart being drawn.
pub struct Frame<'a> {
    pub words: &'a Words,
    pub style: Style<'a>,
    pub canvas: Canvas,
    /// The width in px.
    pub width: f64,
    /// The upper edge of the part below the title.
    pub top: f64,
    title: String,
}

/// The area that data are drawn in.
#[derive(Debug, Clone, Copy)]
pub struct Plot {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl<'a> Frame<'a> {
    /// Begins with the title.
    pub fn new(title: String, words: &'a Words, style: Style<'a>) -> Self {
        let width = style.width.px();
        let mut canvas = Canvas::new(style.theme);
        let mut y = MARGIN + TITLE_SIZE;
        let look = Type { anchor: Anchor::Start, paint: Paint::Ink, bold: true, size: TITLE_SIZE };
        let lines = text::wrap(&title, width - 2.0 * MARGIN, TITLE_SIZE, true, 3);
        for line in &lines {
            canvas.text((MARGIN, y), line, look);
            y += TITLE_SIZE * 1.3;
        }
        Self { words, style, canvas, width, top: y, title }
    }

    /// The title as a sentence, which the alternative text begins with.
    pub fn sentence(&self) -> String {
        if self.title.ends_with(['.', '…']) { self.title.clone() } else { format!("{}.", self.title) }
    }

    /// The chart without data: a text in place of the drawing.
    ///
    /// # Errors
    /// `Template` when a message is missing.
    pub fn without_data(mut self, table: ChartTable) -> Result<Chart, JobError> {
        let alt = self.title.clone();
        let words = self.words.word("no-data")?;
        let middle = (self.width / 2.0, self.top + PLOT_HEIGHT / 4.0);
        self.canvas.text(middle, &words, Type::muted(Anchor::Middle));
        let height = self.top + PLOT_HEIGHT / 2.0;
        Ok(self.finish(alt, table, height))
    }

    /// The legend in as many lines as it needs, and where the part below it begins.
    pub fn legend(&mut self, top: f64, keys: Vec<(Key, String)>) -> f64 {
        const SYMBOL: f64 = 26.0;
        let (mut x, mut y) = (MARGIN, top + LINE_HEIGHT * 0.75);
        for (key, words) in keys {
            let most = self.width - 2.0 * MARGIN - SYMBOL;
            let taken = SYMBOL + text::width(&words, TEXT_SIZE, false).min(most);
            if x > MARGIN && x + taken > self.width - MARGIN {
                (x, y) = (MARGIN, y + LINE_HEIGHT);
            }
            let middle = (x + 10.0, y - 4.0);
            match key {
                Key::Line(look) => self.canvas.line((x, y - 4.0), (x + 20.0, y - 4.0), look),
                Key::Area(look) => self.canvas.rect((x, y - 9.0), (20.0, 10.0), look),
                Key::Circle(look) => self.canvas.circle(middle, 4.0, look),
                Key::Unusual(unusual) => self.canvas.unusual(middle, unusual),
            }
            self.canvas.short_text((x + SYMBOL, y), &words, most, Type::ink(Anchor::Start));
            x += taken + 14.0;
        }
        y + LINE_HEIGHT * 0.5
    }

    /// A note below, in as many lines as it needs, and where the part below it begins.
    pub fn note(&mut self, top: f64, words: &str) -> f64 {
        let mut y = top;
        for line in text::wrap(words, self.width - 2.0 * MARGIN, TEXT_SIZE, false, 4) {
            y += LINE_HEIGHT;
            self.canvas.text((MARGIN, y), &line, Type::muted(Anchor::Start));
        }
        y + LINE_HEIGHT * 0.25
    }

    /// The whole document. `alt` begins with the title. The description of the picture leaves the title out, because
    /// screen readers say it after the title.
    pub fn finish(self, alt: String, table: ChartTable, height: f64) -> Chart {
        let more = alt.strip_prefix(self.sentence().as_str()).unwrap_or_default().trim_start();
        let background = self.canvas.attributes(Look::fill(Paint::Surface));
        let id = escape(self.style.id);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"'Noto Sans', 'Segoe UI', Roboto, sans-serif\" font-size=\"{TEXT_SIZE}\">\
             <title id=\"{id}-title\">{title}</title><desc id=\"{id}-desc\">{desc}</desc>\
             <rect width=\"{width}\" height=\"{height}\"{background}/>{body}</svg>\n",
            width = Px(self.width),
            height = Px(height.ceil() + MARGIN),
            title = escape(&self.title),
            desc = escape(more),
            body = self.canvas.into_body(),
        );
        Chart { title: self.title, alt, table, svg }
    }
}
