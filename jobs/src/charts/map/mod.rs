//! Vietnam with Hoàng Sa and Trường Sa, and the areas whose numbers chance hardly explains.

mod areas;
mod outline;
mod places;

pub use areas::{Area as ProvinceArea, Located, areas, unusual};
pub use places::{Branches, Place, Places, Unit};

use super::canvas::{Anchor, Canvas, Look, Px, TEXT_SIZE, Type, escape};
use super::frame::{Frame, Key, MARGIN};
use super::labels::{self, Area};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Unusual, Width, Words, text};
use crate::JobError;
use outline::{Atlas, Shape};

/// Shapes of these ids are archipelagos. Their names are on every map.
const ARCHIPELAGOS: [(&str, &str); 2] = [("hoangsa", "map-hoangsa"), ("truongsa", "map-truongsa")];
const USUAL: Look = Look::fill(Paint::Band).edged(Paint::Usual, 0.7);
const WITHOUT_DATA: Look = Look::fill(Paint::Surface).edged(Paint::Usual, 0.5);
/// A label is at most this wide, in px.
const LABEL: f64 = 170.0;

/// The data of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapData {
    /// The name of the measure.
    pub what: String,
    /// The name of the areas, in the plural.
    pub areas_name: String,
    pub areas: Vec<MapArea>,
}

/// A province or the provinces of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct MapArea {
    pub label: String,
    /// Ids of shapes: see [`Places`]. Areas without a shape are only in the table.
    pub shapes: Vec<String>,
    /// Both are 0 where there are no data.
    pub observed: f64,
    pub expected: f64,
    /// Whether chance hardly explains the difference.
    pub unusual: Option<Unusual>,
}

/// Draws a map.
///
/// # Errors
/// `Template` when a message is missing, or when an area names a shape that does not exist.
pub fn chart(data: &MapData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let atlas = outline::atlas()?;
    let drawn = data.areas.iter().map(|area| Ok((area, shapes(atlas, area)?))).collect::<Result<Vec<_>, JobError>>()?;
    let mut frame = Frame::new(title(data, words)?, words, style);
    let top = frame.top;
    let across = frame.width - 2.0 * MARGIN;
    // A wide map would be higher than a screen.
    let scale = match style.width {
        Width::Wide => (560.0 / atlas.height).min(across / atlas.width),
        Width::Narrow => across / atlas.width,
    };
    let corner = (MARGIN + (across - atlas.width * scale) / 2.0, top);
    patterns(&mut frame, scale / atlas.grid);
    begin(&mut frame, corner, scale / atlas.grid);
    let stroke = atlas.grid / scale;
    let named = |id: &str| data.areas.iter().any(|area| area.shapes.iter().any(|shape| shape == id));
    for shape in atlas.shapes.iter().filter(|shape| !named(&shape.id)) {
        let is_archipelago = ARCHIPELAGOS.iter().any(|(id, _)| *id == shape.id);
        let look = if is_archipelago { USUAL } else { WITHOUT_DATA };
        path(&mut frame.canvas, &outline::path(&[shape]), look, stroke);
    }
    for (area, shapes) in &drawn {
        frame.canvas.begin(&tooltip(area, words));
        let outline = outline::path(shapes);
        let has_data = area.observed > 0.0 || area.expected > 0.0;
        path(&mut frame.canvas, &outline, if has_data { USUAL } else { WITHOUT_DATA }, stroke);
        if let Some(unusual) = area.unusual {
            hatched(&mut frame, &outline, unusual, stroke);
        }
        frame.canvas.end();
    }
    frame.canvas.end();
    let bottom = top + atlas.height * scale + MARGIN;
    let px = |(x, y): (f64, f64)| (corner.0 + x * scale, corner.1 + y * scale);
    draw_labels(&mut frame, (top, bottom), atlas, &drawn, px)?;
    let height = legend(&mut frame, bottom)?;
    let alt = alt(&frame, data)?;
    Ok(frame.finish(alt, table(data, words)?, height))
}

