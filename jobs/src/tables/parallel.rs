//! Work on the threads of polars.

use polars_core::runtime::RAYON;

/// The results for all items, computed on the threads of polars.
pub(super) fn in_parallel<T: Sync, R: Send>(items: &[T], of: &(impl Fn(&T) -> R + Sync)) -> Vec<R> {
    if items.len() <= 1 {
        return items.iter().map(of).collect();
    }
    let (left, right) = items.split_at(items.len() / 2);
    let (mut found, rest) = RAYON.join(|| in_parallel(left, of), || in_parallel(right, of));
    found.extend(rest);
    found
}
