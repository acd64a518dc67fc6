//! Finds dates: in one column, with the time of day in a second one, or split into columns for year, month and day.

use super::column::Column;
use super::found::{Found, quoted};
use super::table::Table;
use super::words::Words;
use crate::domain::calendar::LOCAL;
use crate::import::dates::DateRules;
use chrono::{Datelike, NaiveTime};

/// Names of the dates of a complaint, by field.
const NAMES: [(&str, &[&str]); 4] = [
    (
        "received",
        &[
            "ngay nhan",
            "ngay tiep nhan",
            "tiep nhan",
            "nhan",
            "ngay phan anh",
            "thoi gian phan anh",
            "thoi gian gui",
            "ngay gui",
            "date received",
            "received",
            "created",
            "creation",
            "opened",
            "open",
            "complaint date",
            "reported",
            "filed",
            "submitted",
            "lodged",
            "intake",
            "logged",
            "registered",
        ],
    ),
    ("occurred", &["xay ra", "su viec", "vi pham", "occurred", "incident", "occurrence", "event"]),
    ("closed", &["ngay dong", "dong", "closed", "close", "resolved", "completed", "ket thuc", "hoan thanh"]),
    ("decided", &["ngay kl", "ngay ket luan", "ket luan", "decided", "disposition", "finding", "decision"]),
];

/// Words for dates of persons, changes or deadlines, which are not dates of the complaint.
const OTHER: [&str; 27] = [
    "birth",
    "born",
    "dob",
    "hired",
    "hire",
    "appointed",
    "appointment",
    "updated",
    "update",
    "modified",
    "changed",
    "due",
    "deadline",
    "target",
    "expiry",
    "expires",
    "expiration",
    "expected",
    "sinh",
    "bo nhiem",
    "tuyen dung",
    "vao nganh",
    "cap nhat",
    "sua doi",
    "han",
    "thoi han",
    "het han",
];

const YEAR: [&str; 3] = ["year", "nam", "yr"];
const MONTH: [&str; 3] = ["month", "thang", "mon"];
const DAY: [&str; 3] = ["day", "ngay", "date"];
const TIME: [&str; 4] = ["time", "gio", "thoi gian", "hour"];

/// The fields that are dates.
pub fn find(table: &mut Table<'_>) -> Vec<Found> {
    let splits = splits(table);
    let mut found: Vec<Found> = Vec::new();
    for (field, names) in NAMES {
        let whole = table.named(names, |at| is_date(&table.columns[at]) && !table.names[at].has_any(&OTHER));
        let one = match whole {
            Some(column) => Some(with_time(table, field, column)),
            None => splits.iter().find(|split| split.stem.has_any(names)).map(|split| split.rule(table, field)),
        };
        if let Some(one) = one {
            table.take(&one.columns);
            found.push(one);
        }
    }
    if !found.iter().any(|one| one.field == "received") {
        found.extend(otherwise_received(table, &splits, &found));
    }
    found
}

/// The day of receipt where no column is named so: another date, and as a last choice the day of the matter or of
/// closing. The draft asks a person to check it.
fn otherwise_received(table: &mut Table<'_>, splits: &[Split], found: &[Found]) -> Option<Found> {
    let free_split = splits.iter().find(|split| !found.iter().any(|one| one.columns.contains(&split.year)));
    let first = table.free().find(|at| is_date(&table.columns[*at]) && !table.names[*at].has_any(&OTHER));
    let received = match (first, free_split) {
        (Some(column), _) => with_time(table, "received", column),
        (None, Some(split)) => split.rule(table, "received"),
        (None, None) => {
            let other = ["occurred", "closed"].iter().find_map(|field| found.iter().find(|one| one.field == *field))?;
            other.also("received")
        }
    };
    table.take(&received.columns);
    // Columns named only "year" and "month" are the only dates of the register and need no check.
    let is_named = splits.iter().any(|split| split.stem.count() == 0 && received.columns.contains(&split.year));
    if is_named {
        return Some(received);
    }
    let names: Vec<String> = received.columns.iter().map(|at| quoted(&table.columns[*at].name)).collect();
    let check = format!("CHECK: no column says when it was received; this is {}", names.join(" and "));
    Some(received.check_first(&check))
}

