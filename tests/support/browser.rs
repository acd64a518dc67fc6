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

/// How wide a page becomes in a window of some width: more means that it has to be scrolled sideways.
pub fn width_of(html: &str, window: u32) -> u32 {
    let folder = tempfile::tempdir().expect("a folder for the page");
    let page = folder.path().join("page.html");
    let escaped = html.replace('&', "&amp;").replace('"', "&quot;");
    // A frame of that width, since a window has a least one.
    let frame = format!(
        "<!DOCTYPE html><meta charset=utf-8><title>waiting</title><iframe id=f width={window} height=900 \
         style=\"border:0\" srcdoc=\"{escaped}\"></iframe><script>f.onload = () => {{ document.title = 'width ' + \
         f.contentDocument.documentElement.scrollWidth }}</script>"
    );
    std::fs::write(&page, frame).expect("the page");
    let dom = dump_dom(&format!("file://{}", page.display()));
    let width = dom.split("<title>width ").nth(1).and_then(|rest| rest.split('<').next()?.parse().ok());
    width.unwrap_or_else(|| panic!("the page was not drawn: {}", &dom[..dom.len().min(500)]))
}

/// The name of Chromium, which is installed where it is missing.
///
/// # Panics
/// Where it cannot be installed.
pub fn chromium() -> &'static str {
    const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
    let find = || NAMES.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    if let Some(found) = find() {
        return found;
    }
    let _one_at_a_time = crate::INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(found) = find() {
        return found;
    }
    eprintln!("installing Chromium for the tests");
    for args in [&["update", "-q"][..], &["install", "-y", "-q", "--no-install-recommends", "chromium"]] {
        let installed = Command::new("apt-get")
            .args(["-o", "DPkg::Lock::Timeout=300"])
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
