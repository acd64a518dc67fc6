//! Sums of floats whose order of terms is fixed.
//!
//! A sum of floats depends on the order of its terms, and runs of the past must give the same hashes again.
//! These are the two orders in which polars 0.55 adds a column of f64, repeated here so that numbers do not
//! change where a loop replaces a query, nor with a later version of polars.

/// A sum in the order of the terms that carries the rounding error along (Kahan 1965, Communications of the ACM
/// 8:40), as polars adds rows that it finds by hashing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Compensated {
    sum: f64,
    error: f64,
}

impl Compensated {
    /// Adds a term.
    pub fn add(&mut self, term: f64) {
        let term = term - self.error;
        let sum = self.sum + term;
        let error = (sum - self.sum) - term;
        self.sum = sum;
        // An infinite sum must not become NaN.
        if error.is_finite() {
            self.error = error;
        }
    }

    /// Adds 0 `times` times. That may move the carried error into the sum.
    pub fn add_zeros(&mut self, times: u32) {
        for _ in 0..times {
            let before = *self;
            self.add(0.0);
            if *self == before {
                break;
            }
        }
    }

    pub fn total(self) -> f64 {
        self.sum
    }
}

impl FromIterator<f64> for Compensated {
    fn from_iter<T: IntoIterator<Item = f64>>(terms: T) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum
    }
}

/// Number of terms that are added without halving.
const BLOCK: usize = 128;
/// Number of partial sums of a block.
const LANES: usize = 16;

/// The sum by halves, as polars adds rows that lie together. Terms before the first whole block are added one
/// after the other.
pub fn by_halves(terms: &[f64]) -> f64 {
    let (first, blocks) = terms.split_at(terms.len() % BLOCK);
    let sum = if blocks.is_empty() { 0.0 } else { of_blocks(blocks) };
    sum + first.iter().sum::<f64>()
}

/// The sum of one or more whole blocks.
fn of_blocks(terms: &[f64]) -> f64 {
    let blocks = terms.len() / BLOCK;
    if blocks <= 1 {
        return of_block(terms);
    }
    let (left, right) = terms.split_at(blocks / 2 * BLOCK);
    of_blocks(left) + of_blocks(right)
}

fn of_block(terms: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    for stripe in terms.chunks_exact(LANES) {
        for (lane, term) in lanes.iter_mut().zip(stripe) {
            *lane += term;
        }
    }
    let mut width = LANES / 2;
    while width > 2 {
        for at in 0..width {
            lanes[at] += lanes[width + at];
        }
        width /= 2;
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;
    use proptest::prelude::*;

    #[test]
    fn sums_are_those_worked_out_by_hand() {
        assert_eq!((by_halves(&[]), Compensated::default().total()), (0.0, 0.0));
        // One after the other the two small terms would be lost.
        let terms = [1.0, f64::EPSILON / 2.0, f64::EPSILON / 2.0];
        assert_eq!(terms.iter().sum::<f64>(), 1.0);
        assert_eq!(terms.into_iter().collect::<Compensated>().total(), 1.0 + f64::EPSILON);
        let mut infinite: Compensated = [f64::MAX, f64::MAX].into_iter().collect();
        infinite.add_zeros(3);
        assert_eq!(infinite.total(), f64::INFINITY);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sums_are_those_of_polars_to_the_last_bit(terms in proptest::collection::vec(1e-3f64..1e6, 0..900)) {
            let column = Float64Chunked::from_slice("x".into(), &terms);
            prop_assert_eq!(by_halves(&terms), column.sum().expect("a sum"));
            if terms.is_empty() {
                return Ok(());
            }
            // Two keys are looked up by hash, one key that is sorted is not.
            let frame = DataFrame::new(
                terms.len(),
                vec![
                    Column::new("a".into(), vec![0u32; terms.len()]),
                    Column::new("b".into(), vec![0u32; terms.len()]),
                    column.into_series().into(),
                ],
            ).expect("a frame");
            let sum = frame.lazy().group_by([col("a"), col("b")]).agg([col("x").sum()]).collect().expect("a sum");
            let compensated: Compensated = terms.into_iter().collect();
            prop_assert_eq!(Some(compensated.total()), sum.column("x").expect("x").f64().expect("floats").get(0));
        }
    }
}