/// A column named as a date whose cells are serial days of a spreadsheet, from 1954 to 2064.
pub fn serial(table: &Table<'_>) -> Option<usize> {
    let is_day = |at: &usize| {
        let name = &table.names[*at];
        // "Incident number" is a number, not a date.
        let is_number = name.has_any(&["id", "number", "no", "code", "key", "so", "ma"]);
        !is_number && (name.has_any(&DAY) || NAMES.iter().any(|(_, names)| name.has_any(names)))
    };
    let is_serial = |value: &str| value.parse().is_ok_and(|days: f64| (20_000.0..60_000.0).contains(&days));
    (0..table.columns.len()).find(|at| is_day(at) && table.columns[*at].all(is_serial))
}

/// Whether a column has dates.
pub fn is_date(column: &Column) -> bool {
    column.formats().is_some() && !column.is_tax_code()
}

/// The rule of a column of dates.
pub fn whole(table: &Table<'_>, field: &'static str, at: usize) -> Found {
    let column = &table.columns[at];
    let check = if column.is_day_or_month() {
        "CHECK: no day is beyond 12, so day and month may be swapped"
    } else if has_both_orders(column) {
        "CHECK: some rows have the day first and others the month: a row like 05/03/2024 is ambiguous"
    } else {
        ""
    };
    let found = Found::column(field, at).check(check);
    if field == "received" && is_by_month(column) {
        let found = found.keys("precision = \"month\"");
        let found = found.check_first("CHECK: all days are the first of their months, so they stand for the months");
        return match column.formats().unwrap_or_default().as_slice() {
            [] | [""] => found,
            [one, ..] => found.keys(format!("format = {}, precision = \"month\"", quoted(one))),
        };
    }
    match column.formats().unwrap_or_default().as_slice() {
        [] | [""] => found,
        [one] => found.keys(format!("format = {}", quoted(one))),
        several => {
            // The default formats of a mapping, written out.
            let iso = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%+", "%Y-%m-%dT%H:%M:%S%.f"];
            let formats =
                several.iter().flat_map(|format| if format.is_empty() { iso.to_vec() } else { vec![*format] });
            let formats: Vec<String> = formats.map(quoted).collect();
            found.keys(format!("formats = [{}]", formats.join(", ")))
        }
    }
}

/// Whether some formats of a column have the day before the month, and others after it.
fn has_both_orders(column: &Column) -> bool {
    let formats = column.formats().unwrap_or_default();
    let has = |order: &str| formats.iter().any(|format| format.replace(['-', '.'], "/").contains(order));
    has("%d/%m") && has("%m/%d")
}

/// Whether all days of a column are the first of a month.
fn is_by_month(column: &Column) -> bool {
    let formats = column.formats().unwrap_or_default();
    let [format] = formats.as_slice() else { return false };
    let formats = if format.is_empty() { Vec::new() } else { vec![(*format).to_owned()] };
    let Ok(rules) = DateRules::new(formats, None, false, LOCAL) else { return false };
    let is_first = |value: &str| rules.date(value, LOCAL).is_ok_and(|day| day.day() == 1) && !rules.is_by_month(value);
    !column.is_short() && column.distinct() > Some(2) && column.all(is_first)
}

