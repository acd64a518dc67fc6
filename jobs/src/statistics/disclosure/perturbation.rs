//! Random rounding by the key of a cell.

/// What of a cell is rounded: each has noise of its own.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    Complaints,
    Episodes,
    Enterprises,
    Share,
    Median,
}

/// The keys of a cell, which only this server can compute.
#[derive(Debug, Clone, Copy)]
pub struct CellKey {
    /// The sum of the keys of its complaints: another set of complaints has another one.
    pub complaints: u64,
    /// The hash of what these have in common: it stays the same when one more joins them.
    pub place: u64,
}

impl CellKey {
    /// Rounds a count to a multiple of a base, up or down at random such that it is right on average, after a first noise of less
    /// than half a base, uniform and of the cell's place. Without that noise multiples of the base would be shown as they are, and
    /// one complaint more than somebody knows of would be told whenever they are rounded up. The rounding is drawn anew when the
    /// complaints of the cell change, and can be averaged away over many days; the first noise is not, and cannot. The result lies
    /// `most_error(base)` from the count at most.
    pub fn rounded(self, of: Of, count: u32, base: u32) -> u32 {
        let base = u64::from(base);
        let most = (base - 1) / 2;
        let first = random(self.place, of, base) % (2 * most + 1);
        let threshold = random(self.complaints, of, base) % base;
        let raised = (u64::from(count) + first + threshold).saturating_sub(most);
        u32::try_from(raised / base * base).unwrap_or(u32::MAX)
    }

    /// Rounds a number to a whole one, up or down at random such that it is right on average.
    pub fn whole(self, of: Of, number: f64) -> f64 {
        // 53 bits, as many as the fraction has.
        let random = (random(self.complaints, of, 0) >> 11) as f64 / (1u64 << 53) as f64;
        (number + random).floor()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): keys are random already, and this makes what is drawn for one purpose
/// independent of what is drawn for another. So is what is drawn for another base: who sees a count rounded to two bases
/// by one draw would learn more of the draw than either tells.
fn random(key: u64, of: Of, base: u64) -> u64 {
    let purpose = (base << 8) + of as u64 + 1;
    let mut mixed = key.wrapping_add(purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// How far a rounded count may lie from the count at most.
#[cfg(test)]
pub fn most_error(base: u32) -> u32 {
    base - 1 + (base - 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A cell of its own place.
    fn place(key: u64) -> CellKey {
        CellKey { complaints: key, place: key.rotate_left(29) ^ 0x5851_f42d_4c95_7f2d }
    }

    #[test]
    fn a_part_of_the_noise_stays_while_the_complaints_of_a_place_change() {
        // The mean over many sets of complaints is off by what the place is: one of five numbers, each as often.
        let mut places = [0u32; 5];
        for place in 0..500u64 {
            let all = (0..2_000u64).map(|complaints| {
                let key = CellKey { complaints: complaints.wrapping_mul(0x2545_f491_4f6c_dd1d), place };
                f64::from(key.rounded(Of::Complaints, 100, 5))
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
            let shown = place(key).rounded(Of::Complaints, count, base);
            prop_assert_eq!(shown % base, 0);
            prop_assert!(shown.abs_diff(count) <= most_error(base), "{} {}", shown, count);
            prop_assert_eq!(shown, place(key).rounded(Of::Complaints, count, base));
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
                            Of::Complaints,
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
            let of = |of| place(key << 17).rounded(of, 7, 5);
            of(Of::Complaints) == of(Of::Episodes)
        });
        let share = both.count() as f64 / 10_000.0;
        assert!((0.3..0.6).contains(&share), "{share}");
    }

    #[test]
    fn what_is_drawn_for_one_base_says_nothing_of_another() {
        // A count of 7 is raised or not: with one draw for both bases the larger base would be raised only where the smaller is.
        let raised = |key: u64, base| place(key << 17).rounded(Of::Complaints, 7, base) > 7;
        let keys = (0..20_000u64).filter(|key| raised(*key, 10));
        let (with, all) = keys.fold((0u32, 0u32), |(with, all), key| (with + u32::from(raised(key, 5)), all + 1));
        let share = (0..20_000u64).filter(|key| raised(*key, 5)).count() as f64 / 20_000.0;
        assert!((f64::from(with) / f64::from(all) - share).abs() < 0.02, "{with} of {all}, {share} of all");
    }

    #[test]
    fn shares_are_rounded_to_steps() {
        let mean = (0..10_000u64).map(|key| place(key << 9).whole(Of::Share, 2.25)).sum::<f64>() / 10_000.0;
        assert!((mean - 2.25).abs() < 0.02, "{mean}");
        assert!((0..100).all(|key| (place(key).whole(Of::Share, 4.0) - 4.0).abs() < 1e-9));
    }
}
