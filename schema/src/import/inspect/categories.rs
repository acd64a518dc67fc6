//! Finds the columns of the category: one, or two of which one is the upper level.

use super::column::Column;
use super::found::{Found, Translated, Value, examples, quoted};
use super::table::Table;

/// Names of the finer level (what went wrong), the likelier ones first.
const FINE: [&str; 22] = [
    "issue",
    "allegation",
    "problem",
    "hanh vi",
    "vi pham",
    "violation",
    "descriptor",
    "sub category",
    "subcategory",
    "sub type",
    "subtype",
    "sub product",
    "sub issue",
    "sub",
    "loai con",
    "tieu muc",
    "chi tiet",
    "cap 2",
    "cap2",
    "request type",
    "reason",
    "detail",
];
/// Names of the upper level, the likelier ones first.
const TOP: [&str; 23] = [
    "loai",
    "phan loai",
    "linh vuc",
    "nhom",
    "category",
    "product",
    "complaint type",
    "issue",
    "allegation type",
    "allegation",
    "request type",
    "fado",
    "case type",
    "service type",
    "sr type",
    "type",
    "classification",
    "class",
    "group",
    "cap 1",
    "cap1",
    "topic",
    "service",
];
/// Words that exclude a column, whatever other words it has.
const OTHER: [&str; 34] = [
    "response",
    "date",
    "time",
    "received",
    "location",
    "address",
    "vehicle",
    "channel",
    "closed",
    "status",
    "race",
    "zip",
    "complainant",
    "respondent",
    "victim",
    "officer",
    "disposition",
    "finding",
    "outcome",
    "resolution",
    "consent",
    "phone",
    "id",
    "identity",
    "number",
    "street",
    "unit",
    "agency",
    "company",
    "incident",
    "facility",
    "penalty",
    "discipline",
    "don vi",
];

const CODE: [&str; 3] = ["short code", "code", "ma"];

/// The most categories whose kinds the draft lists one by one; with more it gives one kind for all.
const LISTED: usize = 30;

/// The fields of the category, and a table of their kinds where there are few enough.
pub fn find(table: &mut Table<'_>) -> (Vec<Found>, Option<Translated>) {
    let Levels { top, fine } = levels(table);
    let (found, kind_by) = match (top, fine) {
        (Some(top), Some(fine)) => (both(table, top, fine), top),
        (Some(only), None) | (None, Some(only)) => (one(table, only), only),
        (None, None) => return (Vec::new(), None),
    };
    for one in &found {
        table.take(&one.columns);
    }
    let values = table.columns[kind_by].counted().filter(|values| values.len() <= LISTED);
    let kinds = values.map(|values| Translated {
        field: "category_kind",
        column: kind_by,
        about: "what kind of obstacle each is: PROFICIENCY, PROCEDURE, RIGID_HANDLING, TECHNICAL or CONDUCT; flags count CONDUCT alone",
        default: "CONDUCT",
        // A person must write the kind: the file does not have it.
        values: values.into_iter().map(|(value, count)| Value { value, count, word: None, is_sure: false }).collect(),
    });
    (found, kinds)
}

fn is_category(column: &Column) -> bool {
    let is_few = column.is_short() || column.distinct().is_some_and(|distinct| distinct as u64 * 5 <= column.filled);
    column.is_code(200) && column.repeats() && (column.number().is_none() || column.all_within(0, 9_999) && is_few)
}

/// The columns of the upper and of the finer level.
struct Levels {
    top: Option<usize>,
    fine: Option<usize>,
}

fn levels(table: &Table<'_>) -> Levels {
    let tops = tops(table);
    let Some(fine) = fine(table) else {
        let below = |top: usize| tops.iter().copied().find(|fine| lies_below(table, *fine, top));
        let pair = tops.iter().find_map(|top| Some((*top, below(*top)?)));
        return match pair {
            Some((top, fine)) => Levels { top: Some(top), fine: Some(fine) },
            None => Levels { top: tops.first().copied(), fine: None },
        };
    };
    // The level above "Sub-product" is "Product".
    let whole = table.names[fine].without("sub");
    let named_whole = whole.and_then(|whole| table.free().find(|at| table.names[*at] == whole && fits(table, *at)));
    let is_above = |top: &usize| {
        *top != fine && adds(table, fine, *top) && table.columns[*top].distinct() <= table.columns[fine].distinct()
    };
    if let Some(top) = named_whole.or_else(|| tops.iter().copied().find(is_above)) {
        return Levels { top: Some(top), fine: Some(fine) };
    }
    match tops.iter().find(|other| lies_below(table, **other, fine)) {
        Some(finer) => Levels { top: Some(fine), fine: Some(*finer) },
        None => Levels { top: None, fine: Some(fine) },
    }
}

