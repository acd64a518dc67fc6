//! Finds the columns that identify a complaint: one, or several where numbers restart each year or in each unit.

use super::found::{Found, quoted};
use super::table::Table;

const NAMES: [&str; 34] = [
    "so pa",
    "ma pa",
    "so phan anh",
    "ma phan anh",
    "so don",
    "ma don",
    "so ho so",
    "ma ho so",
    "ma vu viec",
    "so cong van",
    "ma tra cuu",
    "complaint id",
    "complaint number",
    "complaint no",
    "complaint key",
    "reference",
    "ref",
    "unique key",
    "service request number",
    "service request id",
    "sr number",
    "case number",
    "case id",
    "case enquiry id",
    "case no",
    "request id",
    "ticket",
    "log no",
    "cap number",
    "control number",
    "docket",
    "file number",
    "cr id",
    "ticket id",
];
/// Names that only say that the column is a number.
const BARE: [&str; 8] = ["so", "ma", "ma so", "so thu tu", "stt", "id", "key", "no"];
const NUMBERS: [&str; 12] =
    ["id", "key", "number", "no", "ref", "so", "ma", "case", "ticket", "identifier", "identity", "code"];
/// Names of columns within which numbers restart, the likelier ones first.
const WITHIN: [&str; 12] =
    ["nam", "year", "thang", "month", "don vi", "chi cuc", "unit", "office", "series", "ky hieu", "loai", "agency"];

/// The most columns that are joined where none identifies the rows, and the longest cells in such a code.
const MOST_PARTS: usize = 4;
const LONGEST_PART: usize = 45;

/// The reference. `received`: the columns of the day of receipt, which is the same in all rows of one complaint.
pub fn find(table: &mut Table<'_>, received: &[usize]) -> Option<Found> {
    let is_number = |at: usize| table.columns[at].is_code(200) && names_rows(table, at);
    let exact = |at: usize| is_number(at) && BARE.iter().any(|name| table.names[at].is(name));
    let named = table.named(&NAMES, is_number).or_else(|| table.named(&BARE, exact));
    let column = named.or_else(|| most_different(table));
    let found = column.map(|column| one_or_several(table, column, received, named.is_some()));
    // Rows with the same number and the same day are rows of one complaint.
    let is_number_of_rows = |at: usize| {
        let of_one_day = table.sample.dependence(received, &[at]).is_one();
        table.names[at].has_any(&NUMBERS) && names_rows(table, at) && of_one_day
    };
    let tells = |one: &Found| match one.columns.as_slice() {
        [at] => named.is_some() || is_unique(table, &[*at]) || is_number_of_rows(*at),
        _ => true,
    };
    if !found.as_ref().is_some_and(tells)
        && let Some(key) = joined_key(table)
    {
        // Its columns stay free, since they also fill fields of their own.
        return Some(key);
    }
    // The column within which numbers restart, a unit or a category, stays free for a field of its own.
    table.take(&column.into_iter().collect::<Vec<_>>());
    found
}

/// Whether a column has enough distinct cells (a fifth of its rows) to identify complaints.
fn names_rows(table: &Table<'_>, at: usize) -> bool {
    let column = &table.columns[at];
    column.distinct().is_none_or(|distinct| distinct as u64 * 5 >= column.filled)
}

/// The column with the most distinct cells, none of them blank; among equals, one named as a number.
fn most_different(table: &Table<'_>) -> Option<usize> {
    let is_named = |at: &usize| table.names[*at].has_any(&NUMBERS);
    // Coordinates do not identify complaints.
    let is_fraction = |at: &usize| {
        table.columns[*at].number().is_some() && table.columns[*at].any(|value| value.contains(['.', ',']))
    };
    let fits = |at: &usize| {
        let column = &table.columns[*at];
        column.is_code(200) && column.blank == 0 && (is_named(at) || !is_fraction(at))
    };
    let rank = |at: &usize| {
        let different = table.columns[*at].distinct().unwrap_or(usize::MAX);
        (different, is_named(at), std::cmp::Reverse(*at))
    };
    table.free().filter(fits).max_by_key(rank)
}

/// The column alone where it identifies complaints, or else joined with the column within which its numbers restart. A
/// column `is_named` as a reference must have one day of receipt for each value; another one must be unique.
fn one_or_several(table: &Table<'_>, column: usize, received: &[usize], is_named: bool) -> Found {
    let alone = Found::column("reference", column);
    let is_date_known = !received.is_empty() && !received.contains(&column);
    let days = table.sample.dependence(received, &[column]);
    let tells = if is_named && is_date_known {
        days.is_one()
    } else {
        table.columns[column].distinct().is_none() || is_unique(table, &[column])
    };
    if tells || table.columns[column].is_short() && days.ambiguous * 5 <= days.different {
        return alone;
    }
    let days_with = |with: usize| table.sample.dependence(received, &[with, column]);
    let is_better = |with: usize| {
        let columns = [with, column];
        with != column
            && table.columns[with].is_code(60)
            && if is_named && is_date_known { days_with(with).ambiguous == 0 } else { is_unique(table, &columns) }
    };
    // Numbers restart within a column of few values: a year, a unit.
    let divides = |at: usize| table.columns[at].repeats() && is_better(at);
    let with = WITHIN.iter().find_map(|word| table.all_named(word).find(|at| divides(*at)));
    let with = with.or_else(|| table.free().filter(|at| divides(*at)).min_by_key(|at| table.columns[*at].distinct()));
    let Some(with) = with else {
        let check = if days.ambiguous == 0 {
            String::new()
        } else {
            format!("CHECK: {} of its values have several days of receipt", days.ambiguous)
        };
        return alone.check(check);
    };
    let columns = vec![with, column];
    let separator = table.separator(&columns);
    let check = format!("CHECK: one value of {} alone can be several complaints", quoted(&table.columns[column].name));
    Found::join("reference", columns, separator).check(check)
}

/// Finds the fewest columns (greedily) that together identify nearly all rows, where no single column identifies them.
fn joined_key(table: &Table<'_>) -> Option<Found> {
    let all = table.sample.len();
    let fits = |at: &usize| {
        let column = &table.columns[*at];
        !column.name.is_empty() && column.filled > 0 && column.longest <= LONGEST_PART
    };
    let candidates: Vec<usize> = (0..table.columns.len()).filter(fits).collect();
    let mut chosen: Vec<usize> = Vec::new();
    while chosen.len() < MOST_PARTS && table.sample.different(&chosen) < all {
        let with = |at: usize| table.sample.different(&[chosen.as_slice(), &[at]].concat());
        let others = candidates.iter().copied().filter(|at| !chosen.contains(at));
        let next = others.max_by_key(|at| (with(*at), std::cmp::Reverse(*at)));
        let Some(next) = next else { break };
        chosen.push(next);
    }
    if chosen.is_empty() || table.sample.different(&chosen) * 100 < all * 99 {
        return None;
    }
    chosen.sort_unstable();
    let separator = table.separator(&chosen);
    let check = "CHECK: no column identifies the rows; rows that are equal in these would be one complaint";
    let found = match chosen.as_slice() {
        [one] => Found::column("reference", *one),
        _ => Found::join("reference", chosen, separator),
    };
    Some(found.check(check))
}

fn is_unique(table: &Table<'_>, columns: &[usize]) -> bool {
    table.sample.different(columns) == table.sample.len()
}
