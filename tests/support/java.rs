//! Java with the JDBC driver of PostgreSQL, installed where it is missing.

use crate::postgres::run;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Runs a program of `tests/clients` of one file, with PostgreSQL's driver, and returns what it prints.
///
/// # Panics
/// Where it fails.
#[track_caller]
pub fn java_with_jdbc(program: &str, args: &[&str]) -> String {
    let output = Command::new("java")
        .arg("-cp")
        .arg(driver())
        .arg(crate::project().join("tests/clients").join(program))
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("java runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The driver, once Java and it are there.
fn driver() -> PathBuf {
    let jar = PathBuf::from("/usr/share/java/postgresql.jar");
    let are_there = || jar.is_file() && run("javac", ["-version"]).is_some();
    if are_there() {
        return jar;
    }
    let _one_at_a_time = crate::INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !are_there() {
        eprintln!("installing Java and its driver of PostgreSQL for the tests");
        let packages: &[&str] = match run("javac", ["-version"]) {
            Some(_) => &["libpostgresql-jdbc-java"],
            None => &["libpostgresql-jdbc-java", "default-jdk-headless"],
        };
        let install = ["install", "-y", "-q", "--no-install-recommends"];
        run("apt-get", ["update", "-q"])
            .and_then(|_| run("apt-get", install.iter().chain(packages).copied()))
            .expect("Java or its driver of PostgreSQL is missing and could not be installed: the tests need them");
    }
    assert!(are_there(), "Java and its driver after their installation");
    jar
}
