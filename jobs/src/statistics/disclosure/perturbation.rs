//! Perturbation of the numbers of a cell: random rounding driven by the cell's keys.

/// The number of a cell that is rounded; each has independent noise.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    Complaints,
    Episodes,
    Enterprises,
    Share,
    Median,
}

/// The keys of a cell. They are derived from the secret, so that readers cannot compute them.
#[derive(Debug, Clone, Copy)]
pub struct CellKey {
    /// Sum of the record keys of its complaints: differs for each set of complaints.
    pub complaints: u64,
    /// Hash of the attributes that the complaints share: stays the same when a complaint is added.
    pub place: u64,
}

impl CellKey {
    /// Adds a first noise of less than half a base, uniform and keyed by `place`, then rounds to a multiple
    /// of the base, up or down at random. The result is unbiased. Without the first noise multiples of the
    /// base would be shown unchanged, and a reader who knows of that many complaints would learn of one more
    /// whenever the count is rounded up. The rounding changes with the complaints of the cell and averages out
    /// over many days; the first noise does not. The error is at most `most_error(base)`.
    pub fn rounded(self, purpose: Purpose, count: u32, base: u32) -> u32 {
        let base = u64::from(base);
        let most = (base - 1) / 2;
        let first = random(self.place, purpose, base) % (2 * most + 1);
        let threshold = random(self.complaints, purpose, base) % base;
        let raised = (u64::from(count) + first + threshold).saturating_sub(most);
        u32::try_from(raised / base * base).unwrap_or(u32::MAX)
    }

    /// Rounds a number to an integer, up or down at random; unbiased.
    pub fn whole(self, purpose: Purpose, number: f64) -> f64 {
        // 53 bits, the precision of f64.
        let random = (random(self.complaints, purpose, 0) >> 11) as f64 / (1u64 << 53) as f64;
        (number + random).floor()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014). Keys are random already; it makes draws for
/// different purposes and bases independent. If two bases shared a draw, a reader who sees a count rounded to
/// both would learn more than from either.
fn random(key: u64, purpose: Purpose, base: u64) -> u64 {
    let stream = (base << 8) + purpose as u64 + 1;
    let mut mixed = key.wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The maximum error of a rounded count.
#[cfg(test)]
pub fn most_error(base: u32) -> u32 {
    base - 1 + (base - 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The keys of a cell with shared attributes of its own.
    fn place(key: u64) -> CellKey {
        CellKey { complaints: key, place: key.rotate_left(29) ^ 0x5851_f42d_4c95_7f2d }
    }

    #[test]
    fn a_part_of_the_noise_stays_while_the_complaints_of_a_place_change() {
        // The mean over many sets of complaints is off by the first noise: one of five equally frequent
        // numbers.
        let mut places = [0u32; 5];
        for place in 0..500u64 {
            let all = (0..2_000u64).map(|complaints| {
                let key = CellKey { complaints: complaints.wrapping_mul(0x2545_f491_4f6c_dd1d), place };
                f64::from(key.rounded(Purpose::Complaints, 100, 5))
            });
            let off = all.sum::<f64>() / 2_000.0 - 100.0;
            assert!((off - off.round()).abs() < 0.25 && off.abs() < 2.5, "{off}");
            places[(off.round() + 2.0) as usize] += 1;
        }
        assert!(places.iter().all(|number| (60..150).contains(number)), "{places:?}");
    }

    proptest! {
        #[test]
        fn a_count_is_rounded_to_a_multiple_that_is_near(count in 0u32..100_000, base in 2u32..50, key: u64) {
            let shown = place(key).rounded(Purpose::Complaints, count, base);
            prop_assert_eq!(shown % base, 0);
            prop_assert!(shown.abs_diff(count) <= most_error(base), "{} {}", shown, count);
            prop_assert_eq!(shown, place(key).rounded(Purpose::Complaints, count, base));
        }
    }

    #[test]
    fn rounding_is_right_on_average_and_no_count_is_shown_as_it_is() {
        for (base, deviation) in [(5, 2.6), (10, 5.2), (3, 1.6)] {
            for count in 20..40 {
                let number = 40_000u32;
                let shown: Vec<f64> = (0..number)
                    .map(|key| {
                        f64::from(place(u64::from(key).wrapping_mul(0x2545_f491_4f6c_dd1d)).rounded(
                            Purpose::Complaints,
                            count,
                            base,
                        ))
                    })
                    .collect();
                let mean = shown.iter().sum::<f64>() / f64::from(number);
                assert!((mean - f64::from(count)).abs() < 0.06, "{base} {count}: {mean}");
                let variance = shown.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / f64::from(number);
                assert!(variance.sqrt() < deviation && variance.sqrt() > 0.5, "{base} {count}: {variance}");
            }
        }
    }

    #[test]
    fn what_is_drawn_for_one_purpose_says_nothing_of_another() {
        let both = (0..10_000u64).filter(|key| {
            let drawn = |purpose| place(key << 17).rounded(purpose, 7, 5);
            drawn(Purpose::Complaints) == drawn(Purpose::Episodes)
        });
        let share = both.count() as f64 / 10_000.0;
        assert!((0.3..0.6).contains(&share), "{share}");
    }

    #[test]
    fn what_is_drawn_for_one_base_says_nothing_of_another() {
        // With one draw for both bases, 7 would be rounded up to base 10 only when it is rounded up to base 5.
        let raised = |key: u64, base| place(key << 17).rounded(Purpose::Complaints, 7, base) > 7;
        let keys = (0..20_000u64).filter(|key| raised(*key, 10));
        let (with, all) = keys.fold((0u32, 0u32), |(with, all), key| (with + u32::from(raised(key, 5)), all + 1));
        let share = (0..20_000u64).filter(|key| raised(*key, 5)).count() as f64 / 20_000.0;
        assert!((f64::from(with) / f64::from(all) - share).abs() < 0.02, "{with} of {all}, {share} of all");
    }

    #[test]
    fn shares_are_rounded_to_steps() {
        let mean = (0..10_000u64).map(|key| place(key << 9).whole(Purpose::Share, 2.25)).sum::<f64>() / 10_000.0;
        assert!((mean - 2.25).abs() < 0.02, "{mean}");
        assert!((0..100).all(|key| (place(key).whole(Purpose::Share, 4.0) - 4.0).abs() < 1e-9));
    }
}
