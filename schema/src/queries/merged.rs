//! Merges several lists that have no row in common into one page.

use super::keyset::{Direction, Key, Slice, Window};
use std::cmp::Ordering;

/// Merges the same page of several lists that have no row in common. `keys` gives the sort keys of a row; `directions`
/// has the direction of each.
pub(super) fn merged<M>(
    mut slices: Vec<Slice<M>>,
    keys: impl Fn(&M) -> Vec<Key>,
    directions: &[Direction],
    window: &Window,
) -> Slice<M> {
    if slices.len() == 1
        && let Some(only) = slices.pop()
    {
        return only;
    }
    let more = slices.iter().any(|slice| slice.more);
    let mut rows: Vec<(Vec<Key>, M)> =
        slices.into_iter().flat_map(|slice| slice.rows).map(|row| (keys(&row), row)).collect();
    rows.sort_by(|(a, _), (b, _)| {
        let each = a.iter().zip(b).zip(directions).map(|((a, b), direction)| match direction {
            Direction::Asc => a.compare(b),
            Direction::Desc => b.compare(a),
        });
        each.fold(Ordering::Equal, Ordering::then)
    });
    let beyond = rows.len().saturating_sub(window.limit);
    if window.backward {
        rows.drain(..beyond);
    } else {
        rows.truncate(window.limit);
    }
    Slice { rows: rows.into_iter().map(|(_, row)| row).collect(), more: more || beyond > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(rows: &[(i64, i64)], more: bool) -> Slice<(i64, i64)> {
        Slice { rows: rows.to_vec(), more }
    }

    fn page(slices: [Slice<(i64, i64)>; 2], limit: usize, backward: bool) -> (Vec<(i64, i64)>, bool) {
        let keys = |row: &(i64, i64)| vec![Key::Int(row.0), Key::Int(row.1)];
        let window = Window { limit, backward, ..Window::default() };
        let merged = merged(slices.into(), keys, &[Direction::Desc, Direction::Asc], &window);
        (merged.rows, merged.more)
    }

    #[test]
    fn two_lists_are_one_in_their_common_order() {
        let lists = || [slice(&[(9, 1), (5, 1), (5, 4)], false), slice(&[(7, 1), (5, 2)], false)];
        assert_eq!(page(lists(), 9, false), (vec![(9, 1), (7, 1), (5, 1), (5, 2), (5, 4)], false));
        assert_eq!(page(lists(), 2, false), (vec![(9, 1), (7, 1)], true));
        assert_eq!(page(lists(), 2, true), (vec![(5, 2), (5, 4)], true), "the last rows");
        assert_eq!(page([slice(&[(3, 1)], true), slice(&[], false)], 1, false), (vec![(3, 1)], true));
    }
}
