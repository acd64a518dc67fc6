//! Finds the column that identifies officers, and the columns of their name, rank and day of appointment.

use super::dates;
use super::found::{Found, examples, quoted};
use super::table::Table;
use super::words::Words;

/// Words for an officer, the more certain ones first, with their weights.
const OFFICER: [(&[&str], i32); 3] = [
    (
        &[
            "officer",
            "can bo",
            "cong chuc",
            "mos",
            "member of service",
            "employee",
            "nhan vien",
            "inspector",
            "constable",
            "deputy",
            "policeman",
            "nguoi bi phan anh",
            "nguoi bi to cao",
            "nguoi bi khieu nai",
        ],
        4,
    ),
    (&["badge", "shield", "so hieu", "so the", "warrant number", "star no", "star number"], 3),
    (&["cb", "staff"], 2),
];
const IDENTIFIES: [&str; 12] =
    ["id", "no", "number", "num", "code", "key", "identifier", "badge", "shield", "so", "ma", "so hieu"];
/// Words for the officer complained about; a column without them may name the officer who handles the case.
const ACCUSED: [&str; 9] = [
    "bi phan anh",
    "bi khieu nai",
    "bi to cao",
    "accused",
    "respondent",
    "subject",
    "against",
    "complained about",
    "involved",
];
/// Words of columns that describe an officer without identifying one.
const SAYS_MORE: [&str; 52] = [
    "rank",
    "title",
    "race",
    "ethnicity",
    "sex",
    "gender",
    "age",
    "year",
    "day",
    "experience",
    "appointed",
    "appointment",
    "birth",
    "hire",
    "hired",
    "unit",
    "command",
    "assignment",
    "assigned",
    "division",
    "precinct",
    "department",
    "agency",
    "station",
    "count",
    "type",
    "injury",
    "injured",
    "status",
    "detail",
    "finding",
    "discipline",
    "outcome",
    "allegation",
    "duty",
    "force",
    "weapon",
    "on scene",
    "chuc vu",
    "cap bac",
    "ngach",
    "tuoi",
    "gioi tinh",
    "don vi",
    "chi cuc",
    "phong",
    "thai do",
    "so luong",
    "hanh vi",
    "ngay",
    "noi dung",
    "role",
];
/// Words for other persons: the complainant, and staff who record, handle or decide complaints.
const OTHERS: [&str; 59] = [
    "complainant",
    "victim",
    "civilian",
    "consumer",
    "caller",
    "customer",
    "witness",
    "investigator",
    "investigating",
    "reviewer",
    "handled",
    "handling",
    "handler",
    "supervisor",
    "entered",
    "case",
    "desk",
    "intake",
    "complaints",
    "lead",
    "responsible",
    "responding",
    "recorded",
    "recording",
    "registered",
    "logged",
    "taken",
    "taking",
    "receiving",
    "received",
    "reporting",
    "reported",
    "created",
    "updated",
    "closed",
    "approved",
    "approving",
    "prepared",
    "owner",
    "contact",
    "liaison",
    "author",
    "phu trach",
    "chuyen vien",
    "phan cong",
    "theo doi",
    "xac minh",
    "kiem tra",
    "bao cao",
    "tra loi",
    "duyet",
    "nguoi lap",
    "tiep nhan",
    "xu ly",
    "thu ly",
    "giai quyet",
    "nhap",
    "nguoi gui",
    "nguoi phan anh",
];
const NAME: [&str; 4] = ["name", "ho ten", "ho va ten", "ten"];
const FIRST: [&str; 3] = ["first name", "first", "given name"];
const LAST: [&str; 4] = ["last name", "last", "surname", "family name"];
const RANK: [&str; 5] = ["rank incident", "rank", "cap bac", "chuc vu", "ngach"];
const APPOINTED: [&str; 4] = ["appointed", "appointment", "hired", "bo nhiem"];

/// The column of the officer, and those of name, rank and day of appointment, used where an officer is created.
pub fn find(table: &mut Table<'_>) -> Vec<Found> {
    let names = names(table);
    let by_number = number(table);
    let Some(officer) = by_number.map(|at| numbered(table, at, &names)).or_else(|| by_name(table, &names)) else {
        return Vec::new();
    };
    let officer = checked(table, officer);
    let on = officer.columns.clone();
    table.take(&on);
    let mut found = vec![officer];
    let is_of_officer = |columns: &[usize]| columns.iter().all(|at| table.sample.dependence(&[*at], &on).is_one());
    if by_number.is_some() && !names.is_empty() && is_of_officer(&names) {
        found.push(joined("officer_name", &names, " "));
    } else if by_number.is_some() && names.is_empty() {
        // A second column that only has the word for an officer holds names where the first one holds numbers.
        let is_name = |at: &usize| score(&table.names[*at], false).is_some() && !table.columns[*at].is_short();
        let name =
            table.free().find(|at| is_name(at) && table.columns[*at].number().is_none() && is_of_officer(&[*at]));
        found.extend(name.map(|name| Found::column("officer_name", name)));
    }
    if let Some(rank) = table.named(&RANK, |at| is_about_officers(table, at) && table.columns[at].is_code(60)) {
        found.push(Found::column("officer_rank", rank));
    }
    let is_day = |at: usize| is_about_officers(table, at) && dates::is_date(&table.columns[at]);
    if let Some(appointed) = table.named(&APPOINTED, is_day) {
        found.push(dates::whole(table, "officer_appointed", appointed));
    }
    for one in &found {
        table.take(&one.columns);
    }
    found
}

