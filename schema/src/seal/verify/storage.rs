//! Finds values stored in another form than the program writes: conditions miss them, but reads accept them. One scan
//! of each table returns only the wrong rows.

use super::super::coverage::chain_of;
use super::problem::{Findings, Problem, RowName};
use super::stored::{Form, Stored, StoredColumn};
use crate::db::{Conn, StoreError};
use crate::domain::ids::human_reference;
use crate::each;
use crate::sql_types::Id;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// Rows reported per table; the rest is only counted.
const NAMED: usize = 100;

#[derive(QueryableByName)]
struct Wrong {
    /// The key of the row in hexadecimal, because it need not be text.
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    label: String,
    /// The wrong columns, each followed by a space.
    #[diesel(sql_type = Text)]
    columns: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Columns that identify a row for people.
pub const LABELS: &[&str] = &["code", "tax_code", "name", "reference", "address", "job", "message_id"];

/// Reports the values of a table that are stored in another form than the program writes.
///
/// # Errors
/// If the database fails.
pub fn verify(conn: &mut Conn, stored: &Stored, findings: &mut Findings) -> Result<(), StoreError> {
    let is_sqlite = matches!(conn, Conn::Sqlite(_));
    let (named, conditions): (Vec<String>, Vec<String>) = stored
        .columns
        .iter()
        .filter_map(|column| {
            let wrong = if is_sqlite { Some(column.wrong_in_sqlite()) } else { column.wrong_in_postgres() }?;
            Some((format!("CASE WHEN {wrong} THEN '{} ' ELSE '' END", column.name), wrong))
        })
        .unzip();
    if conditions.is_empty() {
        return Ok(());
    }
    let condition = conditions.join(" OR ");
    let as_text = |column: &StoredColumn| {
        if is_sqlite { text_in_sqlite(column) } else { format!("coalesce(\"{}\"::text, '')", column.name) }
    };
    let in_hex = |text: String| {
        if is_sqlite { format!("hex({text})") } else { format!("encode(convert_to({text}, 'UTF8'), 'hex')") }
    };
    let find = |name: &str| stored.columns.iter().find(|column| column.name == name);
    let key: Vec<String> = stored.key.iter().filter_map(|name| find(name)).map(as_text).collect();
    let label = LABELS.iter().find_map(|label| find(label)).map_or_else(|| "''".to_owned(), as_text);
    let query = format!(
        "SELECT {} AS key, {} AS label, {} AS columns FROM \"{}\" WHERE {condition} LIMIT {}",
        in_hex(key.join(" || ' ' || ")),
        in_hex(label),
        named.join(" || "),
        stored.table,
        NAMED + 1,
    );
    let mut rows: Vec<Wrong> = each!(&mut *conn, c => diesel::sql_query(query).load(c)?);
    if rows.len() > NAMED {
        let count = format!("SELECT count(*) AS number FROM \"{}\" WHERE {condition}", stored.table);
        let count: Count = each!(&mut *conn, c => diesel::sql_query(count).get_result(c)?);
        findings.more += u64::try_from(count.number).unwrap_or_default().saturating_sub(NAMED as u64);
        rows.truncate(NAMED);
    }
    for row in rows {
        let name = called(stored.table, &text(&row.key), Some(&text(&row.label)));
        for column in row.columns.split_whitespace() {
            let message = format!("{} {}: the program never stores {column} in this form", name.table, name.name);
            findings.report(Problem::of_column(chain_of(stored.table), &name, column, message));
        }
    }
    Ok(())
}

/// The name of a row, from its key and its label.
pub fn called(table: &'static str, key: &str, label: Option<&str>) -> RowName {
    let first = key.split(' ').next().unwrap_or_default();
    let is_of_complaint = table == "complaints" || super::stored::key_of(table).first() == Some(&"complaint_id");
    let of_complaint = first.parse::<Id>().ok().filter(|_| is_of_complaint);
    let name = match (of_complaint, label.map(str::trim).filter(|label| !label.is_empty())) {
        (Some(id), _) => format!("{}{}", human_reference(id), &key[first.len()..]),
        (None, Some(label)) => label.to_owned(),
        (None, None) => key.to_owned(),
    };
    let name = if name.trim().is_empty() { "a row without a key".to_owned() } else { name };
    RowName { table, name, id: key.to_owned() }
}

/// SQL for a value of any form as text: ids in their usual notation, other bytes of an id column in hex.
fn text_in_sqlite(column: &StoredColumn) -> String {
    let name = column.name;
    let as_text = format!("coalesce(CAST(\"{name}\" AS TEXT), '')");
    if column.form != Form::Id {
        return as_text;
    }
    let hex = format!("lower(hex(\"{name}\"))");
    let part = |from: u8, length: u8| format!("substr({hex}, {from}, {length})");
    let id = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)].join(" || '-' || ");
    format!("(CASE WHEN length({hex}) = 32 THEN {id} WHEN typeof(\"{name}\") = 'blob' THEN {hex} ELSE {as_text} END)")
}

fn text(hex: &str) -> String {
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
