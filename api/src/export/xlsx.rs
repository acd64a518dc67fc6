//! XLSX files of an export. The rows wait in temporary files, so that memory stays flat.

use super::cells::{Cell, Cells};
use crate::cells::not_finite;
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use std::borrow::Cow;
use std::io::Write;

/// The last row of a sheet, from 0: a sheet has 1,048,576 rows.
const LAST_ROW: u32 = 1_048_575;
/// The name of the second sheet, which describes the export.
const QUERY: usize = 1;
/// The number of 1970-01-01 as a day of a spreadsheet.
const EPOCH: f64 = 25_569.0;
const MICROS_OF_A_DAY: f64 = 86_400_000_000.0;
/// Most characters of a cell, in units of UTF-16.
const LONGEST: usize = 32_767;
/// The mark at the end of a text that was cut.
const CUT: char = '…';
/// Whole numbers beyond this lose digits in a spreadsheet, which keeps 15.
const LARGEST_EXACT: u64 = 999_999_999_999_999;

/// Writes record batches as sheets: `data`, and `data 2` and so on where a sheet is full. Texts are never formulas.
pub struct XlsxWriter<W: Write + Send> {
    to: W,
    workbook: Workbook,
    columns: Vec<String>,
    /// The sheet that is being written, and its next row.
    sheet: usize,
    next: u32,
    /// Cells whose texts were too long.
    cut: u64,
    header: Format,
    day: Format,
    instant: Format,
}

impl<W: Write + Send> XlsxWriter<W> {
    /// # Errors
    /// If a temporary file cannot be made.
    pub fn new(to: W, schema: &Schema) -> Result<Self, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.add_worksheet_with_constant_memory()?.set_name("data")?;
        workbook.add_worksheet_with_constant_memory()?.set_name("Query")?;
        let mut writer = Self {
            to,
            workbook,
            columns: schema.fields().iter().map(|field| field.name().clone()).collect(),
            sheet: 0,
            next: 0,
            cut: 0,
            header: Format::new().set_bold(),
            day: Format::new().set_num_format("yyyy-mm-dd"),
            instant: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        };
        writer.begin_sheet()?;
        Ok(writer)
    }

    /// Writes the header of a sheet, which stays in view.
    fn begin_sheet(&mut self) -> Result<(), XlsxError> {
        let sheet = self.workbook.worksheet_from_index(self.sheet)?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, name) in (0u16..).zip(&self.columns) {
            sheet.write_string_with_format(0, column, name.as_str(), &self.header)?;
        }
        self.next = 1;
        Ok(())
    }

    fn next_sheet(&mut self) -> Result<(), XlsxError> {
        self.sheet = if self.sheet == 0 { QUERY + 1 } else { self.sheet + 1 };
        let name = format!("data {}", self.sheet);
        self.workbook.add_worksheet_with_constant_memory()?.set_name(name)?;
        self.begin_sheet()
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If a temporary file cannot be written to.
    pub fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        let columns = batch.columns().iter().map(|column| Cells::of(column.as_ref()));
        let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            if self.next > LAST_ROW {
                self.next_sheet()?;
            }
            let at = self.next;
            let sheet = self.workbook.worksheet_from_index(self.sheet)?;
            for (number, column) in (0u16..).zip(&columns) {
                let is_cut = write_cell(sheet, at, number, column.cell(row), [&self.day, &self.instant])?;
                self.cut += u64::from(is_cut);
            }
            self.next += 1;
        }
        Ok(())
    }

    /// Writes the sheet that describes the export, and the file.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn finish(mut self, about: &[(&str, String)]) -> Result<W, XlsxError> {
        let sheet = self.workbook.worksheet_from_index(QUERY)?;
        sheet.set_column_width(0, 20)?;
        sheet.set_column_width(1, 80)?;
        for (row, (name, value)) in (0u32..).zip(about) {
            sheet.write_string_with_format(row, 0, *name, &self.header)?;
            sheet.write_string(row, 1, fitting(Cow::Borrowed(value)).0)?;
        }
        if let (1.., Ok(row)) = (self.cut, u32::try_from(about.len())) {
            sheet.write_string_with_format(row, 0, "cut", &self.header)?;
            let cells = format!("{} cells have more than {LONGEST} characters, and end with {CUT}", self.cut);
            sheet.write_string(row, 1, cells)?;
        }
        self.workbook.save_to_writer(&mut self.to)?;
        Ok(self.to)
    }
}

/// A text that a cell has room for, and whether it was cut.
fn fitting(text: Cow<'_, str>) -> (Cow<'_, str>, bool) {
    if text.len() <= LONGEST || text.encode_utf16().count() <= LONGEST {
        return (text, false);
    }
    let room = LONGEST - CUT.len_utf16();
    let mut units = 0;
    let kept = text.chars().take_while(|letter| {
        units += letter.len_utf16();
        units <= room
    });
    (Cow::Owned(kept.chain([CUT]).collect()), true)
}

/// Writes a cell, and tells whether its text was cut.
fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell<'_>,
    [day, instant]: [&Format; 2],
) -> Result<bool, XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Text(text) => {
            let (text, is_cut) = fitting(text);
            sheet.write_string(row, column, text.into_owned())?;
            return Ok(is_cut);
        }
        Cell::Whole(number) if number.unsigned_abs() <= LARGEST_EXACT => {
            sheet.write_number(row, column, number as f64)?;
        }
        Cell::Whole(number) => {
            sheet.write_string(row, column, number.to_string())?;
        }
        Cell::Float(number) if number.is_finite() => {
            sheet.write_number(row, column, number)?;
        }
        Cell::Float(number) => {
            sheet.write_string(row, column, not_finite(number))?;
        }
        Cell::Flag(flag) => {
            sheet.write_boolean(row, column, flag)?;
        }
        Cell::Day(number) => {
            sheet.write_number_with_format(row, column, f64::from(number) + EPOCH, day)?;
        }
        Cell::Instant(micros) => {
            sheet.write_number_with_format(row, column, micros as f64 / MICROS_OF_A_DAY + EPOCH, instant)?;
        }
        Cell::Decimal(number) => match number.parse::<f64>() {
            Ok(value) if number.bytes().filter(u8::is_ascii_digit).count() <= 15 => {
                sheet.write_number(row, column, value)?;
            }
            _ => {
                sheet.write_string(row, column, number)?;
            }
        },
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, StringArray};
    use std::sync::Arc;

    #[test]
    fn a_text_that_is_too_long_is_cut_and_does_not_end_the_file() {
        assert_eq!(fitting(Cow::Borrowed("é")), (Cow::Borrowed("é"), false));
        for (letter, kept) in [("a", LONGEST - 1), ("ệ", LONGEST - 1), ("😀", (LONGEST - 1) / 2)] {
            let long = letter.repeat(LONGEST + 1);
            let (text, is_cut) = fitting(Cow::Borrowed(&long));
            assert!(is_cut && text.encode_utf16().count() <= LONGEST, "{letter}");
            assert_eq!(text, format!("{}{CUT}", letter.repeat(kept)), "{letter}");
        }
        let column: ArrayRef = Arc::new(StringArray::from(vec!["a".repeat(LONGEST), "b".repeat(LONGEST + 1)]));
        let rows = RecordBatch::try_from_iter([("t", column)]).expect("a column");
        let mut writer = XlsxWriter::new(Vec::<u8>::new(), &rows.schema()).expect("a workbook");
        writer.write(&rows).expect("rows");
        assert_eq!(writer.cut, 1);
        writer.finish(&[("query", "q".repeat(LONGEST * 2))]).expect("a file");
    }
}