fn shapes<'a>(atlas: &'a Atlas, area: &MapArea) -> Result<Vec<&'a Shape>, JobError> {
    let found = area.shapes.iter().map(|id| {
        let found = atlas.shapes.iter().find(|shape| shape.id == *id);
        found.ok_or_else(|| {
            JobError::Template(format!("map: “{}” has the shape {id}, which does not exist", area.label))
        })
    });
    found.collect()
}

/// The hatchings of unusual areas: they differ without colours.
fn patterns(frame: &mut Frame<'_>, scale: f64) {
    let id = escape(frame.style.id);
    let mut element = String::from("<defs>");
    for (name, paint, turn) in [("high", Paint::High, 45), ("low", Paint::Low, -45)] {
        let look = frame.canvas.attributes(Look::line(paint, 2.0));
        element.push_str(&format!(
            "<pattern id=\"{id}-{name}\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"scale({:.4}) rotate({turn})\"><line x1=\"0\" y1=\"2.5\" x2=\"5\" y2=\"2.5\"{look}/></pattern>",
            1.0 / scale
        ));
    }
    element.push_str("</defs>");
    frame.canvas.raw(&element);
}

/// Begins a group in the units of the atlas.
fn begin(frame: &mut Frame<'_>, corner: (f64, f64), scale: f64) {
    let (x, y) = (Px(corner.0), Px(corner.1));
    frame.canvas.raw(&format!("<g transform=\"translate({x} {y}) scale({scale:.5})\" stroke-linejoin=\"round\">"));
}

/// Draws a path whose stroke keeps its width when the group is scaled.
fn path(canvas: &mut Canvas, outline: &str, look: Look, stroke: f64) {
    let look = canvas.attributes(look.scaled(stroke));
    canvas.raw(&format!("<path fill-rule=\"evenodd\" d=\"{outline}\"{look}/>"));
}

fn hatched(frame: &mut Frame<'_>, outline: &str, unusual: Unusual, stroke: f64) {
    let (name, paint) = match unusual {
        Unusual::High => ("high", Paint::High),
        Unusual::Low => ("low", Paint::Low),
    };
    let edge = frame.canvas.attributes(Look::line(paint, 1.6).scaled(stroke)).replacen(" fill=\"none\"", "", 1);
    let id = escape(frame.style.id);
    frame.canvas.raw(&format!("<path fill-rule=\"evenodd\" fill=\"url(#{id}-{name})\" d=\"{outline}\"{edge}/>"));
}

/// Marks unusual areas and names them, and names the archipelagos.
fn draw_labels(
    frame: &mut Frame<'_>,
    (top, bottom): (f64, f64),
    atlas: &Atlas,
    drawn: &[(&MapArea, Vec<&Shape>)],
    px: impl Fn((f64, f64)) -> (f64, f64),
) -> Result<(), JobError> {
    let mut places = labels::Places::new(Area(0.0, top - 4.0, frame.width, bottom));
    for (id, word) in ARCHIPELAGOS {
        let Some(shape) = atlas.shapes.iter().find(|shape| shape.id == id) else { continue };
        let name = frame.words.word(word)?;
        let (left, above, right, below) = shape.bounds;
        let ((left, above), (right, below)) = (px((left, above)), px((right, below)));
        places.take(Area(left, above, right, below));
        // Above the islands, inside of the picture.
        let half = text::width(&name, TEXT_SIZE, false) / 2.0;
        let middle = ((left + right) / 2.0).min(frame.width - MARGIN - half);
        let at = (middle, above - 6.0);
        places.take(Area::of_text(at, half * 2.0, Anchor::Middle));
        frame.canvas.text(at, &name, Type::muted(Anchor::Middle));
    }
    let unusual: Vec<_> = drawn
        .iter()
        .filter_map(|(area, shapes)| {
            // The mark is on the largest province.
            let largest = shapes.iter().max_by(|one, other| one.size.total_cmp(&other.size))?;
            Some((px(largest.middle), area.unusual?, *area))
        })
        .collect();
    for (at, mark, _) in &unusual {
        places.take(Area(at.0 - 7.0, at.1 - 7.0, at.0 + 7.0, at.1 + 7.0));
        frame.canvas.unusual(*at, *mark);
    }
    for (at, _, area) in unusual {
        let label = text::elide(&area.label, LABEL, TEXT_SIZE, false);
        if let Some((beside, anchor)) = places.beside(at, &label) {
            // Letters need a surface of their own over borders and hatchings.
            let Area(left, above, right, below) = Area::of_text(beside, text::width(&label, TEXT_SIZE, false), anchor);
            let corner = (left - 2.0, above);
            frame.canvas.rect(corner, (right - left + 4.0, below - above), Look::fill(Paint::Surface));
            frame.canvas.text(beside, &label, Type::ink(anchor));
        }
    }
    Ok(())
}

