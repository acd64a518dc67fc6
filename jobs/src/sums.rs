//! Sums over complaints that are right or an error: what overflows would wrap to another number.

use crate::JobError;
use polars::prelude::DataFrame;

/// The most that costs may add up to: noised costs, which are at most twice as much, are numbers of 64 bits then, too.
const MOST: i128 = (i64::MAX / 4) as i128;

/// A sum of costs as a number of 64 bits.
///
/// # Errors
/// `Question` where it is more than that.
pub fn cost_of(sum: i128) -> Result<i64, JobError> {
    let whole = i64::try_from(sum).ok().filter(|_| (-MOST..=MOST).contains(&sum));
    whole.ok_or_else(|| {
        JobError::Question(format!(
            "the costs add up to {sum} VND, which is more than can be counted: look for complaints with a cost beyond all \
             sense (order them by COST_VND) and correct it"
        ))
    })
}

/// A sum of hours.
///
/// # Errors
/// `Question` where it is no number.
pub fn delay_of(sum: f64) -> Result<f64, JobError> {
    if sum.is_finite() {
        return Ok(sum);
    }
    Err(JobError::Question(
        "the hours of delay add up to no number: look for complaints with a delay beyond all sense (order them by \
         DELAY_HOURS) and correct it"
            .into(),
    ))
}

/// The costs and the hours of delay of some complaints: the columns `cost` and `delay`.
///
/// # Errors
/// Where one of them is too much to be counted.
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
