//! Compares the numerical methods with reference values from other software. `PHANANH_ORACLES=DIR` reads
//! another set of files in the same format.

use super::poisson::{byar_limits, exact_limits, mid_p_upper_tail, upper_tail};
use super::shrinkage::{Gamma, Prior, fit};
use super::{cusum, funnel, multiplicity, survival};
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    std::env::var_os("PHANANH_ORACLES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/numeric/oracles")), PathBuf::from)
}

fn text(file: &str) -> String {
    let path = folder().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The cases of a file; fails if there are none.
fn cases(file: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(&text(file)).expect("JSON");
    let cases = list(&document, "cases").to_vec();
    assert!(!cases.is_empty(), "{file} has no cases");
    cases
}

fn list<'c>(case: &'c Value, key: &str) -> &'c [Value] {
    case[key].as_array().unwrap_or_else(|| panic!("{key} in {case}"))
}

fn number(case: &Value, key: &str) -> f64 {
    case[key].as_f64().unwrap_or_else(|| panic!("{key} in {case}"))
}

fn count(case: &Value, key: &str) -> u32 {
    u32::try_from(case[key].as_u64().unwrap_or_else(|| panic!("{key} in {case}"))).expect("a count")
}

fn numbers(case: &Value, key: &str) -> Vec<f64> {
    list(case, key).iter().map(|value| value.as_f64().unwrap_or_else(|| panic!("{key} in {case}"))).collect()
}

fn truths(case: &Value, key: &str) -> Vec<bool> {
    list(case, key).iter().map(|value| value.as_bool().unwrap_or_else(|| panic!("{key} in {case}"))).collect()
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64, absolute: f64, relative: f64) {
    let allowed = absolute.max(relative * expected.abs());
    assert!((found - expected).abs() <= allowed, "{what}: {found}, expected {expected}");
}

#[track_caller]
fn all_close(what: &str, found: &[f64], expected: &[f64], absolute: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        close(what, *found, *expected, absolute, 0.0);
    }
}

#[test]
fn oracle_poisson() {
    for case in cases("poisson.json") {
        let (observed, expected) = (count(&case, "observed"), number(&case, "expected"));
        let mut compared = 0;
        let mut same = |key: &str, found: f64| {
            // Some cases lack some keys.
            if case.get(key).is_some_and(Value::is_number) {
                compared += 1;
                close(&format!("{key} of {observed} and {expected}"), found, number(&case, key), 1e-12, 1e-9);
            }
        };
        for (name, confidence) in [("95", 0.95), ("998", 0.998)] {
            let (exact, byar) = (exact_limits(observed, confidence), byar_limits(observed, confidence));
            same(&format!("exact_lower_{name}"), exact.lower);
            same(&format!("exact_upper_{name}"), exact.upper);
            same(&format!("byar_lower_{name}"), byar.lower);
            same(&format!("byar_upper_{name}"), byar.upper);
        }
        same("p_upper_exact", upper_tail(observed, expected));
        same("p_upper_midp", mid_p_upper_tail(observed, expected));
        assert!(compared >= 4, "{case}");
    }
}

#[test]
fn oracle_benjamini_hochberg() {
    for case in cases("benjamini_hochberg.json") {
        let p = numbers(&case, "p");
        let q = multiplicity::benjamini_hochberg(&p);
        all_close("q", &q, &numbers(&case, "q"), 1e-12);
        let rejected: Vec<bool> = q.iter().map(|q| *q <= 0.05).collect();
        assert_eq!(rejected, truths(&case, "rejected_at_005"));
        let cut = multiplicity::cut_off(&q, 0.05);
        assert!(
            p.iter().zip(&rejected).all(|(p, rejected)| cut.is_some_and(|cut| *p <= cut * (1.0 + 1e-12)) == *rejected)
        );
    }
}

