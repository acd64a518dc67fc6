//! Finds the columns of the unit complained about, and of the name of the complaining enterprise.

use super::found::{Found, examples};
use super::table::Table;
use super::words::Words;

/// Words for a unit, with their weights: words for an organisation weigh more than words for a place.
const UNIT: [(&[&str], i32); 5] = [
    (&["don vi", "chi cuc", "unit", "command", "respondent", "filed against", "branch"], 8),
    (&["dv", "agency", "company", "organisation", "organization", "institution", "co quan"], 7),
    (&["office", "department", "dept", "bureau", "precinct", "cua khau"], 6),
    (
        &[
            "cuc", "division", "station", "provider", "merchant", "carrier", "bank", "airline", "insurer", "district",
            "phong", "doi",
        ],
        4,
    ),
    (&["facility", "store", "borough", "beat", "region", "khu vuc"], 2),
];
/// Words that exclude a column, whatever other words it has.
const NO_UNIT: [&str; 45] = [
    "response",
    "date",
    "time",
    "received",
    "sent",
    "zip",
    "type",
    "location",
    "address",
    "school",
    "taxi",
    "park",
    "bridge",
    "phone",
    "channel",
    "race",
    "cost",
    "count",
    "number of",
    "status",
    "complainant",
    "victim",
    "consumer",
    "caller",
    "landmark",
    "community",
    "council",
    "coordinate",
    "street",
    "relation",
    "resolution",
    "outcome",
    "gio",
    "chuc vu",
    "cap bac",
    "so luong",
    "nguoi",
    "bi hai",
    "rank",
    "desc",
    "text",
    "price",
    "loai",
    "vehicle",
    "role",
];
/// Words for the unit that handles the complaint, or in which an officer serves now: only the last choice.
const SECOND: [&str; 12] = [
    "tiep nhan",
    "xu ly",
    "giai quyet",
    "thu ly",
    "tra loi",
    "assigned",
    "handling",
    "handled",
    "created",
    "now",
    "current",
    "last",
];
const OF_THE_DAY: [&str; 5] = ["at incident", "of incident", "bi phan anh", "bi khieu nai", "bi to cao"];
const NAME: [&str; 5] = ["name", "ten", "description", "desc", "title"];
const ENTERPRISE: [&str; 12] = [
    "ten doanh nghiep",
    "doanh nghiep",
    "ten dn",
    "dn",
    "cong ty",
    "enterprise",
    "company",
    "business",
    "importer",
    "exporter",
    "declarant",
    "nguoi khai",
];
/// Words for a company that may be either party: the complaining enterprise in a register with tax codes, and the unit
/// complained about in one without them.
const EITHER: [&str; 6] = ["company", "merchant", "carrier", "provider", "airline", "insurer"];

/// The column of the unit complained about, and that of its name.
pub fn unit(table: &mut Table<'_>, has_tax_code: bool) -> Vec<Found> {
    let scored = table.free().filter_map(|at| Some((score(table, at, has_tax_code)?, std::cmp::Reverse(at))));
    let Some((_, std::cmp::Reverse(unit))) = scored.max() else { return Vec::new() };
    let check = if table.names[unit].has_any(&SECOND) {
        "CHECK: it must be the unit complained about, and not the one that handles the complaint".to_owned()
    } else {
        examples(table, unit, 4)
    };
    let mut found = vec![Found::column("unit", unit).check(check).naming_somebody(table)];
    table.take(&[unit]);
    // A name column shares a word with the unit column, and has one name for each code.
    let is_name = |at: usize| {
        let names = &table.names;
        names[at].shares_word_with(&names[unit])
            && !names[at].has_any(&NO_UNIT[..2])
            && table.columns[at].is_code(200)
            && table.sample.dependence(&[at], &[unit]).is_one()
    };
    // Otherwise another unit column that corresponds one to one.
    let is_pair = |at: &usize| {
        let both_ways = [(*at, unit), (unit, *at)].map(|(of, on)| table.sample.dependence(&[of], &[on]).ambiguous == 0);
        score(table, *at, has_tax_code).is_some() && !table.columns[unit].is_short() && both_ways == [true, true]
    };
    let name = table.named(&NAME, is_name).or_else(|| table.free().find(is_pair));
    found.extend(name.map(|name| Found::column("unit_name", name)));
    table.take(&name.into_iter().collect::<Vec<_>>());
    found
}

fn score(table: &Table<'_>, at: usize, has_tax_code: bool) -> Option<i32> {
    let (name, column) = (&table.names[at], &table.columns[at]);
    if name.has_any(&NO_UNIT) || !column.is_code(120) || !column.repeats() || (has_tax_code && name.has_any(&EITHER)) {
        return None;
    }
    let (words, weight) = UNIT.iter().find(|(words, _)| name.has_any(words))?;
    let is_whole = words.iter().any(|word| name.is(word));
    let is_one = !column.is_short() && column.distinct() == Some(1);
    let more = [
        (is_whole, 3),
        (name.has_any(&OF_THE_DAY), 2),
        (name.has("officer"), 1),
        (name.has_any(&["id", "code", "no", "number", "ma"]), 2),
        (name.has_any(&NAME), -2),
        (name.has_any(&SECOND), -6),
        (column.blank > column.filled, -4),
        (is_one, -6),
    ];
    Some(weight + more.into_iter().filter(|(is_so, _)| *is_so).map(|(_, weight)| weight).sum::<i32>())
}

/// The column of the name of the enterprise; for registers with tax codes.
pub fn enterprise_name(table: &mut Table<'_>) -> Option<Found> {
    let is_name = |at: usize| !is_numbered(&table.names[at]) && table.columns[at].is_code(300);
    let name = table.named(&ENTERPRISE, is_name)?;
    table.take(&[name]);
    Some(Found::column("enterprise_name", name))
}

fn is_numbered(name: &Words) -> bool {
    name.has_any(&["code", "id", "type", "size", "ma", "so", "loai", "response", "dia chi", "address"])
}
