//! The shapes of vietnam.json and the outline of several of them together.

use crate::JobError;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::LazyLock;

/// A point of the grid.
type Point = (i32, i32);

/// All shapes, in units of the map.
pub struct Atlas {
    /// Points of the grid in a unit of the map.
    pub grid: f64,
    pub width: f64,
    pub height: f64,
    pub shapes: Vec<Shape>,
}

pub struct Shape {
    pub id: String,
    /// A point inside, in units of the map.
    pub middle: (f64, f64),
    /// Left, top, right and bottom, in units of the map.
    pub bounds: (f64, f64, f64, f64),
    /// The width by the height: enough to compare provinces.
    pub size: f64,
    rings: Vec<Vec<Point>>,
}

#[derive(Deserialize)]
struct File {
    grid: f64,
    width: f64,
    height: f64,
    shapes: Vec<FileShape>,
}

#[derive(Deserialize)]
struct FileShape {
    id: String,
    middle: Point,
    /// The coordinates of each ring, x before y, with spaces between them.
    rings: Vec<String>,
}

static ATLAS: LazyLock<Result<Atlas, String>> = LazyLock::new(|| read(include_str!("vietnam.json")));

/// The map of the program.
///
/// # Errors
/// `Template` when its file is malformed.
pub fn atlas() -> Result<&'static Atlas, JobError> {
    ATLAS.as_ref().map_err(|error| JobError::Template(format!("vietnam.json: {error}")))
}

fn read(json: &str) -> Result<Atlas, String> {
    let file: File = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let unit = |value: i32| f64::from(value) / file.grid;
    let mut shapes = Vec::new();
    for shape in &file.shapes {
        let rings = shape.rings.iter().map(|ring| points(ring)).collect::<Result<Vec<_>, _>>()?;
        let all = || rings.iter().flatten();
        let (left, right) = (all().map(|point| point.0).min(), all().map(|point| point.0).max());
        let (top, bottom) = (all().map(|point| point.1).min(), all().map(|point| point.1).max());
        let (Some(left), Some(right), Some(top), Some(bottom)) = (left, right, top, bottom) else {
            return Err(format!("{} has no points", shape.id));
        };
        let bounds = (unit(left), unit(top), unit(right), unit(bottom));
        shapes.push(Shape {
            id: shape.id.clone(),
            middle: (unit(shape.middle.0), unit(shape.middle.1)),
            bounds,
            size: (bounds.2 - bounds.0) * (bounds.3 - bounds.1),
            rings,
        });
    }
    Ok(Atlas { grid: file.grid, width: file.width, height: file.height, shapes })
}

fn points(ring: &str) -> Result<Vec<Point>, String> {
    let values = ring.split(' ').map(str::parse).collect::<Result<Vec<i32>, _>>().map_err(|error| error.to_string())?;
    Ok(values.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}

/// The outline of shapes as SVG path data, in points of the grid. Borders between two of the shapes are not part of it.
pub fn path(shapes: &[&Shape]) -> String {
    let mut path = String::new();
    for ring in outline(shapes) {
        let mut before: Option<Point> = None;
        for point in ring {
            let _ = match before {
                None => write!(path, "M{} {}l", point.0, point.1),
                Some(last) => write!(path, "{} {} ", point.0 - last.0, point.1 - last.1),
            };
            before = Some(point);
        }
        path.truncate(path.trim_end().len());
        path.push('z');
    }
    path
}

fn outline(shapes: &[&Shape]) -> Vec<Vec<Point>> {
    // Neighbours share the edges of their border: an edge that occurs twice is inside.
    let mut edges: BTreeSet<(Point, Point)> = BTreeSet::new();
    for ring in shapes.iter().flat_map(|shape| &shape.rings) {
        for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            let edge = (*from.min(to), *from.max(to));
            if !edges.remove(&edge) {
                edges.insert(edge);
            }
        }
    }
    let mut neighbours: BTreeMap<Point, Vec<Point>> = BTreeMap::new();
    for (from, to) in edges {
        neighbours.entry(from).or_default().push(to);
        neighbours.entry(to).or_default().push(from);
    }
    let mut rings = Vec::new();
    while let Some(start) = neighbours.iter().find(|(_, others)| !others.is_empty()).map(|(point, _)| *point) {
        rings.push(ring_from(start, &mut neighbours));
        neighbours.retain(|_, others| !others.is_empty());
    }
    rings
}

/// Follows edges from a point as far as they lead, and removes them.
fn ring_from(start: Point, neighbours: &mut BTreeMap<Point, Vec<Point>>) -> Vec<Point> {
    let (mut ring, mut at) = (vec![start], start);
    while let Some(next) = neighbours.get_mut(&at).and_then(Vec::pop) {
        if let Some(back) = neighbours.get_mut(&next)
            && let Some(index) = back.iter().position(|point| *point == at)
        {
            back.swap_remove(index);
        }
        if next == start {
            break;
        }
        ring.push(next);
        at = next;
    }
    ring
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(id: &str) -> &'static Shape {
        atlas().unwrap().shapes.iter().find(|shape| shape.id == id).unwrap()
    }

    fn rings(path: &str) -> usize {
        path.matches('z').count()
    }

    #[test]
    fn the_map_has_63_provinces_and_both_archipelagos() {
        let atlas = atlas().unwrap();
        assert_eq!(atlas.shapes.len(), 65);
        assert!(rings(&path(&[shape("hoangsa")])) > 5);
        assert!(rings(&path(&[shape("truongsa")])) > 40);
        for shape in &atlas.shapes {
            let (left, top, right, bottom) = shape.bounds;
            let (x, y) = shape.middle;
            assert!(left >= 0.0 && right <= atlas.width && top >= 0.0 && bottom <= atlas.height, "{}", shape.id);
            assert!(x >= left && x <= right && y >= top && y <= bottom, "{}", shape.id);
        }
    }

    #[test]
    fn provinces_together_have_one_outline() {
        let (one, other) = (shape("tuyenquang"), shape("hagiang"));
        assert_eq!((rings(&path(&[one])), rings(&path(&[other]))), (1, 1));
        let together = path(&[one, other]);
        assert_eq!(rings(&together), 1);
        assert!(together.len() < path(&[one]).len() + path(&[other]).len());
        assert!(together.starts_with('M') && together.ends_with('z'));
        assert_eq!(path(&[]), "");
    }

    #[test]
    fn a_malformed_file_says_what_is_wrong() {
        let with = |rings: &str| {
            format!(r#"{{"grid":1,"width":2,"height":2,"shapes":[{{"id":"a","middle":[1,1],"rings":{rings}}}]}}"#)
        };
        assert!(read(&with(r#"["0 0 2 0 2 2"]"#)).is_ok());
        assert!(read(&with(r#"["0 x"]"#)).is_err());
        assert_eq!(read(&with("[]")).err(), Some("a has no points".into()));
    }
}
