//! Writes the draft of a mapping: guesses from names and cells which column fills which field.

use super::column::{Column, Separators};
use super::found::{Found, Translated, quoted, short};
use super::sample::Sample;
use super::table::Table;
use super::{categories, dates, people, places, reference, vocabulary};
use encoding_rs::Encoding;
use std::fmt::Write;

/// The beginning of a mapping: `source`, `kind` and `[file]`.
pub fn head(encoding: Option<&'static Encoding>, delimiter: u8, nulls: &[&str]) -> String {
    let mut text = String::from(
        "source = \"my-register\"  # CHECK: the name of this register; never change it after the first import\n\
         kind = \"complaints\"\n\n[file]\n",
    );
    let _infallible = writeln!(text, "delimiter = {}", quoted(delimiter_word(delimiter)));
    if let Some(encoding) = encoding {
        let _infallible = writeln!(text, "encoding = {}", quoted(&encoding.name().to_ascii_lowercase()));
    }
    if !nulls.is_empty() {
        let nulls: Vec<String> = nulls.iter().map(|null| quoted(null)).collect();
        let _infallible = writeln!(text, "null = [{}]", nulls.join(", "));
    }
    text.push('\n');
    text
}

pub fn delimiter_word(delimiter: u8) -> &'static str {
    match delimiter {
        b'\t' => "tab",
        b';' => ";",
        b'|' => "|",
        _ => ",",
    }
}

const TAX_CODE: [&str; 3] = ["mst", "ma so thue", "tax"];
const COST: [&str; 3] = ["chi phi", "thiet hai", "cost"];
const DONG: [&str; 2] = ["vnd", "dong"];
const DELAY: [&str; 5] = ["gio cho", "so gio", "gio", "hours", "delay"];
const TEXT: [&str; 9] =
    ["noi dung", "nd", "mo ta", "narrative", "description", "summary", "text", "details", "descriptor"];
/// Words for what was done about the matter; such a column is not the text of the complaint.
const ANSWER: [&str; 10] = [
    "resolution",
    "response",
    "outcome",
    "action",
    "disposition",
    "ket qua",
    "tra loi",
    "xu ly",
    "giai quyet",
    "closure",
];

/// The comment where the first row does not seem to be a header.
const TITLE: &str = "# CHECK: the first row looks like a title and not like the names of the columns: delete the rows above these names, \
                     and inspect the file again.\n";

/// The fields found in a file.
struct Plan {
    fields: Vec<Found>,
    words: Vec<Translated>,
    /// Fields left out, with their columns, because rows of one complaint differ in them.
    left_out: Vec<(&'static str, Vec<usize>)>,
}

impl Plan {
    fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|one| one.field == field)
    }
}

/// The text of the draft for a file of complaints.
pub fn mapping(
    encoding: Option<&'static Encoding>,
    delimiter: u8,
    rows: u64,
    columns: &[Column],
    sample: &Sample,
    has_title: bool,
) -> String {
    let mut table = Table::new(columns, sample);
    let plan = plan(&mut table);
    // Columns that are only part of a joined code count as used too.
    plan.fields.iter().for_each(|one| table.take(&one.columns));
    let mut nulls: Vec<&str> = table.taken().flat_map(|column| column.blank_words.iter().copied()).collect();
    nulls.sort_unstable();
    nulls.dedup();
    let mut text =
        format!("# A draft: {rows} rows. Read every line, above all those with CHECK, and try it with --dry-run.\n");
    if has_title {
        text.push_str(TITLE);
    }
    text.push_str(&head(encoding, delimiter, &nulls));
    text.push_str("[missing]\nunit = \"create\"\nofficer = \"create\"\ncategory = \"create\"\n\n[fields]\n");
    for line in lines(&table, &plan) {
        text.push_str(&line);
        text.push('\n');
    }
    for translated in &plan.words {
        text.push_str(&translated.section(&table));
    }
    let lacking = [lacking(&plan), unread(&table, &plan)].concat();
    if !lacking.is_empty() {
        text.push_str("\n# Flags need the following, which this draft lacks: see \"Registers without enterprises or officers\" in docs/import.md.\n");
        lacking.iter().for_each(|line| text.push_str(line));
    }
    for (field, columns) in &plan.left_out {
        let names: Vec<String> = columns.iter().map(|at| quoted(&table.columns[*at].name)).collect();
        let names = names.join(" and ");
        let _infallible = writeln!(
            text,
            "\n# Left out: `{field}` from {names}: rows of one complaint differ in it, and would be rejected. `keep` takes it."
        );
    }
    let rest: Vec<usize> = table.rest().collect();
    if !rest.is_empty() {
        text.push_str("\n# Not used. To keep a column verbatim, add it to `keep = [\"…\"]`, above [file].\n");
    }
    for at in rest {
        let column = &columns[at];
        let values: Vec<String> =
            column.look().values.iter().map(|(value, n)| format!("{} ({n})", short(value))).collect();
        let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
        let _infallible = writeln!(text, "# {}: {}{values}", quoted(&column.name), column.reads_as());
    }
    text.truncate(text.trim_end().len());
    text
}

