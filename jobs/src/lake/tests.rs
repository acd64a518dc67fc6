use super::content::Content;
use super::folder::{Folder, MANIFEST, VERSIONS};
use super::manifest::LakeFile;
use super::months::{Run, month, part_without_rows, runs};
use super::statements::pattern;
use crate::tables::{Column, ColumnType, Table};
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const fn column(name: &'static str, of: ColumnType) -> Column {
    Column { name, of, nullable: true, comment: "" }
}

const fn divided_by(month_of: Option<&'static str>) -> Table {
    Table { name: "long", comment: "", columns: COLUMNS, month_of, board_only: false }
}

const COLUMNS: &[Column] = &[
    column("day", ColumnType::Day),
    column("at", ColumnType::Instant),
    column("text", ColumnType::Text),
    column("texts", ColumnType::Texts),
    column("whole", ColumnType::Whole),
];
static LONG: Table = divided_by(Some("day"));
static BY_INSTANT: Table = divided_by(Some("at"));
static SHORT: Table = divided_by(None);

/// Days since 1970, and what the other columns derive from them.
fn rows(days: &[Option<i32>]) -> RecordBatch {
    let mut texts = ListBuilder::new(StringBuilder::new());
    for day in days {
        texts.append_option(day.map(|day| [Some(day.to_string()), None]));
    }
    let instants = days.iter().map(|day| day.map(|day| i64::from(day) * 86_400_000_000 - 3_600_000_000));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Date32Array::from(days.to_vec())),
        Arc::new(instants.collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        Arc::new(days.iter().map(|day| day.map(|day| format!("ngày {day}"))).collect::<StringArray>()),
        Arc::new(texts.finish()),
        Arc::new(days.iter().map(|day| day.map(i64::from)).collect::<Int64Array>()),
    ];
    RecordBatch::try_new(LONG.schema(), columns).expect("rows of the table")
}

fn summary(batches: &[RecordBatch]) -> String {
    let mut content = Content::new(&LONG);
    batches.iter().for_each(|batch| content.add(batch).expect("a known type"));
    content.finish().content
}

#[test]
fn the_hash_is_of_the_rows_and_not_of_their_batches() {
    let all = rows(&[Some(1), None, Some(20_000), Some(2)]);
    let whole = summary(std::slice::from_ref(&all));
    assert_eq!(whole, summary(&[all.slice(0, 1), all.slice(1, 0), all.slice(1, 3)]));
    for other in [
        rows(&[Some(1), None, Some(20_000)]),
        rows(&[None, Some(1), Some(20_000), Some(2)]),
        rows(&[Some(1), Some(0), Some(20_000), Some(2)]),
    ] {
        assert_ne!(whole, summary(&[other]));
    }
}

#[test]
fn rows_stand_in_the_month_of_their_local_day() {
    let run = |part: &str, from, rows| Run { part: part.to_owned(), from, rows };
    // 2024-02-29, 2024-03-01 twice, without a day, 2024-02-29.
    let batch = rows(&[Some(19_782), Some(19_783), Some(19_783), None, Some(19_782)]);
    let expected = [run("2024-02", 0, 1), run("2024-03", 1, 2), run("none", 3, 1), run("2024-02", 4, 1)];
    assert_eq!(runs(&LONG, &batch).expect("days"), expected);
    // An hour before midnight of UTC is the next day in Vietnam.
    assert_eq!(runs(&BY_INSTANT, &batch).expect("instants"), expected);
    assert_eq!(runs(&SHORT, &batch).expect("one part"), [run("all", 0, 5)]);
    assert!(runs(&LONG, &batch.slice(0, 0)).expect("no row").is_empty());
    assert_eq!([part_without_rows(&LONG), part_without_rows(&SHORT)], ["none", "all"]);
    assert_eq!(["2024-02", "none", "all"].map(month), [Some("2024-02".to_owned()), None, None]);
}

fn content(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

#[test]
fn a_folder_is_used_by_one_and_shows_each_part_once() {
    let within = tempfile::tempdir().expect("a folder");
    let root = within.path().join("lake");
    let folder = Folder::to_write(&root).expect("a new folder");
    let refused = |outcome: Result<Folder, crate::JobError>| outcome.err().expect("a refusal").to_string();
    assert!(refused(Folder::to_write(&root)).contains("another sync"));
    assert!(refused(Folder::to_read(&root)).contains("another sync"));
    for (version, text) in [("a", "one"), ("b", "two")] {
        let version = format!("{VERSIONS}/t/{version}.parquet");
        folder.put(&version, text.as_bytes()).expect("written");
        folder.show(&version, "t/all.parquet").expect("shown");
        assert!(folder.shows(&version, "t/all.parquet"));
        assert_eq!(content(&root, "t/all.parquet"), text);
    }
    assert!(!folder.shows(&format!("{VERSIONS}/t/a.parquet"), "t/all.parquet"));
    folder.put("notes/x.parquet", b"of somebody else").expect("written");
    let keep = BTreeSet::from([".versions/t/b.parquet", "t/all.parquet"]);
    folder.remove_others(&keep, &BTreeSet::from(["t"])).expect("removed");
    assert_eq!(content(&root, ".versions/t/a.parquet"), "");
    assert_eq!([".versions/t/b.parquet", "t/all.parquet"].map(|name| content(&root, name)), ["two", "two"]);
    assert_eq!(content(&root, "notes/x.parquet"), "of somebody else");
    drop(folder);
    // There is a folder with files and no manifest.
    assert!(refused(Folder::to_write(&root)).contains("holds other files"));
    std::fs::write(root.join(MANIFEST), "{}").expect("written");
    std::fs::write(root.join(".drafts/left"), "by a killed process").expect("written");
    let folder = Folder::to_write(&root).expect("the lake again");
    assert!(!folder.draft("left").exists());
    drop(folder);
    assert!(refused(Folder::to_read(within.path())).contains("there is no lake"));
}

#[test]
fn a_pattern_names_the_files_and_no_other() {
    let file = |path: &str| LakeFile {
        path: path.to_owned(),
        latest: String::new(),
        month: None,
        rows: 0,
        bytes: 0,
        sha256: String::new(),
        content: String::new(),
    };
    let files = [".versions/t/2024-01-ab.parquet", ".versions/t/none-cd.parquet"].map(file);
    assert_eq!(pattern(&files), ".versions/t/{2024-01-ab,none-cd}.parquet");
    assert_eq!(pattern(&files[..1]), ".versions/t/2024-01-ab.parquet");
}
