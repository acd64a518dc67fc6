//! Where tests put what they throw away: in memory, where the machine has much of it. SQLite waits for the disk at each
//! commit, and PostgreSQL writes some hundred files for each database; on a disk a small test does little else.

use crate::postgres::run;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The file system in memory.
const IN_MEMORY: &str = "/dev/shm";
/// What the largest registers of the tests may take of it on both databases, in kilobytes.
const ROOM: u64 = 6 << 20;
/// What has to be free of the machine's memory, since the programs under test need some of it, too.
const FREE: u64 = 10 << 20;

/// The folder for temporary files: in memory, else that of the machine.
pub(crate) fn base() -> &'static Path {
    static BASE: OnceLock<PathBuf> = OnceLock::new();
    BASE.get_or_init(|| if has_room() { IN_MEMORY.into() } else { std::env::temp_dir() })
}

/// A folder that is gone with its value, or else with this process.
///
/// # Panics
/// If it cannot be made.
pub fn temporary_folder() -> TempDir {
    TempDir::new_in(of_this_process()).expect("a folder for temporary files")
}

/// The folder of this process. It is removed once the process has ended, however it ended.
fn of_this_process() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = base().join(format!("phananh-tests-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("a folder for temporary files");
        let process = std::process::id();
        leave_running(&format!("while [ -d /proc/{process} ]; do sleep 1; done; rm -rf '{}'", folder.display()));
        folder
    })
}

/// Starts a script of the shell that may outlive this program, which does not wait for it.
pub fn leave_running(script: &str) {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    std::mem::forget(shell.spawn().expect("a shell"));
}

fn has_room() -> bool {
    let of_folder = run("df", ["--output=avail", "-k", IN_MEMORY]);
    let of_folder = of_folder.and_then(|text| text.lines().next_back()?.trim().parse::<u64>().ok());
    let of_machine = std::fs::read_to_string("/proc/meminfo").ok();
    let of_machine = of_machine.and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    of_folder >= Some(ROOM) && of_machine >= Some(FREE)
}
