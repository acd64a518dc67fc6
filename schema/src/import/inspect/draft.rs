//! A draft of a mapping: columns are guessed by their names and by their cells.

use super::column::Column;
use crate::db::plain::plain;
use crate::import::looks::shown;
use encoding_rs::Encoding;
use std::fmt::Write;

/// The beginning of a mapping: source, kind and file.
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

/// What a field of complaints is called in other registers, in small letters without diacritics; the likelier names first.
const NAMES: &[(&str, Of, &[&str])] = &[
    (
        "reference",
        Of::Code,
        &[
            "so pa",
            "ma pa",
            "so phan anh",
            "ma phan anh",
            "so don",
            "so ho so",
            "ma ho so",
            "reference",
            "ref",
            "complaint id",
            "complaint number",
            "unique key",
            "service request number",
            "sr number",
            "case number",
            "case id",
            "ticket",
            "log no",
            "cr id",
            "so",
            "ma",
            "id",
            "key",
        ],
    ),
    (
        "received",
        Of::Date,
        &[
            "ngay nhan",
            "ngay tiep nhan",
            "nhan",
            "date received",
            "received",
            "created",
            "opened",
            "open",
            "complaint date",
            "reported",
        ],
    ),
    ("occurred", Of::Date, &["xay ra", "su viec", "occurred", "incident", "occurrence"]),
    ("closed", Of::Date, &["ngay dong", "dong", "closed", "resolved", "completed", "ket thuc"]),
    ("decided", Of::Date, &["ngay kl", "ngay ket luan", "decided", "disposition date", "finding date"]),
    ("tax_code", Of::TaxCode, &["mst", "ma so thue", "tax"]),
    (
        "unit",
        Of::Code,
        &[
            "don vi",
            "dv",
            "unit",
            "agency",
            "office",
            "precinct",
            "chi cuc",
            "division",
            "district",
            "department",
            "station",
            "borough",
            "beat",
        ],
    ),
    ("officer", Of::Code, &["can bo", "cb", "officer", "badge", "cong chuc", "employee"]),
    (
        "category",
        Of::Code,
        &[
            "loai",
            "category",
            "issue",
            "allegation",
            "complaint type",
            "request type",
            "type",
            "linh vuc",
            "product",
            "phan loai",
        ],
    ),
    ("cost_vnd", Of::Whole, &["chi phi", "thiet hai", "cost"]),
    ("delay_hours", Of::Number, &["gio cho", "so gio", "gio", "hours", "delay"]),
    (
        "text",
        Of::Text,
        &["noi dung", "nd", "mo ta", "narrative", "description", "summary", "text", "details", "descriptor"],
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Code,
    Date,
    TaxCode,
    Whole,
    Number,
    Text,
}

impl Of {
    fn fits(self, column: &Column) -> bool {
        if column.name.is_empty() || column.filled == 0 {
            return false;
        }
        match self {
            Self::Date => column.formats().is_some() && !column.is_tax_code(),
            Self::TaxCode => column.is_tax_code(),
            Self::Whole | Self::Number => column.number().is_some(),
            Self::Code => column.longest <= 200,
            Self::Text => true,
        }
    }
}

/// A mapping for a file of complaints.
pub fn mapping(encoding: Option<&'static Encoding>, delimiter: u8, rows: u64, columns: &[Column]) -> String {
    let mut taken: Vec<(&str, &Column)> = Vec::new();
    let is_free =
        |taken: &[(&str, &Column)], column: &Column| !taken.iter().any(|(_, other)| std::ptr::eq(*other, column));
    for (field, of, names) in NAMES {
        let fits = |column: &&Column| {
            of.fits(column) && (*field != "reference" || names_rows(column)) && is_free(&taken, column)
        };
        let named = names.iter().find_map(|name| columns.iter().filter(fits).find(|column| is_named(column, name)));
        taken.extend(named.map(|column| (*field, column)));
    }
    // What no name tells of is guessed by the cells.
    let of_field = |taken: &[(&str, &Column)], field: &str| taken.iter().any(|(name, _)| *name == field);
    if !of_field(&taken, "reference") {
        // The column with the most different cells, none of them blank.
        let fits = |column: &&Column| {
            Of::Code.fits(column) && column.blank == 0 && column.formats().is_none() && is_free(&taken, column)
        };
        let most = columns.iter().filter(fits).rev().max_by_key(|column| column.distinct().unwrap_or(usize::MAX));
        taken.extend(most.map(|column| ("reference", column)));
    }
    if !of_field(&taken, "tax_code") {
        let first = columns.iter().find(|column| Of::TaxCode.fits(column) && is_free(&taken, column));
        taken.extend(first.map(|column| ("tax_code", column)));
    }
    if !of_field(&taken, "received") {
        // A register that has no such date has the day of the matter.
        let first = columns.iter().find(|column| Of::Date.fits(column) && is_free(&taken, column));
        let other = ["occurred", "closed"].iter().find_map(|field| taken.iter().find(|(name, _)| name == field));
        let column = first.or_else(|| other.map(|(_, column)| *column));
        taken.extend(column.map(|column| ("received", column)));
    }
    let column_of = |field: &str| taken.iter().find(|(name, _)| *name == field).map(|(_, column)| *column);
    let mut nulls: Vec<&str> = taken.iter().flat_map(|(_, column)| column.nothing.iter().copied()).collect();
    nulls.sort_unstable();
    nulls.dedup();
    let mut text =
        format!("# A draft: {rows} rows. Read every line, above all those with CHECK, and try it with --dry-run.\n");
    text.push_str(&head(encoding, delimiter, &nulls));
    text.push_str("[missing]\nunit = \"create\"\nofficer = \"create\"\ncategory = \"create\"\n\n[fields]\n");
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    for (field, of, _) in NAMES {
        match column_of(field) {
            Some(column) => line(rule(field, *of, column)),
            None if *field == "reference" => {
                line("reference = { constant = \"1\" }  # CHECK: no column names the rows, so all of them are one complaint".into());
            }
            None if *field == "received" => {
                line("received = { constant = \"2000-01-01\" }  # CHECK: no column of dates was found".into());
            }
            None => {}
        }
    }
    if column_of("category").is_some() {
        line("category_kind = { constant = \"CONDUCT\" }  # CHECK: what kind each category is; `values` tells them apart".into());
    }
    let rest: Vec<&Column> = columns
        .iter()
        .filter(|column| !column.name.is_empty() && !taken.iter().any(|(_, other)| std::ptr::eq(*other, *column)))
        .collect();
    if !rest.is_empty() {
        text.push_str("\n# Not used. What shall be kept word for word goes into `keep = [\"…\"]`, above [file].\n");
    }
    for column in rest {
        let values: Vec<String> =
            column.look().values.iter().map(|(value, n)| format!("{} ({n})", short(value))).collect();
        let _infallible = writeln!(text, "# {}: {}: {}", quoted(&column.name), column.reads_as(), values.join(", "));
    }
    text.truncate(text.trim_end().len());
    text
}

/// Whether a column has so many different cells that it can say which rows belong together.
fn names_rows(column: &Column) -> bool {
    column.distinct().is_none_or(|distinct| distinct as u64 * 5 >= column.filled)
}

/// Whether the name of a column has the words.
fn is_named(column: &Column, words: &str) -> bool {
    let name: String = plain(&column.name).chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    format!(" {name} ").contains(&format!(" {words} "))
}

/// The line of a field.
fn rule(field: &str, of: Of, column: &Column) -> String {
    let name = quoted(&column.name);
    let mut check = String::new();
    let rule = match of {
        Of::Date => {
            let formats = column.formats().unwrap_or_default();
            if column.is_day_or_month() {
                check = "  # CHECK: no day is beyond 12, so day and month may be the other way round".into();
            }
            match formats.as_slice() {
                [] | [""] => name,
                [one] => format!("{{ column = {name}, format = {} }}", quoted(one)),
                several => {
                    // What is read without a format, written out.
                    let iso = ["%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.f", "%+", "%Y-%m-%dT%H:%M:%S%.f"];
                    let formats =
                        several.iter().flat_map(|format| if format.is_empty() { iso.to_vec() } else { vec![*format] });
                    let formats: Vec<String> = formats.map(quoted).collect();
                    format!("{{ column = {name}, formats = [{}] }}", formats.join(", "))
                }
            }
        }
        Of::Whole | Of::Number => match column.number().unwrap_or_default() {
            (None, None) => name,
            (thousands, decimal) => {
                let key = |key: &str, sign: Option<&str>| {
                    sign.map_or_else(String::new, |sign| format!(", {key} = {}", quoted(sign)))
                };
                format!("{{ column = {name}{}{} }}", key("thousands", thousands), key("decimal", decimal))
            }
        },
        Of::Code | Of::TaxCode | Of::Text => name,
    };
    if of == Of::Code && field != "reference" {
        let values: Vec<String> =
            column.look().values.iter().take(4).map(|(value, n)| format!("{} ({n})", short(value))).collect();
        check = format!("  # {}", values.join(", "));
    }
    format!("{field} = {rule}{check}")
}

/// A value on one line of a comment.
fn short(value: &str) -> String {
    let value = shown(value);
    let mut cut: String = value.chars().take(40).collect();
    if cut.len() < value.len() {
        cut.push('…');
    }
    cut
}

/// A text of TOML, in which what cannot be seen is escaped.
fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            c if c.is_control() || crate::import::looks::is_hidden(c) => {
                let _infallible = write!(written, "\\U{:08X}", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written.push('"');
    written
}
