//! Multiple testing: control of the false discovery rate.

/// The q-values of Benjamini and Hochberg (1995, JRSS B 57:289), in the order of `p`: of the tests with
/// q ≤ 0.05, at most 5 % are false discoveries on average.
///
/// Holds for tests that are independent or positively dependent.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let tests = p.len() as f64;
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (from_the_top, at) in order.into_iter().enumerate() {
        let rank = tests - from_the_top as f64;
        least = least.min(p[at] * tests / rank);
        q[at] = least;
    }
    q
}

/// The p-value threshold that corresponds to q ≤ `limit`, the other tests unchanged: `limit` × (tests with
/// q ≤ `limit`) / (all tests). None if no test has q ≤ `limit`.
pub fn cut_off(q: &[f64], limit: f64) -> Option<f64> {
    let named = q.iter().filter(|q| **q <= limit).count();
    (named > 0).then(|| limit * named as f64 / q.len() as f64)
}
