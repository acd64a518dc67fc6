//! Checks of what a complaint says about itself: the same for a submission and for a correction.

use crate::db::StoreError;
use crate::domain::amounts::{MOST_COST_VND, MOST_DELAY_HOURS};
use crate::refusal::CorrectionRefusal;
use crate::sql_types::Timestamp;

/// The earliest `occurred_at`, in microseconds of Unix time: an earlier year is a typing error.
const EARLIEST: i64 = 0;

/// Checks when the matter occurred: from 1970 to the receipt.
///
/// # Errors
/// Refuses a time after the receipt, and one before 1970.
pub(super) fn check_occurred(occurred_at: Option<Timestamp>, received_at: Timestamp) -> Result<(), StoreError> {
    if occurred_at.is_some_and(|occurred| occurred > received_at) {
        return Err(CorrectionRefusal::OccurredAfterReceipt.into());
    }
    if occurred_at.is_some_and(|occurred| occurred.micros() < EARLIEST) {
        return Err(CorrectionRefusal::OccurredTooEarly.into());
    }
    Ok(())
}

/// Checks the cost to the enterprise.
///
/// # Errors
/// Refuses a negative cost, and one above [`MOST_COST_VND`].
pub(super) fn check_cost(cost_vnd: Option<i64>) -> Result<(), StoreError> {
    if cost_vnd.is_some_and(|cost| cost < 0) {
        return Err(CorrectionRefusal::CostNegative.into());
    }
    if cost_vnd.is_some_and(|cost| cost > MOST_COST_VND) {
        return Err(CorrectionRefusal::CostTooLarge { most: MOST_COST_VND }.into());
    }
    Ok(())
}

/// Checks how long the enterprise was held up.
///
/// # Errors
/// Refuses a number that is negative or not finite, and one above [`MOST_DELAY_HOURS`].
pub(super) fn check_delay(delay_hours: Option<f64>) -> Result<(), StoreError> {
    if delay_hours.is_some_and(|hours| !hours.is_finite() || hours < 0.0) {
        return Err(CorrectionRefusal::DelayNegative.into());
    }
    if delay_hours.is_some_and(|hours| hours > MOST_DELAY_HOURS as f64) {
        return Err(CorrectionRefusal::DelayTooLong { most: MOST_DELAY_HOURS }.into());
    }
    Ok(())
}
