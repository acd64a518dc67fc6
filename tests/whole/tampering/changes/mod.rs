//! Changes that somebody makes who can write to the database: `{random}` is an id, `{later}` a minute more.

pub mod access;
pub mod complaints;
pub mod reference;
pub mod results;

/// A change, and what a verification has to say of it.
pub struct Change {
    pub sql: &'static str,
    pub expected: &'static [&'static str],
}

const fn change(sql: &'static str, expected: &'static [&'static str]) -> Change {
    Change { sql, expected }
}

/// The changes of all files.
pub fn changes() -> Vec<&'static Change> {
    [complaints::CHANGES, reference::CHANGES, results::CHANGES, access::CHANGES].into_iter().flatten().collect()
}
