//! The usual range of a number of a period, such as a month: where a further period lies with 95 %, if it is like the
//! periods before.

/// Fewer periods say too little.
const LEAST: usize = 6;

/// The usual range by the periods before. A count varies at least as much as by chance (Poisson). None with fewer than
/// six periods.
pub fn usual(before: &[f64], is_count: bool) -> Option<(f64, f64)> {
    if before.len() < LEAST {
        return None;
    }
    let n = before.len() as f64;
    let mean = before.iter().sum::<f64>() / n;
    let spread = before.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let variance = if is_count { spread.max(mean) } else { spread };
    // The new period varies, and so does the mean of those before.
    let half = quantile(before.len() - 1) * (variance * (1.0 + 1.0 / n)).sqrt();
    Some(((mean - half).max(0.0), mean + half))
}

/// The 97.5 % quantile of Student's t for 5 and more degrees of freedom, by the expansion of Cornish and Fisher.
fn quantile(degrees: usize) -> f64 {
    const Z: f64 = 1.959_963_984_540_054;
    let (z, v) = (Z, degrees as f64);
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / v + second / v.powi(2) + third / v.powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        for (degrees, table) in [(5, 2.5706), (11, 2.2010), (30, 2.0423)] {
            assert!((quantile(degrees) - table).abs() < 0.004, "{degrees}: {}", quantile(degrees));
        }
    }

    #[test]
    fn a_range_needs_six_periods_and_a_count_has_at_least_the_range_of_chance() {
        assert_eq!(usual(&[10.0; 5], true), None);
        let (low, high) = usual(&[100.0; 12], true).unwrap();
        assert!((low - 77.1).abs() < 0.1 && (high - 122.9).abs() < 0.1, "{low} {high}");
        let (low, high) = usual(&[0.8; 12], false).unwrap();
        assert!((low - 0.8).abs() < 1e-9 && (high - 0.8).abs() < 1e-9, "{low} {high}");
        assert_eq!(usual(&[0.0; 12], true), Some((0.0, 0.0)));
    }
}
