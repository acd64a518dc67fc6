//! The mapping file (TOML): what the columns of another register mean in this one.

use super::ImportError;
use super::bools::parse_bool;
use super::dates::DateRules;
use super::field::{FieldSpec, FieldType, KindSpec};
use super::numbers::NumberRules;
use crate::domain::amounts::{MOST_COST_VND, MOST_DELAY_HOURS};
use crate::domain::toml_text;
use chrono_tz::Tz;
use regex::Regex;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use unicode_normalization::UnicodeNormalization;

/// A mapping, checked against its kind of import.
#[derive(Debug)]
pub struct Mapping {
    pub source: String,
    pub path: String,
    pub delimiter: u8,
    pub encoding: Option<&'static encoding_rs::Encoding>,
    pub trim: bool,
    pub adjacent: bool,
    pub complete: bool,
    pub nulls: BTreeSet<String>,
    pub timezone: Tz,
    pub missing: Missing,
    /// Rules of fields, by index in the list of fields of the kind.
    pub fields: Vec<Option<FieldRule>>,
    /// Columns that are kept verbatim.
    pub keep: Vec<String>,
}

/// The treatment of a code that the reference data does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    #[default]
    Reject,
    Create,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Missing {
    pub unit: OnMissing,
    pub officer: OnMissing,
    pub category: OnMissing,
    pub enterprise: OnMissing,
}

impl Default for Missing {
    fn default() -> Self {
        // New enterprises appear with their first complaint; units, officers and categories are lists of the Board.
        Self {
            unit: OnMissing::Reject,
            officer: OnMissing::Reject,
            category: OnMissing::Reject,
            enterprise: OnMissing::Create,
        }
    }
}

