//! Shapes that a picture has several times, in one width or in both: the page has each of them once, and draws it by
//! `<use>` wherever it occurs. A map then has the outline of each province once, and a funnel one circle for all branches
//! that look alike.

use std::collections::HashMap;
use std::fmt::Write;

/// Shapes that are not longer than this, in bytes, are written out: an id and its uses would be as long.
const SHORTEST: usize = 60;

/// The text before the drawing in a document of `jobs::charts`.
const DESCRIBED: &str = "</desc>";

const OUTLINE: &str = "<path fill-rule=\"evenodd\"";

/// An element that `<use>` can draw.
struct Element {
    /// Its markup up to the end, without the attributes that differ from use to use.
    shape: String,
    /// The attributes that differ.
    own: String,
}

/// The element that a part of a document is; None if it is of another kind. Attributes hold no `>`, which is escaped.
fn element(part: &str) -> Option<Element> {
    let inside = part.strip_suffix("/>")?;
    if let Some(rest) = inside.strip_prefix(OUTLINE) {
        let (before, rest) = rest.split_once(" d=\"")?;
        let (outline, after) = rest.split_once('"')?;
        return Some(Element { shape: format!("{OUTLINE} d=\"{outline}\""), own: format!("{before}{after}") });
    }
    let rest = inside.strip_prefix("<circle cx=\"")?;
    let (x, rest) = rest.split_once("\" cy=\"")?;
    let (y, look) = rest.split_once('"')?;
    Some(Element { shape: format!("<circle{look}"), own: format!(" x=\"{x}\" y=\"{y}\"") })
}

/// Writes the repeated shapes of a picture once, into its wide document. `name` begins their ids. The narrow document
/// draws them, too, where the style sheet hides the wide one: that hides no copy of what is in it.
pub fn shared(name: &str, wide: &str, narrow: &str) -> (String, String) {
    let documents =
        [wide, narrow].map(|svg| svg.split_inclusive('>').map(|part| (part, element(part))).collect::<Vec<_>>());
    let mut times: HashMap<&str, usize> = HashMap::new();
    for (_, element) in documents.iter().flatten() {
        if let Some(element) = element {
            *times.entry(&element.shape).or_default() += 1;
        }
    }
    let mut ids: HashMap<&str, String> = HashMap::new();
    let mut shapes = String::new();
    let [svg, narrow] = documents.each_ref().map(|document| {
        let mut svg = String::new();
        for (part, element) in document {
            let repeated = element.as_ref().filter(|one| one.shape.len() > SHORTEST && times[one.shape.as_str()] > 1);
            let Some(Element { shape, own }) = repeated else {
                svg.push_str(part);
                continue;
            };
            let number = ids.len();
            let id = ids.entry(shape).or_insert_with(|| {
                let id = format!("{name}-shape-{number}");
                let _ = write!(shapes, "{shape} id=\"{id}\"/>");
                id
            });
            let _ = write!(svg, "<use href=\"#{id}\"{own}/>");
        }
        svg
    });
    let svg = match shapes.is_empty() {
        true => svg,
        false => svg.replacen(DESCRIBED, &format!("{DESCRIBED}<defs>{shapes}</defs>"), 1),
    };
    (svg, narrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_PROVINCE: &str = "M3141 5926l535 89 79 32 38 46 26 43 38 32 79 50 28 84z";
    const LOOK: &str = " r=\"3.5\" fill=\"#dfe3e8\" stroke=\"#6b7480\" stroke-width=\"1\" class=\"chart-fill-band\"";

    fn document(body: &str) -> String {
        format!("<svg><title id=\"t\">A &gt; B</title><desc id=\"d\">C</desc>{body}</svg>\n")
    }

    #[test]
    fn a_shape_that_occurs_again_is_there_once_and_keeps_its_place_and_its_colours() {
        let province = |attributes: &str, look: &str| format!("<path{attributes} d=\"{OF_PROVINCE}\"{look}/>");
        let even = " fill-rule=\"evenodd\"";
        let hatched = format!("{even} fill=\"url(#map-high)\"");
        let wide = document(&format!(
            "<g><title>Huế</title>{}{}</g><path d=\"M0 0l1 1\"/>",
            province(even, " stroke=\"#111\" class=\"a\""),
            province(&hatched, " stroke=\"#222\"")
        ));
        let narrow = document(&province(even, " stroke=\"#333\""));
        let (svg, of_narrow) = shared("map", &wide, &narrow);
        let shape = format!("<defs><path{even} d=\"{OF_PROVINCE}\" id=\"map-shape-0\"/></defs>");
        let uses = "<use href=\"#map-shape-0\" stroke=\"#111\" class=\"a\"/>\
                    <use href=\"#map-shape-0\" fill=\"url(#map-high)\" stroke=\"#222\"/>";
        let body = format!("{shape}<g><title>Huế</title>{uses}</g><path d=\"M0 0l1 1\"/>");
        assert_eq!(svg, document(&body));
        assert_eq!(of_narrow, document("<use href=\"#map-shape-0\" stroke=\"#333\"/>"));
    }

    #[test]
    fn circles_that_look_alike_are_one() {
        let circle = |x: &str, y: &str| format!("<circle cx=\"{x}\" cy=\"{y}\"{LOOK}/>");
        let wide =
            document(&format!("{}{}<circle cx=\"1\" cy=\"2\" r=\"9\"/>", circle("1.5", "2"), circle("7", "8.1")));
        let (svg, narrow) = shared("funnel", &wide, &document("nothing"));
        let shape = format!("<defs><circle{LOOK} id=\"funnel-shape-0\"/></defs>");
        let uses = "<use href=\"#funnel-shape-0\" x=\"1.5\" y=\"2\"/><use href=\"#funnel-shape-0\" x=\"7\" y=\"8.1\"/>";
        assert_eq!(svg, document(&format!("{shape}{uses}<circle cx=\"1\" cy=\"2\" r=\"9\"/>")));
        assert_eq!(narrow, document("nothing"));
    }

    #[test]
    fn a_document_without_repeated_shapes_stays_as_it_is() {
        let one =
            document(&format!("<path fill-rule=\"evenodd\" d=\"{OF_PROVINCE}\"/><circle cx=\"1\" cy=\"1\" r=\"2\"/>"));
        let other = document("<circle cx=\"1\" cy=\"1\" r=\"2\"/>");
        assert_eq!(shared("map", &one, &other), (one, other));
    }
}
