//! R with its driver of PostgreSQL, installed where it is missing.

use crate::postgres::run;
use std::process::{Command, Stdio};

/// Runs a script of `tests/clients` in R with RPostgreSQL, and returns what it prints.
///
/// # Panics
/// Where it fails.
#[track_caller]
pub fn r_with_postgresql(script: &str, args: &[&str]) -> String {
    install();
    let output = Command::new("Rscript")
        .arg(crate::project().join("tests/clients").join(script))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("R runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn install() {
    let is_there = || run("Rscript", ["-e", "library(RPostgreSQL)"]).is_some();
    if is_there() {
        return;
    }
    let _one_at_a_time = crate::INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !is_there() {
        eprintln!("installing R and its driver of PostgreSQL for the tests");
        let install = ["install", "-y", "-q", "--no-install-recommends", "r-base-core", "r-cran-rpostgresql"];
        run("apt-get", ["update", "-q"])
            .and_then(|_| run("apt-get", install))
            .expect("R or its driver of PostgreSQL is missing and could not be installed: the tests need them");
    }
    assert!(is_there(), "R and its driver after their installation");
}
