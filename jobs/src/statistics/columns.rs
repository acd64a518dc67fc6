//! Values of polars columns as vectors.

use polars::prelude::*;

/// The place of a complaint without a known enterprise.
pub(super) const NO_ENTERPRISE: u32 = u32::MAX;

/// The places of a column; null becomes [`NO_ENTERPRISE`].
pub(super) fn places(column: &UInt32Chunked) -> Vec<u32> {
    let mut all = Vec::with_capacity(column.len());
    for chunk in column.downcast_iter() {
        match chunk.validity() {
            None => all.extend_from_slice(chunk.values()),
            Some(valid) => {
                all.extend(
                    chunk
                        .values()
                        .iter()
                        .zip(valid.iter())
                        .map(|(index, valid)| if valid { *index } else { NO_ENTERPRISE }),
                );
            }
        }
    }
    all
}

/// The values of a column; null becomes the type's default, 0.
pub(super) fn values<T>(column: &ChunkedArray<T>) -> Vec<T::Native>
where
    T: PolarsNumericType,
{
    let mut all = Vec::with_capacity(column.len());
    for chunk in column.downcast_iter() {
        match chunk.validity() {
            None => all.extend_from_slice(chunk.values()),
            Some(valid) => {
                let pairs = chunk.values().iter().zip(valid.iter());
                all.extend(pairs.map(|(value, valid)| if valid { *value } else { T::Native::default() }));
            }
        }
    }
    all
}