/// Adds a check where no word says that the column is about the officer complained about: otherwise flags would name
/// officers who handle cases.
fn checked(table: &Table<'_>, officer: Found) -> Found {
    if officer.columns.iter().any(|at| table.names[*at].has_any(&ACCUSED)) {
        return officer;
    }
    officer.check_first("CHECK: it must be the officer complained about, and not the one who handles the case")
}

fn joined(field: &'static str, columns: &[usize], separator: &'static str) -> Found {
    match columns {
        [one] => Found::column(field, *one),
        several => Found::join(field, several.to_vec(), separator),
    }
}

/// The column of officer numbers.
fn number(table: &Table<'_>) -> Option<usize> {
    let has_officers = table.names.iter().any(|name| name.has_any(OFFICER[0].0) && !name.has_any(&OTHERS));
    let scored = table.free().filter_map(|at| {
        let column = &table.columns[at];
        // A column that numbers the officers within a complaint: 1, 2, 3.
        let is_named_so = table.names[at].has_any(&["id", "identifier", "badge", "shield", "ma", "code", "so hieu"]);
        let is_count = !is_named_so && !column.is_short() && column.all_within(0, 20);
        let is_number = column.is_code(60) && !is_count && !column.is_tax_code();
        Some((score(&table.names[at], has_officers).filter(|_| is_number)?, at))
    });
    scored.rev_max()
}

/// The index with the highest score; among equals, the first.
trait RevMax {
    fn rev_max(self) -> Option<usize>;
}

impl<I: Iterator<Item = (i32, usize)>> RevMax for I {
    fn rev_max(self) -> Option<usize> {
        self.max_by_key(|(score, at)| (*score, std::cmp::Reverse(*at))).map(|(_, at)| at)
    }
}

fn score(name: &Words, has_officers: bool) -> Option<i32> {
    // Where officers are named, a tax number is theirs: the tax code of an enterprise was taken before.
    if has_officers && ["tax id", "tax no", "tax number"].iter().any(|phrase| name.has(phrase)) {
        return Some(7);
    }
    if name.has_any(&SAYS_MORE) || name.has_any(&OTHERS) || name.has_any(&NAME) || name.has_any(&LAST) {
        return None;
    }
    let (_, weight) = OFFICER.iter().find(|(words, _)| name.has_any(words))?;
    let more = [(name.has_any(&IDENTIFIES), 4), (name.has("unique"), 1), (name.has_any(&ACCUSED), 3)];
    Some(weight + more.into_iter().filter(|(is_so, _)| *is_so).map(|(_, weight)| weight).sum::<i32>())
}

fn is_about_officers(table: &Table<'_>, at: usize) -> bool {
    !table.names[at].has_any(&OTHERS)
}

/// The columns of officers' names: one, or first and last name. A bare "name" counts only together with other columns
/// about officers.
fn names(table: &Table<'_>) -> Vec<usize> {
    let is_officer = |name: &Words| OFFICER.iter().any(|(words, _)| name.has_any(words)) && !name.has_any(&OTHERS);
    let has_officers = table.names.iter().any(is_officer);
    if !has_officers {
        return Vec::new();
    }
    let is_bare =
        |name: &Words| ["name", "ho ten", "ho va ten"].iter().chain(&FIRST).chain(&LAST).any(|one| name.is(one));
    let is_of_officer = |at: usize| {
        let name = &table.names[at];
        let of_officer = OFFICER.iter().any(|(words, _)| name.has_any(words)) || is_bare(name);
        of_officer && is_about_officers(table, at) && table.columns[at].is_code(100) && !name.has_any(&SAYS_MORE)
    };
    let first = table.named(&FIRST, is_of_officer);
    let last = table.named(&LAST, is_of_officer);
    match (first, last) {
        (Some(first), Some(last)) if first != last => vec![first, last],
        (None, Some(last)) => vec![last],
        _ => table.named(&NAME, is_of_officer).into_iter().collect(),
    }
}

/// Officers by number; joined with the name where numbers are shared by several names.
fn numbered(table: &Table<'_>, at: usize, names: &[usize]) -> Found {
    let column = &table.columns[at];
    let values = examples(table, at, 4);
    let told_by = names.last().copied().filter(|name| *name != at);
    let is_shared = told_by.is_some_and(|name| {
        let dependence = table.sample.dependence(&[name], &[at]);
        // A few officers change their names.
        !column.is_short() && dependence.ambiguous * 10 > dependence.different
    });
    match told_by.filter(|_| is_shared) {
        Some(name) => {
            let columns = vec![at, name];
            let separator = table.separator(&columns);
            let check = format!(
                "CHECK: one value of {} has several names, so the name is part of the code",
                quoted(&column.name)
            );
            Found::join("officer", columns, separator).check(check)
        }
        None => Found::column("officer", at).check(values).naming_somebody(table),
    }
}

/// Officers by name, where the register has no numbers.
fn by_name(table: &Table<'_>, names: &[usize]) -> Option<Found> {
    let separator = table.separator(names);
    (!names.is_empty()).then(|| {
        let found = joined("officer", names, separator);
        found.check("CHECK: names without numbers: two officers of one name would be one").naming_somebody(table)
    })
}
