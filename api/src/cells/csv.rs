//! Rows as CSV.

use super::{Form, TextColumn};
use arrow_array::RecordBatch;
use schema::sheet::SheetWriter;
use std::io::Write;

/// Writes the rows of a batch; null is an empty cell. `text` is room for a cell.
///
/// # Errors
/// If a column has a type that the form does not have, or the target cannot be written to.
pub fn write_csv_rows<W: Write>(
    sheet: &mut SheetWriter<W>,
    batch: &RecordBatch,
    form: Form,
    text: &mut String,
) -> anyhow::Result<()> {
    let columns = batch.columns().iter().map(|column| TextColumn::of(column.as_ref(), form));
    let columns = columns.collect::<Result<Vec<TextColumn<'_>>, _>>()?;
    for row in 0..batch.num_rows() {
        for column in &columns {
            if let Some(plain) = column.text(row) {
                sheet.cell(plain);
            } else if column.is_value {
                sheet.value_cell(|out| column.write(row, out))?;
            } else {
                text.clear();
                column.write(row, text)?;
                sheet.cell(text);
            }
        }
        sheet.end_row()?;
    }
    Ok(())
}
