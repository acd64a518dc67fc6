//! The numeric cores of the statistics: functions of numbers alone, each from a published formula and
//! compared with numbers that other software made (`oracles/`).
//!
//! Special functions come from `statrs`: its incomplete gamma function is good to 1e-13 relative for
//! shapes up to 100 and 2e-11 up to 10,000; quantiles of the gamma distribution go through its
//! `InverseGamma`, whose solver stops at 1e-14 relative (that of its `Gamma` stops at an absolute
//! 1e-9). Fits and roots are found by `argmin`.

pub mod cusum;
pub mod funnel;
pub mod multiplicity;
#[cfg(test)]
mod oracle;
pub mod poisson;
pub mod proportion;
pub mod rates;
mod roots;
pub mod shrinkage;
pub mod survival;
