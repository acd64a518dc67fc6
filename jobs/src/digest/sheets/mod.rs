//! The tables of a digest as a workbook (XLSX).

mod news;
mod pictured;

use super::document::DigestDocument;
use super::head_part::HeadPart;
use super::messages::Messages;
use super::people::UnitName;
use crate::JobError;
use chrono::NaiveDate;
use fluent_bundle::FluentArgs;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use schema::domain::ids::human_reference;
use schema::enums::{DigestSection, Locale};

/// A cell. A text is never a formula.
enum Cell {
    Empty,
    Text(String),
    Number(f64),
    /// From 0 to 1.
    Share(f64),
    Day(NaiveDate),
}

impl Cell {
    fn day(day: Option<NaiveDate>) -> Self {
        day.map_or(Self::Empty, Self::Day)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<f64>> From<Option<T>> for Cell {
    fn from(number: Option<T>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number.into()))
    }
}

/// A table: its name, its columns as keys of messages, and its rows.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

/// The tables of a digest in a language, as the bytes of a file.
///
/// # Errors
/// `Template` when a message is missing or the file cannot be made.
pub(super) fn workbook(document: &DigestDocument, locale: Locale) -> Result<Vec<u8>, JobError> {
    let messages = Messages::new(locale)?;
    let word = |key: &str| messages.message(key, &FluentArgs::new());
    let broken = |error: XlsxError| JobError::Template(format!("the workbook of the digest: {error}"));
    let mut workbook = Workbook::new();
    // The same digest makes the same file.
    let made = ExcelDateTime::parse_from_str(&document.as_of.to_string()).map_err(broken)?;
    workbook.set_properties(&DocProperties::new().set_title(word("title")?).set_creation_datetime(&made));
    for table in tables(document, &messages)? {
        let sheet = workbook.add_worksheet();
        // A name of a sheet has at most 31 characters.
        let name: String = word(table.name)?.chars().filter(|c| !"[]:*?/\\".contains(*c)).take(31).collect();
        sheet.set_name(name).map_err(broken)?;
        let header: Vec<String> = table.columns.iter().map(|key| word(key)).collect::<Result<_, _>>()?;
        fill(sheet, &header, &table.rows).map_err(broken)?;
    }
    workbook.save_to_buffer().map_err(broken)
}

fn fill(sheet: &mut Worksheet, header: &[String], rows: &[Vec<Cell>]) -> Result<(), XlsxError> {
    let (bold, day) = (Format::new().set_bold(), Format::new().set_num_format("yyyy-mm-dd"));
    let per_cent = Format::new().set_num_format("0.0%");
    sheet.set_freeze_panes(1, 0)?;
    for (column, name) in (0u16..).zip(header) {
        sheet.set_column_width(column, 22)?;
        sheet.write_string_with_format(0, column, name.as_str(), &bold)?;
    }
    for (row, cells) in (1u32..).zip(rows) {
        for (column, cell) in (0u16..).zip(cells) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => {
                    sheet.write_string(row, column, text.as_str())?;
                }
                Cell::Number(number) => {
                    sheet.write_number(row, column, *number)?;
                }
                Cell::Share(share) => {
                    sheet.write_number_with_format(row, column, *share, &per_cent)?;
                }
                Cell::Day(date) => {
                    let date = ExcelDateTime::parse_from_str(&date.to_string())?;
                    sheet.write_datetime_with_format(row, column, &date, &day)?;
                }
            }
        }
    }
    Ok(())
}

