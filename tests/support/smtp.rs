//! A real mail server, installed where it is missing: aiosmtpd, which puts what it gets into a
//! Maildir.

use crate::postgres::{free_port, run};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// A mail server on a free port of this machine; it ends with the test.
pub struct MailServer {
    pub port: u16,
    child: Option<Child>,
    folder: TempDir,
}

impl MailServer {
    /// Takes a port, without listening to it yet.
    pub fn new() -> Self {
        Self { port: free_port(), child: None, folder: tempfile::tempdir().expect("a folder for mail") }
    }

    pub fn start(&mut self) {
        let child = Command::new(python())
            .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{}", self.port)])
            .args(["-c", "aiosmtpd.handlers.Mailbox"])
            .arg(self.folder.path().join("mail"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the mail server starts");
        self.child = Some(child);
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the mail server does not answer");
    }

    /// The mails that came, each as it was sent.
    pub fn mails(&self) -> Vec<Vec<u8>> {
        let new = self.folder.path().join("mail/new");
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(new).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        files.into_iter().map(|file| std::fs::read(file).expect("a mail")).collect()
    }
}

impl Default for MailServer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ended_already = child.kill();
            let _ended_already = child.wait();
        }
    }
}

/// A Python that has aiosmtpd: Debian's as root, else one of our own from PyPI.
fn python() -> PathBuf {
    let own = std::env::temp_dir().join("phananh-test-aiosmtpd");
    let find = || {
        let candidates = [PathBuf::from("python3"), "/usr/bin/python3".into(), own.join("bin/python3")];
        candidates.into_iter().find(|python| run(&python.display().to_string(), ["-c", "import aiosmtpd"]).is_some())
    };
    if let Some(found) = find() {
        return found;
    }
    eprintln!("installing aiosmtpd for the tests");
    let debian = run("apt-get", ["update", "-q"])
        .and_then(|_| run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "python3-aiosmtpd"]));
    if debian.is_none() || find().is_none() {
        let folder = own.display().to_string();
        run("python3", ["-m", "venv", &folder])
            .expect("aiosmtpd is missing, and so is Python: install python3-aiosmtpd");
        run(&own.join("bin/pip").display().to_string(), ["install", "-q", "aiosmtpd"])
            .expect("aiosmtpd is missing and could not be installed: the tests need a mail server");
    }
    find().expect("aiosmtpd after its installation")
}
