//! The complaints that a condition selects, for tables that have complaints as a column.

use super::Condition;
use anyhow::Context;
use arrow_array::cast::AsArray;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use schema::Conn;
use schema::pseudonyms::{Pseudonyms, Subject};
use schema::queries::{ComplaintSort, Direction, Window};
use std::collections::HashSet;

/// Complaints that a query reads at once; it reads one more, which makes a round number.
const PAGE: usize = 16_383;

/// The pseudonyms of complaints as numbers: 16 bytes for each.
pub struct Matching(HashSet<u128>);

impl Matching {
    /// Reads the complaints that meet a condition.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn read(conn: &mut Conn, pseudonyms: &Pseudonyms, condition: &Condition<'_>) -> anyhow::Result<Self> {
        let order = [(ComplaintSort::ReceivedAt, Direction::Asc)];
        let mut window = Window { limit: PAGE, ..Window::default() };
        let mut found = HashSet::new();
        loop {
            let slice = ComplaintSort::list_stubs(conn, vec![condition()?], &order, &window)?;
            window.after = slice.rows.last().map(|stub| ComplaintSort::stub_keys(&order, stub));
            found.extend(slice.rows.iter().map(|stub| number(&pseudonyms.of(Subject::Complaint, stub.id))));
            if !slice.more {
                return Ok(Self(found));
            }
        }
    }

    /// The rows whose column `complaint` names one of these.
    ///
    /// # Errors
    /// If the rows have no such column.
    pub fn of(&self, rows: &RecordBatch) -> anyhow::Result<RecordBatch> {
        let column = rows.column_by_name("complaint").and_then(|column| column.as_string_opt::<i32>());
        let column = column.context("the table has no column complaint, which the filter needs")?;
        let chosen = column.iter().map(|name| Some(name.is_some_and(|name| self.0.contains(&number(name)))));
        Ok(filter_record_batch(rows, &chosen.collect::<BooleanArray>())?)
    }
}

/// The letters and digits of a pseudonym as a number: 24 of 5 bits each.
fn number(pseudonym: &str) -> u128 {
    let letters = pseudonym.split_once('-').map_or("", |(_, letters)| letters);
    letters.bytes().take(24).fold(0, |number, letter| {
        let digit = if letter.is_ascii_digit() {
            letter.wrapping_sub(b'2').wrapping_add(26)
        } else {
            letter.wrapping_sub(b'a')
        };
        number << 5 | u128::from(digit & 0x1f)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array, StringArray};
    use schema::domain::ids::random_id;
    use schema::enums::Role;
    use schema::keys::Keys;
    use schema::pseudonyms::Audience;
    use std::sync::Arc;

    #[test]
    fn rows_of_other_complaints_are_left_out() {
        let pseudonyms = Keys::ephemeral().pseudonyms(Audience::Export(Role::DataTeam));
        let names: Vec<String> = (0..500).map(|_| pseudonyms.of(Subject::Complaint, random_id())).collect();
        let chosen = Matching(names.iter().step_by(3).map(|name| number(name)).collect());
        assert_eq!(chosen.0.len(), 167);
        let columns: [(&str, ArrayRef); 2] = [
            ("complaint", Arc::new(names.iter().map(|name| Some(name.as_str())).collect::<StringArray>())),
            ("n", Arc::new(Int64Array::from_iter_values(0..500))),
        ];
        let rows = RecordBatch::try_from_iter(columns).expect("rows");
        let kept = chosen.of(&rows).expect("a column of complaints");
        let numbers: Vec<i64> = kept.column(1).as_primitive::<arrow_array::types::Int64Type>().values().to_vec();
        assert_eq!(numbers, (0..500).step_by(3).collect::<Vec<i64>>());
    }
}
