//! The tables of a page as a file: CSV, or XLSX with a sheet for each.

use super::error::PageError;
use super::page::Page;
use super::table::{Cell, Kind, Table};
use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, ContentDisposition, DispositionParam, DispositionType, X_CONTENT_TYPE_OPTIONS,
};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use schema::sheet::SheetWriter;
use std::io;
use std::str::FromStr;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Csv,
    Xlsx,
}

impl FromStr for Form {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "csv" => Ok(Self::Csv),
            "xlsx" => Ok(Self::Xlsx),
            _ => Err(()),
        }
    }
}

/// The file of a page. A CSV file holds one table, the first unless another one is named.
///
/// # Errors
/// `NotFound` if the page has no such table, `Internal` if the file cannot be written.
pub fn download(form: Form, page: &Page, table: Option<&str>) -> Result<HttpResponse, PageError> {
    let chosen = page.tables.iter().find(|one| table.is_none_or(|name| one.name == name)).ok_or(PageError::NotFound)?;
    let broken = |error: &dyn std::error::Error| {
        tracing::error!(error = error.to_string(), "a file of a page cannot be written");
        PageError::Internal
    };
    let (media, extension, bytes) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "csv", csv(chosen).map_err(|error| broken(&error))?),
        Form::Xlsx => {
            let tables: Vec<&Table> = match table {
                Some(_) => vec![chosen],
                None => page.tables.iter().collect(),
            };
            let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            (media, "xlsx", xlsx(&tables).map_err(|error| broken(&error))?)
        }
    };
    Ok(HttpResponse::Ok()
        .content_type(media)
        .insert_header(ContentDisposition {
            disposition: DispositionType::Attachment,
            parameters: vec![DispositionParam::Filename(format!("{}.{extension}", chosen.name))],
        })
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes))
}

/// Numbers are written with a point, and without marks between thousands, shares as per cent, and days by ISO 8601:
/// programs read them.
fn csv_cell(cell: &Cell) -> String {
    match (cell.kind, cell.number) {
        (Kind::Day(day), _) => day.to_string(),
        (Kind::Time(time), _) => format!("{}+07:00", time.format("%Y-%m-%dT%H:%M:%S")),
        (Kind::Share, Some(share)) => percent(share).to_string(),
        (_, Some(number)) => number.to_string(),
        (_, None) => cell.text.clone(),
    }
}

/// A share as per cent, without the noise that the product of two binary fractions ends with.
fn percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

/// Marks a name as one of numbers in per cent.
fn in_percent(name: &str) -> String {
    if name.contains("(%)") { name.to_owned() } else { format!("{name} (%)") }
}

/// Whether all numbers of a column are shares.
fn is_of_shares(table: &Table, column: usize) -> bool {
    let mut numbers =
        table.rows.iter().filter_map(|row| row.get(column)).filter(|cell| cell.number.is_some()).peekable();
    numbers.peek().is_some() && numbers.all(|cell| cell.kind == Kind::Share)
}

fn csv(table: &Table) -> io::Result<Vec<u8>> {
    // Excel reads UTF-8 only after a byte order mark.
    let mut writer = SheetWriter::new("\u{feff}".as_bytes().to_vec());
    let of_shares: Vec<bool> = (0..table.columns.len()).map(|column| is_of_shares(table, column)).collect();
    let names = table.columns.iter().zip(&of_shares);
    let names: Vec<String> =
        names.map(|(name, of_shares)| if *of_shares { in_percent(name) } else { name.clone() }).collect();
    writer.row(names.iter().map(String::as_str))?;
    for row in &table.rows {
        let mut cells: Vec<String> = row.iter().map(csv_cell).collect();
        // In a column that also has other numbers, the name of the row says that a share is in per cent.
        let is_odd = row.iter().zip(&of_shares).any(|(cell, of_shares)| cell.kind == Kind::Share && !of_shares);
        if let Some(name) = cells.first_mut().filter(|_| is_odd) {
            *name = in_percent(name);
        }
        writer.row(cells.iter().map(String::as_str))?;
    }
    writer.into_inner()
}

