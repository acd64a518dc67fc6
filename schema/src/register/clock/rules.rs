//! The rules by which a register counts: those of the program, or of files that it keeps.

use crate::db::{Conn, StoreError};
use crate::domain::legal_clock::{ClockFiles, ClockRules};
use crate::sql_types::JsonValue;
use crate::tables::{legal_clock, register_info};
use diesel::prelude::*;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The row of `register_info` with the files of the configuration.
pub(super) const KEY: &str = "legal_clock";

/// The row of `legal_clock`.
pub(super) const ONLY: i32 = 1;

static SHIPPED: LazyLock<Arc<ClockRules>> = LazyLock::new(|| Arc::new(ClockRules::shipped().clone()));

/// The rules parsed last, and the files that they are made of.
static PARSED: Mutex<Option<(ClockFiles, Arc<ClockRules>)>> = Mutex::new(None);

/// The rules that come with the program.
pub(super) fn shipped() -> Arc<ClockRules> {
    Arc::clone(&SHIPPED)
}

/// The files that the register keeps; None if it counts by the rules that come with the program.
pub(super) fn clock_files(conn: &mut Conn) -> Result<Option<ClockFiles>, StoreError> {
    let found: Option<JsonValue> =
        register_info::table.find(KEY).select(register_info::value).first(conn).optional()?;
    found.map(|value| serde_json::from_value(value.0).map_err(unreadable)).transpose()
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Rule(format!(
        "the rules of deadlines in register_info cannot be read ({error}): run `phananh migrate` with a configuration \
         that names them ([calendar] holidays, [deadlines] terms)"
    ))
}

/// The rules by which the register counts.
///
/// # Errors
/// `Rule` if the files that it keeps cannot be parsed.
pub fn clock_rules(conn: &mut Conn) -> Result<Arc<ClockRules>, StoreError> {
    match clock_files(conn)? {
        None => Ok(shipped()),
        Some(files) => rules_of(files),
    }
}

pub(super) fn rules_of(files: ClockFiles) -> Result<Arc<ClockRules>, StoreError> {
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((of, rules)) = &*parsed
        && *of == files
    {
        return Ok(Arc::clone(rules));
    }
    let rules = Arc::new(ClockRules::of(&files).map_err(unreadable)?);
    *parsed = Some((files, Arc::clone(&rules)));
    Ok(rules)
}

/// The hash of the rules by which the deadlines in the register were computed last; empty if they never were.
///
/// # Errors
/// If the database cannot be read.
pub fn rules_hash(conn: &mut Conn) -> Result<String, StoreError> {
    let found: Option<String> = legal_clock::table.find(ONLY).select(legal_clock::rules).first(conn).optional()?;
    Ok(found.unwrap_or_default())
}
