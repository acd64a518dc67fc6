//! What tells one complaint from another: one column, or several where the number begins anew each year or in each unit.

use super::found::Found;
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
/// Names that say only that it is a number.
const BARE: [&str; 8] = ["so", "ma", "ma so", "so thu tu", "stt", "id", "key", "no"];
const NUMBERS: [&str; 12] =
    ["id", "key", "number", "no", "ref", "so", "ma", "case", "ticket", "identifier", "identity", "code"];
/// Columns within which numbers begin anew, the likelier ones first.
const WITHIN: [&str; 12] =
    ["nam", "year", "thang", "month", "don vi", "chi cuc", "unit", "office", "series", "ky hieu", "loai", "agency"];

/// The reference, by the columns of the day of receipt: rows of one complaint have one.
pub fn find(table: &mut Table<'_>, received: &[usize]) -> Option<Found> {
    let is_number = |at: usize| table.columns[at].is_code(200) && names_rows(table, at);
    let exact = |at: usize| is_number(at) && BARE.iter().any(|name| table.names[at].is(name));
    let named = table.named(&NAMES, is_number).or_else(|| table.named(&BARE, exact));
    let column = named.or_else(|| most_different(table))?;
    let found = one_or_several(table, column, received, named.is_some());
    table.take(&found.columns);
    Some(found)
}

/// Whether a column has so many different cells that it can say which rows belong together.
fn names_rows(table: &Table<'_>, at: usize) -> bool {
    let column = &table.columns[at];
    column.distinct().is_none_or(|distinct| distinct as u64 * 5 >= column.filled)
}

/// The column with the most different cells, none of them blank; of equals one whose name says that it is a number.
fn most_different(table: &Table<'_>) -> Option<usize> {
    let fits = |at: &usize| table.columns[*at].is_code(200) && table.columns[*at].blank == 0;
    let rank = |at: &usize| {
        let different = table.columns[*at].distinct().unwrap_or(usize::MAX);
        (different, table.names[*at].has_any(&NUMBERS), std::cmp::Reverse(*at))
    };
    table.free().filter(fits).max_by_key(rank)
}

/// Whether some columns tell complaints apart: each of their values has one day of receipt, and where nothing names them, each
/// row has one of its own.
fn one_or_several(table: &Table<'_>, column: usize, received: &[usize], is_named: bool) -> Found {
    let alone = Found::column("reference", column);
    let is_date_known = !received.is_empty() && !received.contains(&column);
    let days = table.sample.dependence(received, &[column]);
    let tells = if is_named && is_date_known {
        days.is_one()
    } else {
        table.columns[column].distinct().is_none() || is_unique(table, &[column])
    };
    if tells || table.columns[column].is_short() && days.torn * 5 <= days.different {
        return alone;
    }
    let torn = |with: usize| table.sample.dependence(received, &[with, column]);
    let is_better = |with: usize| {
        let columns = [with, column];
        with != column
            && table.columns[with].is_code(60)
            && if is_named && is_date_known { torn(with).torn == 0 } else { is_unique(table, &columns) }
    };
    // What divides the numbers is a list of few: a year, a unit.
    let divides = |at: usize| table.columns[at].repeats() && is_better(at);
    let with = WITHIN.iter().find_map(|word| table.all_named(word).find(|at| divides(*at)));
    let with = with.or_else(|| table.free().filter(|at| divides(*at)).min_by_key(|at| table.columns[*at].distinct()));
    let Some(with) = with else {
        let check = if days.torn == 0 {
            String::new()
        } else {
            format!("CHECK: {} of its values have several days of receipt", days.torn)
        };
        return alone.check(check);
    };
    let columns = vec![with, column];
    let separator = table.separator(&columns);
    let check = format!("CHECK: {:?} alone names several complaints", table.columns[column].name);
    Found::join("reference", columns, separator).check(check)
}

fn is_unique(table: &Table<'_>, columns: &[usize]) -> bool {
    table.sample.different(columns) == table.sample.len()
}