/// The formats of cells in XLSX.
struct Formats {
    heading: Format,
    share: Format,
    day: Format,
    time: Format,
}

/// Texts are written as texts, which Excel never evaluates.
fn xlsx(tables: &[&Table]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let formats = Formats {
        heading: Format::new().set_bold(),
        share: Format::new().set_num_format("0.0%"),
        day: Format::new().set_num_format("yyyy-mm-dd"),
        time: Format::new().set_num_format("yyyy-mm-dd hh:mm"),
    };
    for table in tables {
        let sheet = workbook.add_worksheet();
        sheet.set_name(table.name)?;
        for (column, name) in (0..).zip(&table.columns) {
            sheet.write_string_with_format(0, column, name.as_str(), &formats.heading)?;
        }
        for (row, cells) in (1..).zip(&table.rows) {
            for (column, cell) in (0..).zip(cells) {
                xlsx_cell(sheet, row, column, cell, &formats)?;
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        sheet.autofit();
    }
    workbook.save_to_buffer()
}

fn xlsx_cell(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell, formats: &Formats) -> Result<(), XlsxError> {
    let dated = match cell.kind {
        Kind::Day(day) => Some((day.to_string(), &formats.day)),
        Kind::Time(time) => Some((time.format("%Y-%m-%dT%H:%M:%S").to_string(), &formats.time)),
        Kind::Share | Kind::Plain => None,
    };
    match (dated, cell.number) {
        (Some((text, format)), _) => match ExcelDateTime::parse_from_str(&text) {
            Ok(date) => sheet.write_datetime_with_format(row, column, &date, format)?,
            // The days of Excel begin in 1900.
            Err(_) => sheet.write_string(row, column, text)?,
        },
        (None, Some(share)) if cell.kind == Kind::Share => {
            sheet.write_number_with_format(row, column, share, &formats.share)?
        }
        (None, Some(number)) => sheet.write_number(row, column, number)?,
        (None, None) => sheet.write_string(row, column, shortened(&cell.text))?,
    };
    Ok(())
}

/// The most characters of a cell in XLSX.
const LONGEST_CELL: usize = 32_000;

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_CELL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    #[test]
    fn a_formula_in_a_text_is_a_text_in_both_forms() {
        let rows = [vec![Cell::text("=1+1"), Cell::number(1_234.5, "1.234,5")]];
        let table = Table::new("t", "T", &["a".into(), "b".into()], rows);
        assert_eq!(String::from_utf8(csv(&table).unwrap()).unwrap(), "\u{feff}a,b\n'=1+1,1234.5\n");
        assert!(xlsx(&[&table]).unwrap().starts_with(b"PK"));
    }

    #[test]
    fn shares_are_per_cent_under_a_name_that_says_so_and_days_are_iso() {
        let day = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
        let time = day.and_hms_opt(14, 5, 0);
        let row = |name: &str, value: Cell| {
            vec![Cell::text(name), value, Cell::share(0.931, "93,1%"), Cell::day(Some(day), "31/03/2026")]
        };
        let rows = [row("many", Cell::number(3.0, "3")), row("share", Cell::share(0.07, "7,0%"))];
        let table = Table::new("t", "T", &["name", "value", "part", "day"].map(String::from), rows);
        let wanted = "\u{feff}name,value,part (%),day\nmany,3,93.1,2026-03-31\nshare (%),7,93.1,2026-03-31\n";
        assert_eq!(String::from_utf8(csv(&table).unwrap()).unwrap(), wanted);
        assert_eq!(csv_cell(&Cell::time(time, "31/03/2026 14:05")), "2026-03-31T14:05:00+07:00");
        assert!(xlsx(&[&table]).unwrap().starts_with(b"PK"));
    }
}