fn legend(frame: &mut Frame<'_>, top: f64) -> Result<f64, JobError> {
    let words = frame.words;
    let keys = vec![
        (Key::Unusual(Unusual::High), words.word("more-than-usual")?),
        (Key::Unusual(Unusual::Low), words.word("less-than-usual")?),
        (Key::Area(USUAL), words.word("usual")?),
        (Key::Area(WITHOUT_DATA), words.word("map-no-data")?),
    ];
    let bottom = frame.legend(top, keys);
    Ok(frame.note(bottom, &words.word("map-source")?))
}

fn tooltip(area: &MapArea, words: &Words) -> String {
    format!("{}: {} / {}", area.label, words.rounded(area.observed), words.rounded(area.expected))
}

fn labels_of(data: &MapData, unusual: Unusual) -> Vec<&str> {
    let found = data.areas.iter().filter(|area| area.unusual == Some(unusual));
    found.map(|area| area.label.as_str()).collect()
}

fn title(data: &MapData, words: &Words) -> Result<String, JobError> {
    let (high, low) = (labels_of(data, Unusual::High).len(), labels_of(data, Unusual::Low).len());
    let key = match (data.areas.len(), high, low) {
        (0, _, _) => "map-none",
        (_, 0, 0) => "map-usual",
        _ => "map-title",
    };
    words.text(
        key,
        &[
            ("all", data.areas.len().into()),
            ("high", high.into()),
            ("low", low.into()),
            ("what", data.what.as_str().into()),
            ("areas", data.areas_name.as_str().into()),
        ],
    )
}

fn alt(frame: &Frame<'_>, data: &MapData) -> Result<String, JobError> {
    let mut sentences = vec![frame.sentence()];
    for (unusual, key) in [(Unusual::High, "map-alt-high"), (Unusual::Low, "map-alt-low")] {
        let labels = labels_of(data, unusual);
        if !labels.is_empty() {
            sentences.push(frame.words.text(key, &[("labels", frame.words.list(&labels)?.into())])?);
        }
    }
    Ok(sentences.join(" "))
}

fn table(data: &MapData, words: &Words) -> Result<ChartTable, JobError> {
    let header = vec![
        data.areas_name.clone(),
        words.word("observed")?,
        words.word("expected")?,
        words.word("ratio")?,
        words.word("map-unusual")?,
    ];
    let (more, less) = (words.word("more-than-usual")?, words.word("less-than-usual")?);
    let rows = data.areas.iter().map(|area| {
        let ratio = area.observed / area.expected;
        vec![
            area.label.clone(),
            words.number(area.observed, 2),
            words.number(area.expected, 2),
            if ratio.is_finite() { words.number(ratio, 2) } else { String::new() },
            match area.unusual {
                Some(Unusual::High) => more.clone(),
                Some(Unusual::Low) => less.clone(),
                None => String::new(),
            },
        ]
    });
    Ok(ChartTable { header, rows: rows.collect() })
}
