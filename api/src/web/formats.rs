//! Forms of numbers that several views share.

use super::visit::Visit;
use serde_json::Value;

/// A ratio with about three digits, as a reader writes it.
pub fn times(visit: &Visit, ratio: f64) -> String {
    let digits = match ratio.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    visit.number(ratio, digits)
}

/// The rarity of something with a probability, for readers: once in N.
pub fn once_in(visit: &Visit, p: f64) -> String {
    visit.number(one_in(p), 0)
}

/// Once in N, with two digits.
fn one_in(p: f64) -> f64 {
    /// Smaller probabilities are not told apart.
    const LEAST: f64 = 1e-9;
    let times = 1.0 / p.clamp(LEAST, 1.0);
    let unit = 10f64.powf((times.log10().floor() - 1.0).max(0.0));
    (times / unit + 1e-9).floor() * unit
}

/// The number in an answer: decimals are texts there.
pub fn amount(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn chances_have_two_digits_and_amounts_may_be_texts() {
        let close = |found: f64, wanted: f64| (found / wanted - 1.0).abs() < 1e-9;
        assert!(close(one_in(1.0 / 12_345.0), 12_000.0) && close(one_in(0.5), 2.0) && close(one_in(0.0), 1e9));
        assert_eq!((amount(&json!("12.5")), amount(&json!(3)), amount(&Value::Null)), (Some(12.5), Some(3.0), None));
    }
}
