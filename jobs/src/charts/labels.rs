//! Places labels so that none lies over another.

use super::canvas::{Anchor, TEXT_SIZE};
use super::text;

/// An area that something takes: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area(pub f64, pub f64, pub f64, pub f64);

impl Area {
    /// The area of a text of one line by its baseline.
    pub fn of_text(at: (f64, f64), width: f64, anchor: Anchor) -> Self {
        let left = match anchor {
            Anchor::Start => at.0,
            Anchor::Middle => at.0 - width / 2.0,
            Anchor::End => at.0 - width,
        };
        Self(left, at.1 - TEXT_SIZE * 0.9, left + width, at.1 + TEXT_SIZE * 0.25)
    }

    fn meets(&self, other: &Self) -> bool {
        self.0 < other.2 && other.0 < self.2 && self.1 < other.3 && other.1 < self.3
    }

    fn is_inside(&self, other: &Self) -> bool {
        self.0 >= other.0 && self.1 >= other.1 && self.2 <= other.2 && self.3 <= other.3
    }
}

/// The areas taken so far, inside of a frame.
pub struct Places {
    frame: Area,
    taken: Vec<Area>,
}

impl Places {
    pub const fn new(frame: Area) -> Self {
        Self { frame, taken: Vec::new() }
    }

    /// Keeps labels off an area.
    pub fn take(&mut self, area: Area) {
        self.taken.push(area);
    }

    /// Takes the area if it is free.
    pub fn take_if_free(&mut self, area: Area) -> bool {
        let is_free = area.is_inside(&self.frame) && !self.taken.iter().any(|taken| taken.meets(&area));
        if is_free {
            self.taken.push(area);
        }
        is_free
    }

    /// The baseline of a point's label: right, left, above or below the point. None without room.
    pub fn beside(&mut self, point: (f64, f64), label: &str) -> Option<((f64, f64), Anchor)> {
        const GAP: f64 = 9.0;
        let (x, y) = point;
        let width = text::width(label, TEXT_SIZE, false);
        let candidates = [
            ((x + GAP, y + 4.0), Anchor::Start),
            ((x - GAP, y + 4.0), Anchor::End),
            ((x, y - GAP), Anchor::Middle),
            ((x, y + GAP + TEXT_SIZE * 0.9), Anchor::Middle),
            ((x + GAP, y - GAP), Anchor::Start),
            ((x - GAP, y - GAP), Anchor::End),
            ((x + GAP, y + GAP + TEXT_SIZE * 0.9), Anchor::Start),
            ((x - GAP, y + GAP + TEXT_SIZE * 0.9), Anchor::End),
        ];
        candidates.into_iter().find(|(at, anchor)| self.take_if_free(Area::of_text(*at, width, *anchor)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_go_where_there_is_room_or_nowhere() {
        let mut places = Places::new(Area(0.0, 0.0, 200.0, 40.0));
        let first = places.beside((50.0, 20.0), "Hà Nội");
        assert_eq!(first, Some(((59.0, 24.0), Anchor::Start)));
        let second = places.beside((50.0, 20.0), "Hà Nội");
        assert_eq!(second, Some(((41.0, 24.0), Anchor::End)));
        for _ in 0..20 {
            places.beside((50.0, 20.0), "Hà Nội");
        }
        assert_eq!(places.beside((50.0, 20.0), "Hà Nội"), None);
        assert_eq!(places.beside((50.0, 20.0), &"Hà Nội".repeat(20)), None, "wider than the frame");
    }
}