fn fits(table: &Table<'_>, at: usize) -> bool {
    !table.names[at].has_any(&OTHER) && is_category(&table.columns[at])
}

fn is_sub(table: &Table<'_>, at: usize) -> bool {
    table.names[at].has("sub") || table.names[at].has("con")
}

/// The column of the finer level.
fn fine(table: &Table<'_>) -> Option<usize> {
    let named = |phrase: &&str| {
        table.named(&[*phrase], |at| fits(table, at) && (phrase.starts_with("sub") || !is_sub(table, at)))
    };
    FINE.iter().find_map(named)
}

/// The columns that may be the upper level, the likelier ones first.
fn tops(table: &Table<'_>) -> Vec<usize> {
    let mut tops: Vec<usize> = Vec::new();
    for phrase in TOP {
        for at in table.free().filter(|at| table.names[*at].has(phrase) && fits(table, *at) && !is_sub(table, *at)) {
            if !tops.contains(&at) {
                tops.push(at);
            }
        }
    }
    tops
}

/// Whether the finer column distinguishes more rows than the upper one, and the upper one distinguishes some.
fn adds(table: &Table<'_>, fine: usize, top: usize) -> bool {
    let upper = table.sample.different(&[top]);
    table.sample.different(&[top, fine]) > upper && (upper > 1 || table.columns[top].is_short())
}

/// Whether each value of one column belongs to one value of another.
fn lies_below(table: &Table<'_>, fine: usize, top: usize) -> bool {
    let is_told = table.sample.dependence(&[top], &[fine]).is_one() && !table.columns[fine].is_short();
    top != fine && is_told && adds(table, fine, top)
}

/// Finds a tree of one level; with a column of codes where one corresponds one to one.
fn one(table: &Table<'_>, only: usize) -> Vec<Found> {
    let is_code = |at: usize| {
        let both_ways = [(at, only), (only, at)].map(|(of, on)| table.sample.dependence(&[of], &[on]).ambiguous == 0);
        at != only && table.columns[at].is_code(40) && both_ways == [true, true] && !table.columns[at].is_short()
    };
    match table.named(&CODE, is_code).filter(|_| table.columns[only].distinct() > Some(1)) {
        Some(code) => {
            vec![Found::column("category", code).check(examples(table, code, 4)), Found::column("category_name", only)]
        }
        None => vec![Found::column("category", only).check(examples(table, only, 4))],
    }
}

/// Two levels. The code is the finer column where each of its values is one category, or else both columns joined.
fn both(table: &Table<'_>, top: usize, fine: usize) -> Vec<Found> {
    let above = Found::column("category_parent", top).check(examples(table, top, 4));
    if is_code_alone(table, top, fine) {
        return vec![Found::column("category", fine).check(examples(table, fine, 4)), above];
    }
    let columns = vec![top, fine];
    let separator = table.separator(&columns);
    let check = format!("one value of {} alone can be several categories", quoted(&table.columns[fine].name));
    vec![Found::join("category", columns, separator).check(check), Found::column("category_name", fine), above]
}

/// Whether the finer column can be the code of the category without the upper one: each of its values is below a single
/// upper value, no row has an upper value and a blank finer one, and no upper value is also a finer value below another
/// upper value.
fn is_code_alone(table: &Table<'_>, top: usize, fine: usize) -> bool {
    let (upper, lower) = (&table.columns[top], &table.columns[fine]);
    let is_above_another = |value: &str| {
        let ids = (upper.id_of(value), lower.id_of(value));
        matches!(ids, (Some(above), Some(below)) if table.sample.stands_beside_another(fine, below, top, above))
    };
    table.sample.dependence(&[top], &[fine]).ambiguous == 0
        && table.sample.blank_beside(fine, top) == 0
        && upper.counted().is_some_and(|values| !values.iter().any(|(value, _)| is_above_another(value)))
}
