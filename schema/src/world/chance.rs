//! Random numbers that are equal on every machine: a portable generator, and only floating-point functions that give
//! the same bits everywhere (`libm` is computed in software).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A seeded random number generator for one purpose.
pub struct SeededRng(ChaCha8Rng);

impl SeededRng {
    /// The sequence depends only on the seed, the purpose and the number.
    pub fn new(seed: u64, purpose: &str, number: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(number.to_be_bytes());
        hash.update(purpose);
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // 53 bits, the precision of f64.
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in [from, to).
    pub fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// A whole number below `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    pub fn is(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A random element, uniformly.
    ///
    /// # Panics
    /// If the slice is empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(core::f64::consts::TAU * self.unit())
    }

    /// Log-normal with the given median.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * libm::exp(sigma * self.normal())
    }

    /// Gamma of shape 3 and mean 1: the mean of three exponentials.
    pub fn gamma3(&mut self) -> f64 {
        let product = (1.0 - self.unit()) * (1.0 - self.unit()) * (1.0 - self.unit());
        -libm::log(product) / 3.0
    }

    /// Poisson: the arrivals of a unit-rate process until `mean`.
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

/// Cumulative weights for a weighted draw.
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

    /// Draws an index with a probability in proportion to its weight.
    pub fn pick(&self, chance: &mut SeededRng) -> usize {
        let at = chance.unit() * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum <= at).min(self.0.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(of: impl Fn(&mut SeededRng) -> f64) -> f64 {
        let mut chance = SeededRng::new(1, "test", 0);
        (0..100_000).map(|_| of(&mut chance)).sum::<f64>() / 100_000.0
    }

    #[test]
    fn chance_is_what_it_is_called() {
        assert!((mean(SeededRng::gamma3) - 1.0).abs() < 0.01);
        assert!((mean(|c| (c.gamma3() - 1.0) * (c.gamma3() - 1.0))).abs() < 0.01, "draws are independent");
        assert!((mean(|c| c.poisson(2.5) as f64) - 2.5).abs() < 0.02);
        assert!(mean(SeededRng::normal).abs() < 0.01);
        assert!((mean(|c| if c.is(0.3) { 1.0 } else { 0.0 }) - 0.3).abs() < 0.01);
        let weights = Weights::new([1.0, 0.0, 3.0]);
        assert!((mean(|c| weights.pick(c) as f64) - 1.5).abs() < 0.02);
    }

    #[test]
    fn the_first_draws_are_the_same_on_every_machine() {
        let mut chance = SeededRng::new(7, "officers", 3);
        let drawn: Vec<u64> = [chance.unit(), chance.normal(), chance.gamma3()].into_iter().map(f64::to_bits).collect();
        assert_eq!(drawn, DRAWN);
    }

    /// Recorded once; if they change, every generated world changes.
    const DRAWN: [u64; 3] = [4596457629873398680, 4576200122836356972, 4602072017393494557];
}
