//! Numerical methods of the statistics: pure functions of numbers. Each follows a published formula and is
//! tested against reference values from other software (`oracles/`).
//!
//! Special functions come from `statrs`. Its incomplete gamma function has a relative error of 1e-13 for
//! shapes up to 100 and 2e-11 up to 10,000. Gamma quantiles use `InverseGamma`, whose solver stops at 1e-14
//! relative (that of `Gamma` stops at an absolute 1e-9). Fits and roots use `argmin`.

pub mod cusum;
pub mod funnel;
pub mod multiplicity;
pub mod negative_binomial;
#[cfg(test)]
mod oracle;
pub mod poisson;
pub mod proportion;
pub mod rates;
pub(crate) mod roots;
pub mod rounding;
pub mod shrinkage;
pub mod sums;
pub mod survival;
pub mod usual;
