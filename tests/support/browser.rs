//! A real browser, installed where it is missing.

use std::process::{Command, Stdio};

/// Opens a page in headless Chromium and returns its document once scripts have run.
pub fn dump_dom(url: &str) -> String {
    let program = chromium();
    let profile = tempfile::tempdir().expect("a folder for the browser");
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        // Whatever is not on this machine does not resolve: a page that needs it stays empty.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=15000", "--dump-dom", url])
        .stdin(Stdio::null())
        .output()
        .expect("Chromium runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn chromium() -> &'static str {
    const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
    let find = || NAMES.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    if let Some(found) = find() {
        return found;
    }
    eprintln!("installing Chromium for the tests");
    for args in [&["update", "-q"][..], &["install", "-y", "-q", "--no-install-recommends", "chromium"]] {
        let installed = Command::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        assert!(
            installed.is_ok_and(|status| status.success()),
            "Chromium is missing and could not be installed: install it, the tests need a browser"
        );
    }
    find().expect("Chromium after its installation")
}
