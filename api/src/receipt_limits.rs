//! How often receipt codes may be tried: by the address of a client without a token, and by the first group of the
//! codes themselves, so that many addresses together gain nothing. Attempts to sign in to the page are counted apart.

use crate::config::IntakeSettings;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use schema::domain::receipt_code::ReceiptCode;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// After so many counts the keys that have recovered are dropped.
const CLEANED_AFTER: u64 = 10_000;

/// The first group of a code.
type Group = [u8; 4];

/// The rate limiters of a node.
pub struct ReceiptLimits {
    pub settings: IntakeSettings,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    by_group: DefaultKeyedRateLimiter<Group>,
    sign_ins: DefaultKeyedRateLimiter<IpAddr>,
    counted: AtomicU64,
}

impl ReceiptLimits {
    pub fn new(settings: IntakeSettings) -> Self {
        let quota = |number: u32| Quota::per_minute(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
        Self {
            by_address: DefaultKeyedRateLimiter::keyed(quota(settings.requests_per_minute)),
            by_group: DefaultKeyedRateLimiter::keyed(quota(settings.attempts_per_minute)),
            sign_ins: DefaultKeyedRateLimiter::keyed(quota(settings.requests_per_minute)),
            counted: AtomicU64::new(0),
            settings,
        }
    }

    /// Counts an operation of a client without a token.
    ///
    /// # Errors
    /// The time to wait, if its address sent too many.
    pub fn count_request(&self, address: IpAddr) -> Result<(), Duration> {
        self.clean();
        checked(&self.by_address, &address)
    }

    /// Counts an attempt to sign in to the page. Holders of receipts behind the same address have a limit of their own,
    /// so that they do not keep readers out.
    ///
    /// # Errors
    /// The time to wait, if its address tried too often.
    pub fn count_sign_in(&self, address: IpAddr) -> Result<(), Duration> {
        self.clean();
        checked(&self.sign_ins, &address)
    }

    /// Counts an attempt at a code, right or wrong.
    ///
    /// # Errors
    /// The time to wait, if too many codes with this beginning were tried.
    pub fn count_attempt(&self, code: &ReceiptCode) -> Result<(), Duration> {
        self.clean();
        checked(&self.by_group, &code.first_group())
    }

    fn clean(&self) {
        if self.counted.fetch_add(1, Ordering::Relaxed) % CLEANED_AFTER == CLEANED_AFTER - 1 {
            self.by_address.retain_recent();
            self.by_group.retain_recent();
            self.sign_ins.retain_recent();
        }
    }
}

fn checked<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), Duration> {
    limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_the_beginning_of_a_code_have_limits_of_their_own() {
        let settings = IntakeSettings { requests_per_minute: 3, attempts_per_minute: 2, ..IntakeSettings::default() };
        let limits = ReceiptLimits::new(settings);
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        assert!((0..3).all(|_| limits.count_request(address(1)).is_ok()));
        assert!(limits.count_request(address(1)).is_err_and(|wait| wait > Duration::ZERO));
        assert!(limits.count_request(address(2)).is_ok());
        assert!((0..3).all(|_| limits.count_sign_in(address(1)).is_ok()), "signing in is counted apart");
        assert!(limits.count_sign_in(address(1)).is_err());
        let code = ReceiptCode::random();
        assert!((0..2).all(|_| limits.count_attempt(&code).is_ok()));
        assert!(limits.count_attempt(&code).is_err());
        let other = std::iter::repeat_with(ReceiptCode::random).find(|other| other.first_group() != code.first_group());
        assert!(limits.count_attempt(&other.expect("another beginning")).is_ok());
    }
}
