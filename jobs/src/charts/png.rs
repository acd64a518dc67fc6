//! Charts as PNG, for readers of mail, which show no SVG.

use super::Chart;
use crate::JobError;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, Source};
use resvg::usvg::{Options, Tree};
use std::sync::{Arc, LazyLock};

/// Noto Sans with the letters of Vietnamese (SIL OFL 1.1).
pub const FONT_REGULAR: &[u8] = include_bytes!("font/NotoSans-Regular.ttf");
pub const FONT_BOLD: &[u8] = include_bytes!("font/NotoSans-Bold.ttf");
const FAMILY: &str = "Noto Sans";

/// The embedded fonts and no others: a chart looks the same on every machine.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    for font in [FONT_REGULAR, FONT_BOLD] {
        fonts.load_font_source(Source::Binary(Arc::new(font)));
    }
    fonts.set_sans_serif_family(FAMILY);
    Arc::new(fonts)
});

/// Draws a chart. `scale` is the number of pixels of the picture for one of the chart: 2 for screens of today.
///
/// # Errors
/// `Template` when the chart cannot be drawn at this scale.
pub fn png(chart: &Chart, scale: f32) -> Result<Vec<u8>, JobError> {
    let broken = |what: String| JobError::Template(format!("the picture of the chart “{}”: {what}", chart.title));
    let options = Options { font_family: FAMILY.to_owned(), fontdb: FONTS.clone(), ..Options::default() };
    let tree = Tree::from_str(&chart.svg, &options).map_err(|error| broken(error.to_string()))?;
    let size = tree.size().to_int_size().scale_by(scale).ok_or_else(|| broken(format!("no size at scale {scale}")))?;
    let pixmap = Pixmap::new(size.width(), size.height());
    let mut pixmap = pixmap.ok_or_else(|| broken(format!("too large at scale {scale}")))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(|error| broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::ChartTable;

    fn drawn(text: &str) -> Vec<u8> {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\"><text x=\"2\" y=\"15\" \
             font-family=\"'Noto Sans'\" font-size=\"12\">{text}</text></svg>"
        );
        let table = ChartTable { header: Vec::new(), rows: Vec::new() };
        png(&Chart { title: String::new(), alt: String::new(), table, svg }, 2.0).unwrap()
    }

    #[test]
    fn each_vietnamese_letter_is_drawn_as_itself() {
        let empty = drawn("");
        // A letter that the font lacks is drawn as nothing, or as the same box for all.
        let letters = "ăâđêôơưĂÂĐÊÔƠƯáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ…–₫";
        let pictures: std::collections::HashSet<_> = letters.chars().map(|letter| drawn(&letter.to_string())).collect();
        assert_eq!(pictures.len(), letters.chars().count());
        assert!(!pictures.contains(&empty));
        assert_eq!(&empty[..8], b"\x89PNG\r\n\x1a\n");
    }

    #[test]
    fn a_scale_that_makes_no_picture_is_refused() {
        let table = ChartTable { header: Vec::new(), rows: Vec::new() };
        let chart = Chart { title: "A".into(), alt: String::new(), table, svg: "no SVG".into() };
        assert!(png(&chart, 1.0).unwrap_err().to_string().contains("“A”"));
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\"/>".to_owned();
        assert!(png(&Chart { svg, ..chart }, 0.0).is_err());
    }
}