/// Decides which columns fill which fields. The more certain fields take their columns first.
fn plan(table: &mut Table<'_>) -> Plan {
    let mut fields = dates::find(table);
    let received: Vec<usize> =
        fields.iter().filter(|one| one.field == "received").flat_map(|one| one.columns.clone()).collect();
    let tax_code = tax_code(table);
    fields.extend(tax_code.clone());
    let reference = reference::find(table, &received);
    fields.extend(people::find(table));
    if tax_code.is_some() {
        fields.extend(places::enterprise_name(table));
    }
    fields.extend(places::unit(table, tax_code.is_some()));
    let mut words = vocabulary::find(table);
    let (categories, kinds) = categories::find(table);
    fields.extend(categories);
    words.extend(kinds);
    fields.extend(number(table, "cost_vnd", &COST));
    fields.extend(number(table, "delay_hours", &DELAY));
    let is_text = |at: usize| !table.names[at].has_any(&ANSWER);
    let text = table.named(&TEXT, is_text).map(|at| Found::column("text", at));
    table.take(&text.iter().flat_map(|one| one.columns.clone()).collect::<Vec<_>>());
    fields.extend(text);
    // A finding counts from the day of its decision; if no column has it, the draft uses the day of closing.
    let is_found = words.iter().any(|one| one.field == "finding");
    let closed = fields.iter().find(|one| one.field == "closed");
    if let Some(closed) = closed.filter(|_| is_found && !fields.iter().any(|one| one.field == "decided")) {
        let decided = closed.also("decided");
        fields.push(decided.check_first(
            "CHECK: no column says when it was decided; this is the day of closing, from which findings count",
        ));
    }
    let left_out = leave_out_what_differs(table, reference.as_ref(), &mut fields, &mut words);
    keep_ends(&mut fields, &words);
    fields.splice(0..0, reference);
    Plan { fields, words, left_out }
}

/// Fills `state_since` with the closing day instead of `closed` where the states include withdrawn or rejected ones:
/// `closed` would make all of these complaints CLOSED.
fn keep_ends(fields: &mut [Found], words: &[Translated]) {
    let ends_otherwise = words
        .iter()
        .filter(|one| one.field == "state")
        .flat_map(|one| &one.values)
        .any(|value| matches!(value.word, Some("WITHDRAWN" | "REJECTED")));
    if ends_otherwise && let Some(closed) = fields.iter_mut().find(|one| one.field == "closed") {
        closed.field = "state_since";
    }
}

/// Fields in which the rows of one complaint must agree.
const AGREED: [&str; 7] = ["occurred", "state", "channel", "tax_code", "text", "cost_vnd", "delay_hours"];

/// Removes the fields in which rows of one complaint must agree but differ: the import would reject those rows.
fn leave_out_what_differs(
    table: &mut Table<'_>,
    reference: Option<&Found>,
    fields: &mut Vec<Found>,
    words: &mut Vec<Translated>,
) -> Vec<(&'static str, Vec<usize>)> {
    let Some(reference) = reference else { return Vec::new() };
    let differs = |field: &str, columns: &[usize]| {
        let of_rows = table.sample.dependence(columns, &reference.columns);
        AGREED.contains(&field) && of_rows.different > 0 && !of_rows.is_one()
    };
    let of_fields = fields.extract_if(.., |one| differs(one.field, &one.columns)).map(|one| (one.field, one.columns));
    let mut out: Vec<_> = of_fields.collect();
    out.extend(words.extract_if(.., |one| differs(one.field, &[one.column])).map(|one| (one.field, vec![one.column])));
    let is_used = |at: &usize| fields.iter().any(|one| one.columns.contains(at));
    let unused: Vec<usize> = out.iter().flat_map(|(_, columns)| columns).filter(|at| !is_used(at)).copied().collect();
    table.give_back(&unused);
    out
}