fn tables(document: &DigestDocument, messages: &Messages) -> Result<Vec<Table>, JobError> {
    let word = |key: &str| messages.message(key, &FluentArgs::new());
    let english = messages.is_english();
    let name = |vi: &str, en: Option<&str>| if english { en.unwrap_or(vi).to_owned() } else { vi.to_owned() };
    let unit = |unit: Option<&UnitName>| -> [Cell; 2] {
        unit.map_or([Cell::Empty, Cell::Empty], |unit| {
            [unit.code.clone().into(), name(&unit.name_vi, unit.name_en.as_deref()).into()]
        })
    };
    let mut tables = Vec::new();
    tables.extend(news::table(document, messages)?);
    if document.has(DigestSection::Numbers) {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for line in &document.numbers.lines {
            let (low, high) = line.usual.unzip();
            rows.push(vec![
                word(&format!("number-{}", line.key))?.into(),
                Some(line.now).into(),
                line.before.into(),
                low.into(),
                high.into(),
            ]);
        }
        let columns = &["number", "recent", "period-before", "usual-low", "usual-high"];
        tables.push(Table { name: "numbers", columns, rows });
        let months = document.numbers.months.iter().map(|month| {
            let (low, high) = month.usual.unzip();
            vec![
                Cell::Day(month.month),
                Some(month.complaints).into(),
                month.year_before.into(),
                low.into(),
                high.into(),
            ]
        });
        let columns = &["month", "received", "year-before", "usual-low", "usual-high"];
        tables.push(Table { name: "months", columns, rows: months.collect() });
    }
    if document.has(DigestSection::Flags) {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for flag in &document.flags.standing {
            let [code, of] = unit(flag.subject.unit.as_ref());
            let proposed = flag.tier.proposed(flag.kind);
            let reason = if english { &flag.reason_en } else { &flag.reason_vi };
            let change = flag.change.as_deref().map(|key| word(&format!("mark-{key}"))).transpose()?;
            rows.push(vec![
                word(flag.kind.as_str())?.into(),
                flag.code.clone().into(),
                flag.subject.name.clone().unwrap_or_default().into(),
                code,
                of,
                word(proposed.as_str())?.into(),
                change.unwrap_or_default().into(),
                reason.clone().into(),
            ]);
        }
        let columns = &["kind", "code", "name", "unit-code", "unit", "tier-column", "change", "reason"];
        tables.push(Table { name: "standing", columns, rows });
        tables.extend(pictured::unusual(document, messages)?);
    }
    if document.has(DigestSection::Overdue) {
        let rows = document.overdue.branches.iter().map(|unit| {
            vec![
                unit.code.clone().into(),
                name(&unit.name_vi, unit.name_en.as_deref()).into(),
                Some(unit.overdue).into(),
                Some(unit.oldest_days).into(),
            ]
        });
        let columns = &["unit-code", "responsible-unit", "count", "oldest-days"];
        tables.push(Table { name: "overdue", columns, rows: rows.collect() });
        tables.extend(document.head.iter().flat_map(|head| lists_of(head, unit)));
    }
    if document.has(DigestSection::Rising) {
        let rows = document.categories.iter().map(|category| {
            vec![
                category.code.clone().into(),
                name(&category.name_vi, category.name_en.as_deref()).into(),
                Some(category.recent).into(),
                Some(category.expected).into(),
            ]
        });
        let columns = &["code", "category", "recent", "expected"];
        tables.push(Table { name: "categories", columns, rows: rows.collect() });
    }
    if let Some(head) = document.head.as_ref().filter(|_| document.has(DigestSection::Answers)) {
        tables.extend(pictured::scorecard(head, messages)?);
    } else if document.has(DigestSection::Answers) {
        let ranked = document.answers.best.iter().chain(&document.answers.worst);
        let rows = ranked.map(|unit| {
            vec![
                unit.code.clone().into(),
                name(&unit.name_vi, unit.name_en.as_deref()).into(),
                Cell::Share(unit.share_in_time),
                unit.median_days.into(),
                Some(unit.due).into(),
            ]
        });
        let columns = &["unit-code", "unit", "share", "median-days", "due"];
        tables.push(Table { name: "answers", columns, rows: rows.collect() });
    }
    tables.extend(decided(document, messages)?);
    if tables.is_empty() {
        tables.push(Table { name: "title", columns: &[], rows: Vec::new() });
    }
    Ok(tables)
}

