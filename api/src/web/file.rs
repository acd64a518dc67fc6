//! The tables of a page as a file: CSV, or XLSX with a sheet for each.

use super::error::PageError;
use super::page::Page;
use super::table::{Cell, Table};
use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, ContentDisposition, DispositionParam, DispositionType, X_CONTENT_TYPE_OPTIONS,
};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
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

/// Numbers are written with a point, and without marks between thousands: programs read them.
fn csv_cell(cell: &Cell) -> String {
    cell.number.map_or_else(|| cell.text.clone(), |number| number.to_string())
}

fn csv(table: &Table) -> io::Result<Vec<u8>> {
    // Excel reads UTF-8 only after a byte order mark.
    let mut writer = SheetWriter::new("\u{feff}".as_bytes().to_vec());
    writer.row(table.columns.iter().map(String::as_str))?;
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(csv_cell).collect();
        writer.row(cells.iter().map(String::as_str))?;
    }
    writer.into_inner()
}

/// Texts are written as texts, which Excel never evaluates.
fn xlsx(tables: &[&Table]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let heading = Format::new().set_bold();
    for table in tables {
        let sheet = workbook.add_worksheet();
        sheet.set_name(table.name)?;
        for (column, name) in (0..).zip(&table.columns) {
            sheet.write_string_with_format(0, column, name.as_str(), &heading)?;
        }
        for (row, cells) in (1..).zip(&table.rows) {
            for (column, cell) in (0..).zip(cells) {
                match cell.number {
                    Some(number) => sheet.write_number(row, column, number)?,
                    None => sheet.write_string(row, column, shortened(&cell.text))?,
                };
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        sheet.autofit();
    }
    workbook.save_to_buffer()
}

/// The most characters of a cell in XLSX.
const LONGEST_CELL: usize = 32_000;

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_CELL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_in_a_text_is_a_text_in_both_forms() {
        let rows = [vec![Cell::text("=1+1"), Cell::number(1_234.5, "1.234,5")]];
        let table = Table::new("t", "T", &["a".into(), "b".into()], rows);
        assert_eq!(String::from_utf8(csv(&table).unwrap()).unwrap(), "\u{feff}a,b\n'=1+1,1234.5\n");
        assert!(xlsx(&[&table]).unwrap().starts_with(b"PK"));
    }
}
