//! A real browser, installed where it is missing.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Opens a page in headless Chromium and returns its document once scripts have run.
pub fn dump_dom(url: &str) -> String {
    let program = chromium();
    let profile = crate::temporary_folder();
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

/// How wide each page becomes in a window of some width: more means that it has to be scrolled sideways. One browser
/// draws all of them.
pub fn widths_of(pages: &[(&str, u32)]) -> Vec<u32> {
    let folder = crate::temporary_folder();
    let page = folder.path().join("page.html");
    // A frame of that width, since a window has a least one.
    let frame = |(html, window): &(&str, u32)| {
        let escaped = html.replace('&', "&amp;").replace('"', "&quot;");
        format!("<iframe width={window} height=900 style=\"border:0\" srcdoc=\"{escaped}\"></iframe>")
    };
    let frames: String = pages.iter().map(frame).collect();
    let html = format!(
        "<!DOCTYPE html><meta charset=utf-8><title>waiting</title>{frames}<script>onload = () => {{ document.title = \
         'widths ' + Array.from(document.querySelectorAll('iframe'), frame => \
         frame.contentDocument.documentElement.scrollWidth).join(' ') }}</script>"
    );
    std::fs::write(&page, html).expect("the page");
    let dom = dump_dom(&format!("file://{}", page.display()));
    let title = dom.split("<title>widths ").nth(1).and_then(|rest| rest.split('<').next());
    let widths = title.and_then(|title| title.split(' ').map(|width| width.parse().ok()).collect::<Option<Vec<u32>>>());
    widths.unwrap_or_else(|| panic!("the pages were not drawn: {}", &dom[..dom.len().min(500)]))
}

/// The name of Chromium, which is installed where it is missing.
///
/// # Panics
/// Where it cannot be installed.
pub fn chromium() -> &'static str {
    static FOUND: OnceLock<&'static str> = OnceLock::new();
    FOUND.get_or_init(find_or_install)
}

fn find_or_install() -> &'static str {
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
