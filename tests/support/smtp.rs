//! A real mail server, installed where it is missing: aiosmtpd, which puts what it gets into a
//! Maildir.

use crate::postgres::free_port;
use crate::python::python;
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
        Self { port: free_port(), child: None, folder: crate::temporary_folder() }
    }

    /// One that listens.
    pub fn started() -> Self {
        let mut server = Self::new();
        server.start();
        server
    }

    pub fn start(&mut self) {
        let child = Command::new(python(&["aiosmtpd"], &["python3-aiosmtpd"], &["aiosmtpd"]))
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
