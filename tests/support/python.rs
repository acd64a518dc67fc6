//! A Python that has what a test needs, installed where it is missing.

use crate::installed;
use crate::postgres::run;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A Python that can import all `modules`: one that stands here, else with Debian's `packages` where that is
/// possible, else one of our own with `packages_of_pypi`.
///
/// It is looked for once in a process: to import some modules takes seconds.
pub fn python(modules: &[&str], packages: &[&str], packages_of_pypi: &[&str]) -> PathBuf {
    static FOUND: Mutex<BTreeMap<String, Arc<OnceLock<PathBuf>>>> = Mutex::new(BTreeMap::new());
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = Arc::clone(found.entry(packages_of_pypi.join("-")).or_default());
    drop(found);
    slot.get_or_init(|| find_or_install(modules, packages, packages_of_pypi)).clone()
}

fn find_or_install(modules: &[&str], packages: &[&str], packages_of_pypi: &[&str]) -> PathBuf {
    let own = installed::folder(&packages_of_pypi.join("-"));
    let import = format!("import {}", modules.join(", "));
    let find = || {
        let candidates = [own.join("bin/python3"), PathBuf::from("python3"), "/usr/bin/python3".into()];
        candidates.into_iter().find(|python| run(&python.display().to_string(), ["-c", &import]).is_some())
    };
    if let Some(found) = find() {
        return found;
    }
    let _one_at_a_time = crate::INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = find() {
        return found;
    }
    let wanted = packages_of_pypi.join(", ");
    eprintln!("installing {wanted} for the tests");
    let debian = run("apt-get", ["update", "-q"]).and_then(|_| {
        let install = ["install", "-y", "-q", "--no-install-recommends"];
        run("apt-get", install.iter().copied().chain(packages.iter().copied()))
    });
    if debian.is_none() || find().is_none() {
        let folder = own.display().to_string();
        run("python3", ["-m", "venv", &folder]).unwrap_or_else(|| panic!("{wanted} is missing, and so is Python"));
        run(&own.join("bin/pip").display().to_string(), ["install", "-q"].iter().chain(packages_of_pypi).copied())
            .unwrap_or_else(|| panic!("{wanted} is missing and could not be installed: the tests need it"));
    }
    find().unwrap_or_else(|| panic!("{wanted} after its installation"))
}