/// The measures with their outcomes, the proposals and the blame check, where the digest has some.
fn decided(document: &DigestDocument, messages: &Messages) -> Result<Vec<Table>, JobError> {
    let word = |key: &str| messages.message(key, &FluentArgs::new());
    // All is new in a first digest, so that no mark says it.
    let new = document.previous_as_of.map(|_| word("mark-flags-new")).transpose()?.unwrap_or_default();
    let change = |is_new: bool| if is_new { new.clone() } else { String::new() };
    let mut tables = Vec::new();
    let mut add = |name: &'static str, columns: &'static [&'static str], rows: Vec<Vec<Cell>>| {
        if !rows.is_empty() {
            tables.push(Table { name, columns, rows });
        }
    };
    if document.has(DigestSection::Measures) {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for one in &document.measures.listed {
            let ground = one.ground.as_ref().map(|ground| word(&format!("ground-{}", ground.as_str()))).transpose()?;
            rows.push(vec![
                one.officer.clone().into(),
                one.unit.clone().into(),
                word(&format!("measure-{}", one.kind.as_str()))?.into(),
                Cell::Day(one.decided_on),
                Cell::Day(one.starts_on),
                Cell::day(one.ends_on),
                word(&format!("measure-{}", one.state.as_str()))?.into(),
                ground.unwrap_or_default().into(),
            ]);
        }
        add(
            "measures",
            &["OFFICER", "unit-code", "measure", "decided-on", "starts-on", "ends-on", "state-column", "ground-column"],
            rows,
        );
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for one in &document.measures.outcomes {
            let measure = &one.measure;
            rows.push(vec![
                measure.officer.clone().into(),
                measure.unit.clone().into(),
                word(&format!("measure-{}", measure.kind.as_str()))?.into(),
                Cell::Day(measure.starts_on),
                i32::try_from(one.days).ok().into(),
                Some(one.before).into(),
                Some(one.after).into(),
            ]);
        }
        let columns = &["OFFICER", "unit-code", "measure", "starts-on", "days-compared", "before-it", "after-it"];
        add("outcomes", columns, rows);
    }
    if document.has(DigestSection::Proposals) {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for one in &document.proposals {
            let effect = one.effect.as_ref();
            rows.push(vec![
                one.title.clone().into(),
                word(&format!("proposal-{}", one.state.as_str()))?.into(),
                Cell::day(one.implemented_on),
                effect.map(|effect| effect.days_before).into(),
                effect.map(|effect| effect.before).into(),
                effect.map(|effect| effect.days_after).into(),
                effect.map(|effect| effect.after).into(),
                effect.and_then(|effect| effect.ratio).into(),
                effect.and_then(|effect| effect.ratio_elsewhere).into(),
                change(one.is_new).into(),
            ]);
        }
        add(
            "proposals",
            &[
                "proposal",
                "state-column",
                "in-force-on",
                "days-before",
                "before-it",
                "days-after",
                "after-it",
                "ratio-column",
                "ratio-elsewhere",
                "change",
            ],
            rows,
        );
    }
    if document.has(DigestSection::Blame) {
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for one in &document.blame {
            rows.push(vec![
                word(one.kind.as_str())?.into(),
                one.code.clone().into(),
                Some(one.blamed).into(),
                Some(one.without_incident).into(),
                Cell::Share(one.share),
                Cell::Share(one.peers_share),
                change(one.is_new).into(),
            ]);
        }
        let columns = &["kind", "code", "blame-blamed", "blame-without", "without-share", "blame-others", "change"];
        add("blame", columns, rows);
    }
    Ok(tables)
}

/// The overdue and the escalated complaints of a digest about one unit. `unit` gives the cells of a unit.
fn lists_of(head: &HeadPart, unit: impl Fn(Option<&UnitName>) -> [Cell; 2]) -> [Table; 2] {
    let late = head.late.iter().map(|line| {
        let [code, name] = unit(line.unit.as_ref());
        vec![human_reference(line.complaint).into(), code, name, Cell::Day(line.due_on), Some(line.days_over).into()]
    });
    let escalated = head.escalated.iter().map(|line| {
        let [code, name] = unit(line.unit.as_ref());
        vec![human_reference(line.complaint).into(), code, name, Cell::Day(line.due_on)]
    });
    let columns = &["complaint", "unit-code", "responsible-unit", "due-on", "overdue-days"];
    let late = Table { name: "late", columns, rows: late.collect() };
    let columns = &["complaint", "unit-code", "unit", "due-on"];
    [late, Table { name: "escalated-here", columns, rows: escalated.collect() }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::head_part::{EscalatedLine, LateLine, ScorecardPart};
    use schema::domain::ids::random_id;

    #[test]
    fn a_text_that_looks_like_a_formula_stays_a_text() {
        let mut workbook = Workbook::new();
        let rows = vec![vec![Cell::Text("=HYPERLINK(\"http://evil.example\")".into()), Cell::Number(1.0)]];
        fill(workbook.add_worksheet(), &["a".to_owned(), "b".to_owned()], &rows).expect("a sheet");
        let bytes = workbook.save_to_buffer().expect("a file");
        assert_eq!(&bytes[..2], b"PK");
    }

    #[test]
    fn the_complaints_of_a_digest_about_a_unit_are_tables() {
        let (complaint, due_on) = (random_id(), NaiveDate::from_ymd_opt(2025, 3, 3).expect("a date"));
        let head = HeadPart {
            scorecard: ScorecardPart::default(),
            waiting: None,
            late: vec![LateLine { complaint, unit: None, due_on, days_over: 4 }],
            older: 0,
            escalated: vec![EscalatedLine { complaint, unit: None, due_on }],
        };
        for table in lists_of(&head, |_| [Cell::Empty, Cell::Empty]) {
            assert_eq!((table.rows.len(), table.rows[0].len()), (1, table.columns.len()), "{}", table.name);
            assert!(matches!(&table.rows[0][0], Cell::Text(text) if *text == human_reference(complaint)));
            for locale in [Locale::Vi, Locale::En] {
                let messages = Messages::new(locale).expect("messages");
                for key in table.columns {
                    assert!(messages.message(key, &FluentArgs::new()).is_ok(), "{locale}: {key}");
                }
            }
        }
    }
}