fn tax_code(table: &mut Table<'_>) -> Option<Found> {
    let is_one = |at: usize| table.columns[at].is_tax_code();
    // Any 12 digits may be the number of a household business: without a telling name, some value must have another
    // length, and so a check digit.
    let digits = |value: &str| value.bytes().filter(u8::is_ascii_digit).count();
    let is_checked = |at: &usize| is_one(*at) && table.columns[*at].any(|value| digits(value) != 12);
    let at = table.named(&TAX_CODE, is_one).or_else(|| table.free().find(is_checked))?;
    table.take(&[at]);
    Some(Found::column("tax_code", at))
}

fn number(table: &mut Table<'_>, field: &'static str, names: &[&str]) -> Option<Found> {
    let is_money = field == "cost_vnd";
    let at = table.named(names, |at| {
        let column = &table.columns[at];
        column.number().is_some() && (!is_money || column.is_whole())
    })?;
    table.take(&[at]);
    let column = &table.columns[at];
    let key = |key: &str, sign: Option<&str>| sign.map_or_else(String::new, |sign| format!("{key} = {}", quoted(sign)));
    let Separators { thousands, decimal } = column.number().unwrap_or_default();
    let keys = [key("thousands", thousands), key("decimal", decimal)];
    // Amounts in dong are whole, so a separator before three digits can only separate thousands.
    let check = if is_money && !table.names[at].has_any(&DONG) {
        "CHECK: is it in dong? The name of the column gives no currency"
    } else if !is_money && column.may_be_fractions() {
        "CHECK: read as thousands; if the separator begins a fraction, set `decimal` and remove `thousands`"
    } else {
        ""
    };
    let keys = keys.iter().filter(|key| !key.is_empty()).cloned().collect::<Vec<_>>().join(", ");
    Some(Found::column(field, at).keys(keys).check(check))
}

/// The lines of the fields.
fn lines(table: &Table<'_>, plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if !plan.has("reference") {
        lines.push(
            "reference = { constant = \"1\" }  # CHECK: no column identifies the rows, so all of them are one complaint"
                .into(),
        );
    }
    if !plan.has("received") {
        lines.push("received = { constant = \"2000-01-01\" }  # CHECK: no column of days of receipt was found".into());
    }
    for found in &plan.fields {
        lines.push(found.line(table));
        if found.field == "officer" {
            lines.push(
                "attribution = { constant = \"ASSERTED\" }  # CHECK: CONFIRMED where an inquiry of the register established who it \
                 was; levels above WATCH count nothing else"
                    .into(),
            );
        }
    }
    if plan.has("category") && !plan.words.iter().any(|one| one.field == "category_kind") {
        lines.push("category_kind = { constant = \"CONDUCT\" }  # CHECK: the kind of each category; use `values` if they differ".into());
    }
    lines
}

/// Comments on the fields that flag rules need and the file lacks.
fn lacking(plan: &Plan) -> Vec<String> {
    if !plan.has("officer") && !plan.has("unit") {
        return vec!["# No officer and no unit: no flag is possible.\n".into()];
    }
    let lacking = [
        (
            "tax_code",
            "# No tax code of an enterprise: all complaints are anonymous, and count in flags only by rules of your own.\n",
        ),
        ("officer", "# No officer: only units can be flagged.\n"),
        ("unit", "# No unit: only officers can be flagged.\n"),
        ("category", "# No category: no complaint is about conduct, and no flag is possible.\n"),
    ];
    lacking.into_iter().filter(|(field, _)| !plan.has(field)).map(|(_, line)| line.to_owned()).collect()
}

/// Comments on columns that seem to have what flags need, in a form that only a person can translate.
fn unread(table: &Table<'_>, plan: &Plan) -> Vec<String> {
    let name = |at: usize| quoted(&table.columns[at].name);
    let days = dates::serial(table).map(|at| {
        let first = table.columns[at].first().map(short).unwrap_or_default();
        format!(
            "# CHECK: {} has numbers such as {first}, which a spreadsheet shows as days: format the column as dates there, and export it again.\n",
            name(at)
        )
    });
    let is_found = plan.words.iter().any(|one| one.field == "finding");
    let finding = vocabulary::yes_or_no(table).filter(|_| !is_found).map(|at| {
        format!(
            "# CHECK: {} says yes or no to what was found: map `finding` from it with `values`, and decide what no means (NOT_SUSTAINED, \
             UNFOUNDED, EXONERATED or PENDING).\n",
            name(at)
        )
    });
    days.into_iter().chain(finding).collect()
}
