//! The tables that a text names.

use jobs::tables::{TABLES, Table};
use std::collections::HashSet;

/// The tables whose name occurs as a word in a text, comments and texts included. An engine says which others the
/// question reads, as by an identifier with escapes.
pub fn tables_named(text: &str, board: bool) -> Vec<&'static Table> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let words: HashSet<String> = text.split(|c| !is_part(c)).map(str::to_lowercase).collect();
    TABLES.iter().copied().filter(|table| (board || !table.board_only) && words.contains(table.name)).collect()
}
