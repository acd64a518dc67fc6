//! The audit log of commands: questions and files that this process takes from the database itself. A server notes
//! what its clients ask.

use super::output::print_error;
use crate::sql::audit::asked_by;
use anyhow::Context;
use rustix::process::getuid;
use schema::enums::{AuditAction, Role};
use schema::register::audit::{Audited, write};
use schema::{Db, JsonText, StoreError, Timestamp};
use serde_json::Value;
use std::time::Instant;

/// The names of the users of this machine. A directory service may know more: of its users the entries have the number.
const USERS: &str = "/etc/passwd";
/// The user who logged in. It stays the same when the user works as another one (`sudo`), and only the system sets it.
const LOGIN: &str = "/proc/self/loginuid";

const REFUSED: &str = "the audit log takes no entry, so nothing is shown: use a database that this user may write (the \
                       primary, not a replica or a read-only file), or ask a server with `phananh sql --server URL` or \
                       its address /export/TABLE.csv";

/// Notes a file that a command is about to write.
///
/// # Errors
/// If the database takes no entry.
pub fn export(db: &Db, role: Role, command: &'static str, objects: &Value) -> anyhow::Result<()> {
    let entry = Audited {
        at: Timestamp::now(),
        actor: actor(),
        role: Some(role),
        action: AuditAction::Export,
        operation: Some(command.to_owned()),
        objects: JsonText::from(objects),
    };
    note(db, false, entry).context(REFUSED)
}

/// A question in SQL that is being answered. It is noted when it ends; dropped before, as one whose answer was not read.
pub struct NotedQuestion {
    db: Db,
    role: Role,
    text: String,
    began: Instant,
    is_noted: bool,
}

impl NotedQuestion {
    /// Begins with a question for the pseudonyms of a role. An entry is tried first: what could not be noted must not
    /// be shown.
    ///
    /// # Errors
    /// If the database takes no entry.
    pub fn begin(db: &Db, role: Role, text: String) -> anyhow::Result<Self> {
        let mut question = Self { db: db.clone(), role, text, began: Instant::now(), is_noted: true };
        note(db, true, question.entry(None, None)).context(REFUSED)?;
        question.is_noted = false;
        Ok(question)
    }

    /// # Errors
    /// If the database takes no entry: the answer must not be shown.
    pub fn answered(mut self, rows: u64) -> anyhow::Result<()> {
        self.end(Some(rows), None).context(REFUSED)
    }

    pub fn failed(mut self, failure: &anyhow::Error) {
        self.end_without_answer(&format!("{failure:#}"));
    }

    fn end_without_answer(&mut self, failure: &str) {
        if let Err(error) = self.end(None, Some(failure)) {
            print_error(&error.context("the question is not in the audit log"));
        }
    }

    fn end(&mut self, rows: Option<u64>, failure: Option<&str>) -> anyhow::Result<()> {
        self.is_noted = true;
        note(&self.db, false, self.entry(rows, failure))
    }

    fn entry(&self, rows: Option<u64>, failure: Option<&str>) -> Audited {
        let milliseconds = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        asked_by(actor(), self.role, "phananh sql", &self.text, rows, milliseconds, failure)
    }
}

impl Drop for NotedQuestion {
    fn drop(&mut self) {
        if !self.is_noted {
            self.end_without_answer("the answer was not read to its end");
        }
    }
}

/// Writes an entry, or only tries to.
fn note(db: &Db, only_try: bool, entry: Audited) -> anyhow::Result<()> {
    db.write_unless(only_try, "audit", |tx| -> Result<(), StoreError> { write(tx.conn, &[entry]) })?;
    Ok(())
}

/// The user of the operating system who runs this process, and the user who logged in if that is another one.
fn actor() -> String {
    let users = std::fs::read_to_string(USERS).unwrap_or_default();
    let login = std::fs::read_to_string(LOGIN).ok().and_then(|text| text.trim().parse::<u32>().ok());
    actor_of(&users, getuid().as_raw(), login)
}

fn actor_of(users: &str, user: u32, login: Option<u32>) -> String {
    // The largest number means that no login is known, as in a container or a service.
    match login.filter(|login| ![u32::MAX, user].contains(login)) {
        Some(login) => format!("cli:{} as {}", name_of(users, login), name_of(users, user)),
        None => format!("cli:{}", name_of(users, user)),
    }
}

/// The name of a user, or the number where the list does not have it.
fn name_of(users: &str, user: u32) -> String {
    let is_of = |line: &&str| line.split(':').nth(2).and_then(|id| id.parse::<u32>().ok()) == Some(user);
    let name = users.lines().find(is_of).and_then(|line| line.split(':').next());
    name.map_or_else(|| user.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::actor_of;

    const USERS: &str = "root:x:0:0::/root:/bin/bash\nphananh:x:990:990::/var/lib/phananh:/sbin/nologin\nlan:x:1001:1001::/home/lan:/bin/sh\n";

    #[test]
    fn the_asker_is_the_user_and_who_works_as_the_user() {
        for (user, login, expected) in [
            (1001, None, "cli:lan"),
            (1001, Some(1001), "cli:lan"),
            (990, Some(1001), "cli:lan as phananh"),
            (990, Some(u32::MAX), "cli:phananh"),
            (4711, Some(4712), "cli:4712 as 4711"),
        ] {
            assert_eq!(actor_of(USERS, user, login), expected);
        }
    }
}
