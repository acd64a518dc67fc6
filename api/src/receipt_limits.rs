//! Limits the tries of receipt codes: by the address of a client without a token, and by the first group of the codes
//! themselves, so that many addresses together gain nothing. Attempts to sign in to the page are counted apart, and
//! only those that fail.

use crate::config::IntakeSettings;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use schema::domain::receipt_code::ReceiptCode;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After this many counts the keys that have recovered are dropped.
const CLEANED_AFTER: u64 = 10_000;

/// The time within which attempts to sign in count together.
const MINUTE: Duration = Duration::from_secs(60);

/// The first group of a code.
type Group = [u8; 4];

/// The rate limiters of a node.
pub struct ReceiptLimits {
    pub settings: IntakeSettings,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    by_group: DefaultKeyedRateLimiter<Group>,
    sign_ins: SignIns,
    counted: AtomicU64,
}

impl ReceiptLimits {
    pub fn new(settings: IntakeSettings) -> Self {
        let quota = |number: u32| Quota::per_minute(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN));
        Self {
            by_address: DefaultKeyedRateLimiter::keyed(quota(settings.requests_per_minute)),
            by_group: DefaultKeyedRateLimiter::keyed(quota(settings.attempts_per_minute)),
            sign_ins: SignIns::default(),
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
    /// so that they do not keep readers out. An attempt counts from its beginning, so that many at once gain nothing;
    /// [`Self::forget_sign_in`] takes back one that did not fail.
    ///
    /// # Errors
    /// The time to wait, if its address failed too often.
    pub fn count_sign_in(&self, address: IpAddr) -> Result<(), Duration> {
        self.clean();
        self.sign_ins.count(address, self.settings.requests_per_minute.max(1), Instant::now())
    }

    /// Takes back the latest count of an address.
    pub fn forget_sign_in(&self, address: IpAddr) {
        self.sign_ins.forget(address);
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
            self.sign_ins.retain_recent(Instant::now());
        }
    }
}

/// The attempts of each address that failed, or run still, by their times.
#[derive(Default)]
struct SignIns(Mutex<HashMap<IpAddr, VecDeque<Instant>>>);

impl SignIns {
    fn count(&self, address: IpAddr, most: u32, now: Instant) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let attempts = all.entry(address).or_default();
        drop_old(attempts, now);
        match attempts.front() {
            Some(oldest) if attempts.len() >= most as usize => {
                Err(MINUTE.saturating_sub(now.saturating_duration_since(*oldest)))
            }
            _ => {
                attempts.push_back(now);
                Ok(())
            }
        }
    }

    fn forget(&self, address: IpAddr) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attempts) = all.get_mut(&address) {
            attempts.pop_back();
            if attempts.is_empty() {
                all.remove(&address);
            }
        }
    }

    fn retain_recent(&self, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, attempts| {
            drop_old(attempts, now);
            !attempts.is_empty()
        });
    }
}

fn drop_old(attempts: &mut VecDeque<Instant>, now: Instant) {
    while attempts.front().is_some_and(|attempt| now.saturating_duration_since(*attempt) >= MINUTE) {
        attempts.pop_front();
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

    #[test]
    fn only_failures_of_an_address_count_and_are_forgotten_after_a_minute() {
        let (sign_ins, address, now) = (SignIns::default(), IpAddr::from([192, 0, 2, 1]), Instant::now());
        for _ in 0..10 {
            assert!(sign_ins.count(address, 2, now).is_ok());
            sign_ins.forget(address);
        }
        assert!(sign_ins.0.lock().unwrap().is_empty(), "successes leave nothing");
        assert!((0..2).all(|_| sign_ins.count(address, 2, now).is_ok()));
        let later = now + Duration::from_secs(20);
        assert_eq!(sign_ins.count(address, 2, later), Err(Duration::from_secs(40)));
        assert!(sign_ins.count(IpAddr::from([192, 0, 2, 2]), 2, later).is_ok());
        sign_ins.retain_recent(now + MINUTE);
        assert_eq!(sign_ins.0.lock().unwrap().len(), 1, "the other address counts still");
        assert!(sign_ins.count(address, 2, now + MINUTE).is_ok());
    }
}
