//! Where the tests keep what they install themselves and need again.

use std::path::PathBuf;

/// The folder of a thing: below `~/.cache/phananh-tests`, which outlives the machine's next start, else among the
/// temporary files.
pub fn folder(name: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_dir());
    match home.map(|home| home.join(".cache/phananh-tests")) {
        Some(kept) if std::fs::create_dir_all(&kept).is_ok() => kept.join(name),
        _ => std::env::temp_dir().join(format!("phananh-test-{name}")),
    }
}