/// Source of a field's value.
#[derive(Debug)]
pub struct FieldRule {
    /// Empty where the mapping gives a constant; several columns are joined.
    pub columns: Vec<String>,
    pub separator: String,
    pub constant: Option<String>,
    pub default: Option<String>,
    pub pattern: Option<Regex>,
    pub values: Option<HashMap<String, String>>,
    pub otherwise: Option<String>,
    pub dates: DateRules,
    pub numbers: NumberRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    source: String,
    kind: Option<String>,
    #[serde(default)]
    file: FileRules,
    timezone: Option<String>,
    #[serde(default)]
    missing: Missing,
    #[serde(default)]
    complete: bool,
    #[serde(default)]
    keep: Vec<String>,
    fields: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileRules {
    delimiter: String,
    encoding: String,
    trim: bool,
    rows: String,
    null: Vec<String>,
}

impl Default for FileRules {
    fn default() -> Self {
        Self { delimiter: ",".into(), encoding: "utf-8".into(), trim: true, rows: "scattered".into(), null: Vec::new() }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldRuleFile {
    column: Option<String>,
    join: Option<Vec<String>>,
    separator: Option<String>,
    constant: Option<toml::Value>,
    default: Option<toml::Value>,
    pattern: Option<String>,
    values: Option<BTreeMap<String, toml::Value>>,
    otherwise: Option<toml::Value>,
    #[serde(alias = "format")]
    formats: Option<OneOrMany>,
    month_means: Option<toml::Value>,
    precision: Option<String>,
    thousands: Option<String>,
    decimal: Option<String>,
    multiply: Option<toml::Value>,
    most: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Mapping {
    /// Reads a mapping and checks it against the kind that it is for.
    ///
    /// # Errors
    /// If the text is not a mapping, or says something that the kind does not have.
    pub(super) fn checked(text: &str, path: &str, kind: &KindSpec) -> Result<Self, ImportError> {
        let wrong = |message: String| ImportError::Mapping { path: path.to_owned(), message };
        // NFC, like the cells of the file: see the reader.
        let text: String = text.nfc().collect();
        let file: MappingFile = toml_text::parse(&text).map_err(wrong)?;
        if let Some(named) = &file.kind
            && named != kind.name
        {
            return Err(wrong(format!("it is for `import {named}`, not for `import {}`", kind.name)));
        }
        let specs = kind.fields;
        for name in file.fields.keys() {
            if !specs.iter().any(|spec| spec.name == name) {
                let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
                return Err(wrong(format!(
                    "[fields] names {name:?}, which `import {}` does not have; it has {}",
                    kind.name,
                    names.join(", ")
                )));
            }
        }
        let timezone = match &file.timezone {
            None => crate::domain::calendar::LOCAL,
            Some(name) => name
                .parse()
                .map_err(|_| wrong(format!("timezone {name:?} is not known: write for example Asia/Ho_Chi_Minh")))?,
        };
        let mut entries = file.fields;
        let mut fields = Vec::with_capacity(specs.len());
        for spec in specs {
            let rule = entries
                .remove(spec.name)
                .map(|entry| field_rule(spec, entry, timezone))
                .transpose()
                .map_err(|message| wrong(format!("fields.{}: {message}", spec.name)))?;
            if rule.is_none() && spec.required {
                return Err(wrong(format!("[fields] must say where {:?} comes from: {}", spec.name, spec.about)));
            }
            fields.push(rule);
        }
        let delimiter = match file.file.delimiter.as_str() {
            "tab" => b'\t',
            text if text.len() == 1 => text.as_bytes()[0],
            other => return Err(wrong(format!("file.delimiter {other:?} is not one character (or \"tab\")"))),
        };
        let encoding = match file.file.encoding.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => None,
            label => Some(encoding_rs::Encoding::for_label(label.as_bytes()).ok_or_else(|| {
                wrong(format!(
                    "file.encoding {label:?} is not known: write for example utf-8, windows-1258 or utf-16le"
                ))
            })?),
        };
        let adjacent = match file.file.rows.as_str() {
            "scattered" => false,
            "adjacent" => true,
            other => return Err(wrong(format!("file.rows {other:?} is neither \"scattered\" nor \"adjacent\""))),
        };
        if !kind.has_several_rows && (adjacent || !file.keep.is_empty()) {
            return Err(wrong("`rows = \"adjacent\"` and `keep` are for complaints".into()));
        }
        if file.source.trim().is_empty() || file.source.len() > 100 || file.source.contains(':') {
            return Err(wrong("source must be a short name without a colon, such as \"hotline-2024\"".into()));
        }
        Ok(Self {
            source: file.source,
            path: path.to_owned(),
            delimiter,
            encoding,
            trim: file.file.trim,
            adjacent,
            complete: file.complete,
            nulls: file.file.null.into_iter().collect(),
            timezone,
            missing: file.missing,
            fields,
            keep: file.keep,
        })
    }

    /// Whether the mapping fills a field.
    pub fn has(&self, field: usize) -> bool {
        self.fields[field].is_some()
    }
}

fn field_rule(spec: &FieldSpec, entry: toml::Value, timezone: Tz) -> Result<FieldRule, String> {
    let file = match entry {
        toml::Value::String(column) => FieldRuleFile { column: Some(column), ..FieldRuleFile::default() },
        toml::Value::Table(_) => entry.try_into::<FieldRuleFile>().map_err(|e| e.message().to_owned())?,
        _ => {
            return Err("is neither the name of a column nor a table of rules (keys of the whole mapping, \
                        such as `keep`, go above [fields])"
                .into());
        }
    };
    let given = [file.column.is_some(), file.join.is_some(), file.constant.is_some()];
    if given.into_iter().filter(|given| *given).count() != 1 {
        return Err("give either a column or a constant, or columns to `join`".into());
    }
    if file.join.as_ref().is_some_and(|columns| columns.len() < 2) {
        return Err("`join` needs at least two columns".into());
    }
    if file.separator.is_some() && file.join.is_none() {
        return Err("`separator` needs a `join`".into());
    }
    if file.separator.as_deref() == Some("") && spec.of == FieldType::Code {
        return Err("`separator` is empty: \"1\" and \"23\" would be the same code as \"12\" and \"3\"".into());
    }
    if file.otherwise.is_some() && file.values.is_none() {
        return Err("`otherwise` needs a table of `values`".into());
    }
    let dated = matches!(spec.of, FieldType::Date | FieldType::Time);
    if (file.formats.is_some() || file.month_means.is_some()) && !dated {
        return Err("`formats` and `month_means` are for dates and times".into());
    }
    let numeric = matches!(spec.of, FieldType::Integer | FieldType::Decimal);
    if (file.thousands.is_some() || file.decimal.is_some() || file.multiply.is_some() || file.most.is_some())
        && !numeric
    {
        return Err("`thousands`, `decimal`, `multiply` and `most` are for numbers".into());
    }
    let columns: Vec<String> = file.join.into_iter().flatten().chain(file.column).collect();
    if columns.iter().any(|column| column.trim().is_empty()) {
        return Err("the name of the column is blank: give the column a name in the file".into());
    }
    if file.precision.is_some() && spec.name != "received" {
        return Err("`precision` is for `received`".into());
    }
    let by_month = match file.precision.as_deref() {
        None | Some("day") => false,
        Some("month") => true,
        Some(other) => return Err(format!("precision {other:?} is neither \"day\" nor \"month\"")),
    };
    let (usual, ceiling) = limits_of(spec.name);
    let numbers = NumberRules::new(file.thousands.as_deref(), file.decimal.as_deref(), file.multiply.as_ref())?
        .limited(file.most.as_ref(), usual, ceiling)?;
    let values = file
        .values
        .map(|table| {
            table.into_iter().map(|(key, value)| Ok((key, word_of(&value)?))).collect::<Result<HashMap<_, _>, String>>()
        })
        .transpose()?;
    let constant = file.constant.as_ref().map(word_of).transpose()?;
    let default = file.default.as_ref().map(word_of).transpose()?;
    let otherwise = file.otherwise.as_ref().map(word_of).transpose()?;
    let ours = [&constant, &default, &otherwise].into_iter().flatten().chain(values.iter().flat_map(HashMap::values));
    for word in ours.filter(|word| !word.is_empty()) {
        check_word(spec, word, &numbers.own())?;
    }
    let pattern = file
        .pattern
        .map(|text| {
            let pattern = Regex::new(&text).map_err(|e| format!("pattern: {e}"))?;
            if pattern.captures_len() < 2 {
                return Err("pattern needs a group (…) around the value".to_owned());
            }
            Ok(pattern)
        })
        .transpose()?;
    let formats = match file.formats {
        None => Vec::new(),
        Some(OneOrMany::One(one)) => vec![one],
        Some(OneOrMany::Many(many)) => many,
    };
    let dates = DateRules::new(formats, file.month_means.as_ref(), spec.of == FieldType::Date, timezone)?;
    Ok(FieldRule {
        columns,
        separator: file.separator.unwrap_or_else(|| "-".into()),
        constant,
        default,
        pattern,
        values,
        otherwise,
        dates: if by_month { dates.by_month() } else { dates },
        numbers,
    })
}

/// The default limit of a numeric field, and the largest limit that a mapping may set with `most`. The latter keeps
/// sums over all complaints within 64 bits.
fn limits_of(field: &str) -> (i64, i64) {
    match field {
        "cost_vnd" => (MOST_COST_VND, MOST_COST_VND * 1_000),
        "delay_hours" => (MOST_DELAY_HOURS, MOST_DELAY_HOURS * 10),
        "deadline_days" => (3_650, 36_500),
        _ => (1_000_000_000, 1_000_000_000_000),
    }
}

/// Checks a value that the mapping itself gives. It is written in the notation of the mapping: dates as 2024-01-31,
/// numbers as 1250000 or 1.5.
fn check_word(spec: &FieldSpec, word: &str, numbers: &NumberRules) -> Result<(), String> {
    let zone = crate::domain::calendar::LOCAL;
    match spec.of {
        FieldType::Text | FieldType::Code => Ok(()),
        FieldType::Date => DateRules::own()?.date(word, zone).map(|_| ()),
        FieldType::Time => DateRules::own()?.time(word, zone).map(|_| ()),
        FieldType::Integer => numbers.integer(word).map(|_| ()),
        FieldType::Decimal => numbers.decimal(word).map(|_| ()),
        FieldType::Bool => parse_bool(word).map(|_| ()),
        FieldType::TaxCode => crate::domain::tax_code::parse(word).map(|_| ()).map_err(|e| e.to_string()),
        FieldType::DeclarationNumber => crate::domain::declaration::parse(word).map(|_| ()).map_err(|e| e.to_string()),
        FieldType::Word(words) if words.contains(&word) => Ok(()),
        FieldType::Word(words) => Err(format!("{word:?} is not one of {}", words.join(", "))),
    }
}

/// The text of a TOML value, as a cell would have it.
fn word_of(value: &toml::Value) -> Result<String, String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Boolean(truth) => Ok(truth.to_string()),
        toml::Value::Datetime(time) => Ok(time.to_string()),
        other => Err(format!("{other} is not a single value")),
    }
}
