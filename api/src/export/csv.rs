//! CSV files of an export.

use crate::cells::{Form, write_csv_rows};
use arrow_array::RecordBatch;
use arrow_schema::Schema;
use schema::sheet::SheetWriter;
use std::io::{self, Write};

/// The byte order mark: without it some spreadsheet programs read a file in an older encoding.
const BOM: &str = "\u{feff}";

/// Writes record batches as CSV.
pub struct CsvWriter<W: Write> {
    sheet: SheetWriter<W>,
    /// The text of the cell that is being written.
    text: String,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the header, also if no row follows.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn new(mut to: W, schema: &Schema, bom: bool) -> io::Result<Self> {
        if bom {
            to.write_all(BOM.as_bytes())?;
        }
        let mut sheet = SheetWriter::new(to);
        sheet.row(schema.fields().iter().map(|field| field.name().as_str()))?;
        Ok(Self { sheet, text: String::new() })
    }

    /// Writes rows.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn write(&mut self, batch: &RecordBatch) -> anyhow::Result<()> {
        write_csv_rows(&mut self.sheet, batch, Form::Export, &mut self.text)
    }

    /// Writes what is buffered, and returns the target.
    ///
    /// # Errors
    /// If the target cannot be written to.
    pub fn finish(self) -> io::Result<W> {
        self.sheet.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{
        ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, StringArray, TimestampMicrosecondArray,
    };
    use std::sync::Arc;

    #[test]
    fn each_type_has_its_text_and_null_none() {
        let mut list = ListBuilder::new(StringBuilder::new());
        list.append_value([Some("a"), Some("b")]);
        list.append_null();
        let money = Decimal128Array::from(vec![Some(12), None]).with_precision_and_scale(18, 0).expect("money");
        let instants = TimestampMicrosecondArray::from(vec![Some(1_500_000), None]).with_timezone("UTC");
        let columns: [(&str, ArrayRef); 7] = [
            ("text", Arc::new(StringArray::from(vec![Some("=1"), None]))),
            ("day", Arc::new(Date32Array::from(vec![Some(0), None]))),
            ("instant", Arc::new(instants)),
            ("number", Arc::new(Float64Array::from(vec![Some(2.0), None]))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("money", Arc::new(money)),
            ("list", Arc::new(list.finish())),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("columns");
        let mut writer = CsvWriter::new(Vec::<u8>::new(), &batch.schema(), true).expect("a header");
        writer.write(&batch.slice(0, 1)).expect("a row");
        writer.write(&batch.slice(1, 1)).expect("a row");
        let text = String::from_utf8(writer.finish().expect("a file")).expect("UTF-8");
        assert_eq!(
            text,
            "\u{feff}text,day,instant,number,flag,money,list\n\
             '=1,1970-01-01,1970-01-01T00:00:01.500Z,2.0,true,12,\"a;b\"\n,,,,,,\n"
        );
    }
}
