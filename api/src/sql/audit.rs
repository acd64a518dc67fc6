//! The audit entry of a question.

use crate::access::Viewer;
use schema::enums::{AuditAction, Role};
use schema::register::audit::Audited;
use schema::{JsonText, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// The longest text in bytes that an entry holds whole. The engine and a cluster refuse a longer one before they read
/// it.
const LONGEST_TEXT: usize = 64 * 1024;

/// The content of the audit entry of a question.
#[derive(Serialize)]
struct Asked<'a> {
    sql: &'a str,
    /// Rows of the answer; None without a complete answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    milliseconds: u64,
    /// Why the answer is incomplete.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
}

/// The text of a question for its entry, with the values of its parameters. A text that is too long to be executed is
/// cut off.
pub fn text_with_values(text: &str, values: &[Value]) -> String {
    if text.len() > LONGEST_TEXT {
        let kept = text.floor_char_boundary(LONGEST_TEXT);
        return format!("{}\n-- refused: the first {kept} of {} bytes", &text[..kept], text.len());
    }
    match values {
        [] => text.to_owned(),
        values => format!("{text}\n-- parameters: {}", Value::from(values.to_vec())),
    }
}

/// The audit entry of a question; `way` names the interface that it came by, such as `POST /sql`.
pub fn asked(
    viewer: &Viewer,
    way: &'static str,
    text: &str,
    rows: Option<u64>,
    milliseconds: u64,
    failure: Option<&str>,
) -> Audited {
    asked_by(viewer.actor(), viewer.role, way, text, rows, milliseconds, failure)
}

/// The same for an asker without a token.
pub fn asked_by(
    actor: String,
    role: Role,
    way: &'static str,
    text: &str,
    rows: Option<u64>,
    milliseconds: u64,
    failure: Option<&str>,
) -> Audited {
    let objects = serde_json::to_value(Asked { sql: text, rows, milliseconds, failure }).unwrap_or_default();
    Audited {
        at: Timestamp::now(),
        actor,
        role: Some(role),
        action: AuditAction::Sql,
        operation: Some(way.to_owned()),
        objects: JsonText::from(&objects),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_TEXT, text_with_values};
    use crate::sql::Parameter;
    use chrono::NaiveDate;

    #[test]
    fn an_entry_has_the_values_of_parameters() {
        assert_eq!(text_with_values("SELECT 1", &[]), "SELECT 1");
        let day = NaiveDate::from_ymd_opt(2025, 1, 2).unwrap();
        let given = [Parameter::Text("k1-x".into()), Parameter::Day(day), Parameter::Decimal("1.50".into())];
        let values: Vec<_> = given.iter().map(Parameter::to_json).collect();
        let text = text_with_values("SELECT $1, $2, $3", &values);
        assert_eq!(text, "SELECT $1, $2, $3\n-- parameters: [\"k1-x\",\"2025-01-02\",\"1.50\"]");
    }

    #[test]
    fn an_entry_has_the_beginning_of_a_text_that_is_too_long_to_be_asked() {
        let whole = format!("SELECT '{}'", "x".repeat(LONGEST_TEXT - 9));
        assert_eq!((whole.len(), text_with_values(&whole, &[])), (LONGEST_TEXT, whole.clone()));
        // The limit lies within a letter of two bytes.
        let long = format!("x{}", "é".repeat(LONGEST_TEXT));
        let text = text_with_values(&long, &["value".into()]);
        let (kept, note) = text.split_once('\n').unwrap();
        assert_eq!((kept.len(), long.starts_with(kept)), (LONGEST_TEXT - 1, true));
        assert_eq!(note, "-- refused: the first 65535 of 131073 bytes");
    }
}
