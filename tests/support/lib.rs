//! What the tests of the whole program share: databases of their own, the started binary, and a
//! client.

mod app;
mod beside;
mod browser;
mod cluster;
mod connections;
mod database;
pub mod fixtures;
pub mod foreign_files;
pub mod foreign_tokens;
mod installed;
mod java;
mod json;
mod node;
mod parallel;
mod postgres;
mod program;
mod proxy;
mod python;
mod r;
mod receiver;
mod scratch;
mod smtp;
mod templates;
pub mod verification;
pub mod work;

/// Installers that run at once hold each other up, or fail.
pub(crate) static INSTALLING: std::sync::Mutex<()> = std::sync::Mutex::new(());

pub use app::{Client, TestApp, TestAppBuilder};
pub use beside::Beside;
pub use browser::{chromium, dump_dom, widths_of};
pub use cluster::Cluster;
pub use connections::Connections;
pub use database::Database;
pub use java::java_with_jdbc;
pub use json::{Json, merged};
pub use node::{clients, node};
pub use parallel::in_parallel;
pub use postgres::postgres_tool;
pub use program::{Answer, Finished, Program, Server, WORKBOOK, raw_answer, raw_request};
pub use proxy::Proxy;
pub use python::python;
pub use r::r_with_postgresql;
pub use receiver::{Received, Receiver};
pub use schema::enums::Role;
pub use scratch::temporary_folder;
pub use smtp::MailServer;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The folder of the project.
pub fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The real register, if it is next to the project; prints that it is not otherwise.
pub fn cpdp() -> Option<PathBuf> {
    let file = project().join("../shared/data/cpdp/complaints_2000-2016.csv.gz");
    if file.is_file() {
        return Some(file);
    }
    eprintln!("NOT TESTED: the real register is not at {}", file.display());
    None
}

/// Writes a file into a folder and returns its path.
pub fn file(folder: &Path, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, contents).expect("a file of the test can be written");
    path
}

/// Waits for something to become true.
#[track_caller]
pub fn wait_until(seconds: u64, what: &str, mut met: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !met() {
        assert!(Instant::now() < end, "{what} did not come true in {seconds} s");
        std::thread::sleep(Duration::from_millis(50));
    }
}