/// The rule of a column of days, joined with the time of day from a column of the same stem, if there is one.
fn with_time(table: &Table<'_>, field: &'static str, at: usize) -> Found {
    let found = whole(table, field, at);
    let column = &table.columns[at];
    let day = match column.formats().as_deref() {
        Some([""]) if column.any(|value| value.len() > 10) => return found,
        Some([""]) => "%Y-%m-%d",
        Some([one]) if !one.contains("%H") && !one.contains("%I") && one.contains("%d") => *one,
        _ => return found,
    };
    let stem = stem(&table.names[at], &DAY).unwrap_or_else(|| table.names[at].clone());
    let beside = table.free().filter(|other| *other != at).find_map(|other| {
        let is_beside = self::stem(&table.names[other], &TIME).is_some_and(|other| other == stem);
        Some((other, time_of_day(&table.columns[other]).filter(|_| is_beside)?))
    });
    let Some((time, format)) = beside else { return found };
    let formats = format!("formats = [{}, {}]", quoted(&format!("{day} {format}")), quoted(day));
    Found::join(field, vec![at, time], " ").keys(formats).check(found.check)
}

/// The format of the times of day in a column; None where it has none.
fn time_of_day(column: &Column) -> Option<&'static str> {
    let formats = ["%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p"];
    formats.into_iter().find(|format| column.all(|value| NaiveTime::parse_from_str(value, format).is_ok()))
}

/// A date whose year, month and perhaps day are separate columns.
struct Split {
    /// The common part of their names.
    stem: Words,
    year: usize,
    month: usize,
    day: Option<usize>,
    month_format: String,
}

fn splits(table: &Table<'_>) -> Vec<Split> {
    let part = |stem: &Words, words: &[&str], fits: &dyn Fn(&Column) -> bool| {
        table.free().find(|at| self::stem(&table.names[*at], words).as_ref() == Some(stem) && fits(&table.columns[*at]))
    };
    let years = table.free().filter_map(|year| {
        let is_year = table.columns[year].all_within(1900, 2200);
        let stem = stem(&table.names[year], &YEAR).filter(|stem| is_year && !stem.has_any(&OTHER))?;
        let month = part(&stem, &MONTH, &|column| month_format(column).is_some())?;
        let day = part(&stem, &DAY, &|column| column.all_within(1, 31));
        Some(Split { stem, year, month, day, month_format: month_format(&table.columns[month])? })
    });
    years.collect()
}

impl Split {
    fn rule(&self, table: &Table<'_>, field: &'static str) -> Found {
        let parts = [self.day, Some(self.month), Some(self.year)];
        let day = if self.day.is_some() { "%d/" } else { "" };
        let format = format!("format = {}", quoted(&format!("{day}{}/%Y", self.month_format)));
        let found = Found::join(field, parts.into_iter().flatten().collect(), "/").keys(format);
        let lacking = table.sample.blank_beside(self.month, self.year);
        if lacking > 0 {
            found.check(format!("CHECK: {lacking} rows have a year and no month, and would be rejected"))
        } else if self.day.is_none() && field == "received" {
            found.check("months without days: there are no windows shorter than 90 days")
        } else {
            found
        }
    }
}

/// The format of the months in a column; None where it has none.
fn month_format(column: &Column) -> Option<String> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    if column.all_within(1, 12) {
        return Some("%m".into());
    }
    let is_named = |value: &str| {
        let value = value.to_ascii_lowercase();
        let full = chrono::Month::try_from(
            MONTHS.iter().position(|month| value.starts_with(month)).map_or(0, |nth| nth as u8 + 1),
        );
        full.is_ok_and(|month| value.len() == 3 || value == month.name().to_ascii_lowercase())
    };
    if column.all(is_named) {
        return Some("%B".into());
    }
    // A word before the number, such as "Tháng 3".
    let first = column.first()?;
    let word = first.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = |value: &str| value.strip_prefix(word)?.parse::<u8>().ok();
    let is_numbered = !word.is_empty() && !word.contains(['%', '/']);
    (is_numbered && column.all(|value| number(value).is_some_and(|month| (1..=12).contains(&month))))
        .then(|| format!("{word}%m"))
}

/// A name without the first of these words that it contains.
fn stem(name: &Words, words: &[&str]) -> Option<Words> {
    words.iter().find_map(|word| name.without(word))
}