#[test]
fn oracle_ebgm_posterior() {
    for case in cases("ebgm_posterior.json") {
        let of = |one: &str, two: &str| Gamma { shape: number(&case, one), rate: number(&case, two) };
        let prior =
            Prior::Mixture { first: of("alpha1", "beta1"), second: of("alpha2", "beta2"), share: number(&case, "p") };
        let posterior = prior.posterior(count(&case, "n"), number(&case, "expected"));
        close("q_n", posterior.first, number(&case, "q_n"), 0.0, 1e-6);
        close("ebgm", posterior.ebgm, number(&case, "ebgm"), 0.0, 1e-6);
        close("eb05", posterior.quantile(0.05), number(&case, "eb05"), 0.0, 1e-6);
        close("eb95", posterior.quantile(0.95), number(&case, "eb95"), 0.0, 1e-6);
    }
}

#[test]
fn oracle_ebgm_fit() {
    let rows = text("ebgm_fit.csv");
    let (observed, expected): (Vec<u32>, Vec<f64>) = rows
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').expect("two columns"))
        .map(|(n, e)| (n.trim().parse::<f64>().expect("a count") as u32, e.trim().parse::<f64>().expect("a number")))
        .unzip();
    for case in cases("ebgm_fit.json") {
        let fitted = fit(&observed, &expected).expect("a fit");
        let best = number(&case, "negative_log_likelihood");
        assert!(fitted.negative_log_likelihood <= best + 0.05, "{fitted:?}, expected {best}");
        assert!(fitted.converged, "{fitted:?}");
    }
}

#[test]
fn oracle_funnel() {
    for case in cases("funnel.json") {
        let (observed, expected) = (numbers(&case, "observed"), numbers(&case, "expected"));
        let found = funnel::funnel(&observed, &expected);
        all_close("z", &found.z, &numbers(&case, "z"), 1e-9);
        close("phi", found.phi, number(&case, "phi"), 1e-9, 0.0);
        close("tau2", found.tau2, number(&case, "tau2"), 1e-9, 0.0);
        for (name, z) in [("95", funnel::Z_95), ("998", funnel::Z_998)] {
            let limits: Vec<_> = expected.iter().map(|e| found.limits(*e, z)).collect();
            let lower: Vec<f64> = limits.iter().map(|limits| limits.lower).collect();
            let upper: Vec<f64> = limits.iter().map(|limits| limits.upper).collect();
            all_close("lower", &lower, &numbers(&case, &format!("lower_{name}")), 1e-9);
            all_close("upper", &upper, &numbers(&case, &format!("upper_{name}")), 1e-9);
        }
    }
}

#[test]
fn oracle_cusum() {
    for case in cases("cusum.json") {
        let found = cusum::path(&numbers(&case, "observed"), &numbers(&case, "expected"), number(&case, "rate_ratio"));
        all_close("cusum", &found, &numbers(&case, "cusum"), 1e-9);
    }
}

#[test]
fn oracle_kaplan_meier() {
    for case in cases("kaplan_meier.json") {
        let days = numbers(&case, "days").into_iter();
        let waiting = survival::Waiting::new(days.zip(truths(&case, "answered")).collect());
        let found: Vec<f64> = numbers(&case, "at").into_iter().map(|at| waiting.after(at)).collect();
        all_close("still waiting", &found, &numbers(&case, "still_waiting"), 1e-9);
        assert_eq!(waiting.median(), case["median"].as_f64(), "{case}");
    }
}

#[test]
fn limits_are_those_that_were_published() {
    for (count, lower, upper) in
        [(15, 0.559_692_4, 2.082_907), (20, 0.610_826_0, 1.902_094), (30, 0.674_695_8, 1.702_771)]
    {
        let expected = f64::from(count);
        close("lower 95 %", exact_limits(count, 0.95).ratio(expected).lower, lower, 5e-8, 0.0);
        close("upper 99.8 %", exact_limits(count, 0.998).ratio(expected).upper, upper, 5e-7, 0.0);
    }
}
