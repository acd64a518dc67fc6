//! Chance that falls alike on every machine: a portable generator, and only such functions of
//! floating-point numbers as give the same bits everywhere (`libm` is computed in software).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A source of chance for one purpose.
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// What comes out depends on the seed, the purpose and the number, and on nothing else.
    pub fn new(seed: u64, purpose: &str, number: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(number.to_be_bytes());
        hash.update(purpose);
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // 53 bits, the precision of the number.
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in [from, to).
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// A whole number below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    pub fn is(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of several, all alike likely.
    ///
    /// # Panics
    /// Where there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    /// Log-normal with the median given.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.normal())
    }

    /// Gamma of shape 3 and mean 1: the mean of three exponentials.
    pub fn gamma3(&mut self) -> f64 {
        let product = (1.0 - self.unit()) * (1.0 - self.unit()) * (1.0 - self.unit());
        -libm::log(product) / 3.0
    }

    /// Poisson: arrivals of a unit process until `mean`.
    pub fn poisson(&mut self, mean: f64) -> usize {
        let mut count = 0;
        let mut at = -libm::log(1.0 - self.unit());
        while at < mean {
            count += 1;
            at -= libm::log(1.0 - self.unit());
        }
        count
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Weights to choose by.
pub struct Weights(Vec<f64>);

impl Weights {
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        Self(
            weights
                .into_iter()
                .map(|weight| {
                    sum += weight;
                    sum
                })
                .collect(),
        )
    }

    /// The place of one, likely by its weight.
    pub fn pick(&self, chance: &mut Chance) -> usize {
        let at = chance.unit() * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum <= at).min(self.0.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(of: impl Fn(&mut Chance) -> f64) -> f64 {
        let mut chance = Chance::new(1, "test", 0);
        (0..100_000).map(|_| of(&mut chance)).sum::<f64>() / 100_000.0
    }

    #[test]
    fn chance_is_what_it_is_called() {
        assert!((mean(Chance::gamma3) - 1.0).abs() < 0.01);
        assert!((mean(|c| (c.gamma3() - 1.0) * (c.gamma3() - 1.0))).abs() < 0.01, "draws do not hang together");
        assert!((mean(|c| c.poisson(2.5) as f64) - 2.5).abs() < 0.02);
        assert!(mean(Chance::normal).abs() < 0.01);
        assert!((mean(|c| if c.is(0.3) { 1.0 } else { 0.0 }) - 0.3).abs() < 0.01);
        let weights = Weights::new([1.0, 0.0, 3.0]);
        assert!((mean(|c| weights.pick(c) as f64) - 1.5).abs() < 0.02);
    }

    #[test]
    fn the_first_draws_are_the_same_on_every_machine() {
        let mut chance = Chance::new(7, "officers", 3);
        let drawn: Vec<u64> = [chance.unit(), chance.normal(), chance.gamma3()].into_iter().map(f64::to_bits).collect();
        assert_eq!(drawn, DRAWN);
    }

    /// Drawn once; a change of them changes every generated world.
    const DRAWN: [u64; 3] = [4596457629873398680, 4576200122836356972, 4602072017393494557];
}
