//! Checked sums of the costs and delays of complaints: a sum that overflows is an error instead of a wrong
//! number.

use crate::JobError;
use polars::prelude::DataFrame;

/// Maximum absolute sum of costs in VND. Noised costs are at most twice as large and then fit into 64 bits,
/// too.
const MAX_SUM: i128 = (i64::MAX / 4) as i128;

/// Converts a sum of costs in VND to 64 bits.
///
/// # Errors
/// `Question` if the absolute sum exceeds `MAX_SUM`.
pub fn cost_of(sum: i128) -> Result<i64, JobError> {
    let whole = i64::try_from(sum).ok().filter(|_| (-MAX_SUM..=MAX_SUM).contains(&sum));
    whole.ok_or_else(|| {
        JobError::Question(format!(
            "the costs add up to {sum} VND, which is more than can be counted: order the complaints by COST_VND and \
             correct implausible costs"
        ))
    })
}

/// Checks a sum of hours of delay.
///
/// # Errors
/// `Question` if the sum is infinite or NaN.
pub fn delay_of(sum: f64) -> Result<f64, JobError> {
    if sum.is_finite() {
        return Ok(sum);
    }
    Err(JobError::Question(
        "the hours of delay do not add up to a finite number: order the complaints by DELAY_HOURS and correct \
         implausible delays"
            .into(),
    ))
}

/// Sums the costs (column `cost`, i64, VND) and the delays (column `delay`, f64, hours) of complaints; null
/// counts as 0.
///
/// # Errors
/// `Question` if a sum is out of range; `Polars` if a column is missing or of another type.
pub fn costs_and_delays(rows: &DataFrame) -> Result<(i64, f64), JobError> {
    let cost = rows.column("cost")?.i64()?.iter().flatten().map(i128::from).sum();
    let delay = rows.column("delay")?.f64()?.iter().flatten().sum();
    Ok((cost_of(cost)?, delay_of(delay)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::Column;

    #[test]
    fn sums_that_would_wrap_are_errors() {
        let rows = |costs: Vec<Option<i64>>, delays: Vec<f64>| {
            DataFrame::new(costs.len(), vec![Column::new("cost".into(), costs), Column::new("delay".into(), delays)])
                .expect("a frame")
        };
        let right = rows(vec![Some(1_000_000_000_000), None, Some(5)], vec![1.5, 2.0, 0.0]);
        assert_eq!(costs_and_delays(&right).expect("sums"), (1_000_000_000_005, 3.5));
        let wrapped = rows(vec![Some(i64::MAX), Some(i64::MAX)], vec![0.0, 0.0]);
        assert!(costs_and_delays(&wrapped).unwrap_err().to_string().contains("18446744073709551614"));
        let endless = rows(vec![Some(1), None], vec![f64::MAX, f64::MAX]);
        assert!(costs_and_delays(&endless).unwrap_err().to_string().contains("DELAY_HOURS"));
    }
}
