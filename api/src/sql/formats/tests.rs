use super::*;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Int64Array, StringArray};
use arrow_ipc::reader::StreamReader;
use arrow_schema::{DataType, Field, Schema};
use serde_json::{Value, json};
use std::sync::Arc;

fn metadata() -> AnswerMetadata {
    AnswerMetadata { position: 7, key_version: Some(2), as_of: Timestamp::from_micros(0).unwrap() }
}

/// Two rows: a formula, a null, lists.
fn batch() -> RecordBatch {
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("a"), Some("b")]);
    lists.append_null();
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("=1+1"), None]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![-5, 6]));
    let lists: ArrayRef = Arc::new(lists.finish());
    RecordBatch::try_from_iter_with_nullable([("t", texts, true), ("n", numbers, false), ("l", lists, true)]).unwrap()
}

fn written(format: AnswerFormat, batches: &[RecordBatch], truncated: bool) -> Vec<u8> {
    let mut writer = AnswerWriter::new(format, Vec::new(), &batch().schema(), &metadata()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish(truncated).unwrap()
}

#[test]
fn json_is_one_document_however_many_batches_come() {
    for (batches, rows, truncated) in [(vec![], 0, false), (vec![batch()], 2, false), (vec![batch(), batch()], 4, true)]
    {
        let document: Value = serde_json::from_slice(&written(AnswerFormat::Json, &batches, truncated)).unwrap();
        assert_eq!(document["rows"].as_array().unwrap().len(), rows);
        assert_eq!((&document["truncated"], &document["position"]), (&json!(truncated), &json!(7)));
        assert_eq!((&document["keyVersion"], &document["columns"][0]["name"]), (&json!(2), &json!("t")));
        if rows > 0 {
            assert_eq!(document["rows"][rows - 2], json!(["=1+1", -5, ["a", "b"]]));
            assert_eq!(document["rows"][rows - 1], json!([null, 6, null]));
        }
    }
}

#[test]
fn csv_has_a_header_and_no_formula() {
    assert_eq!(written(AnswerFormat::Csv, &[], false), b"t,n,l\n");
    let text = String::from_utf8(written(AnswerFormat::Csv, &[batch()], false)).unwrap();
    assert_eq!(text, "t,n,l\n'=1+1,-5,\"a;b\"\n,6,\n");
}

#[test]
fn an_arrow_stream_says_what_it_shows() {
    let bytes = written(AnswerFormat::Arrow, &[batch(), batch()], false);
    let reader = StreamReader::try_new(bytes.as_slice(), None).unwrap();
    assert_eq!(reader.schema().metadata()["phananh.position"], "7");
    let rows: usize = reader.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 4);
}

#[test]
fn parquet_begins_and_ends_as_it_must_even_without_rows() {
    for batches in [vec![], vec![batch()]] {
        let bytes = written(AnswerFormat::Parquet, &batches, true);
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
        assert!(bytes.windows(17).any(|part| part == b"phananh.truncated"));
    }
    // Names may occur twice: a join of two tables has both `code`.
    let fields = ["c", "c"].map(|name| Field::new(name, DataType::Int64, false));
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let twice = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::clone(&column), column]).unwrap();
    for format in [AnswerFormat::Json, AnswerFormat::Csv, AnswerFormat::Arrow, AnswerFormat::Parquet] {
        let mut writer = AnswerWriter::new(format, Vec::new(), &schema, &metadata()).unwrap();
        writer.write(&twice).unwrap();
        assert!(!writer.finish(false).unwrap().is_empty());
    }
}
