//! Stores attachments by reference.

use crate::db::{StoreError, WriteTx};
use crate::domain::attachment::{MOST_ATTACHMENTS, Reference};
use crate::domain::ids::random_id;
use crate::each;
use crate::models::Attachment;
use crate::sql_types::Id;
use crate::states::{StateTable, pair};
use crate::tables::attachments;
use diesel::RunQueryDsl;

/// The event field that describes the attachments of a complaint, or of one of its additions.
pub const ATTACHMENTS: &str = "attachments";

/// Checks the attachments of one submission or addition.
///
/// # Errors
/// Says which of them is wrong, and why.
pub fn check_attachments(given: Vec<Reference>) -> Result<Vec<Reference>, String> {
    if given.len() > MOST_ATTACHMENTS {
        return Err(format!("there are {}: at most {MOST_ATTACHMENTS} are allowed", given.len()));
    }
    let checked =
        (1..).zip(given).map(|(nth, one)| one.checked().map_err(|message| format!("number {nth}: {message}")));
    checked.collect()
}

/// Attachments as the event of the complaint describes them, each on a line; None if there are none. A name, and the
/// place of a file, may be personal.
pub(super) fn described(given: &[Reference]) -> Option<(String, serde_json::Value)> {
    let line = |one: &Reference| {
        let Reference { name, size, media_type, sha256, url } = one;
        format!("{name} ({media_type}, {size} bytes, SHA-256 {sha256}): {url}")
    };
    let lines: Vec<String> = given.iter().map(line).collect();
    (!lines.is_empty()).then(|| (ATTACHMENTS.to_owned(), lines.join("\n").into()))
}

/// Stores checked attachments of a complaint, whose event has them [`described`]; `addition` is the ordinal of the
/// addition that they came with.
///
/// # Errors
/// If the database refuses the write.
pub(super) fn store_attachments(
    tx: &mut WriteTx<'_>,
    complaint_id: Id,
    addition: Option<i32>,
    given: Vec<Reference>,
) -> Result<(), StoreError> {
    for (ordinal, one) in (0..).zip(given) {
        let Reference { name, size, media_type, sha256, url } = one;
        let id = random_id();
        let row = Attachment { complaint_id, id, addition, ordinal, name, size, media_type, sha256, url };
        each!(&mut *tx.conn, c => diesel::insert_into(attachments::table).values(&row).execute(c)?);
        tx.record_state(StateTable::Attachments, &pair(complaint_id, id));
    }
    Ok(())
}
