//! Imports that end before their file does: what they wrote is whole, and the next import completes it.

use crate::program;
use schema::import::{
    Import, ImportError, Kind, Mapping, Notices, Options, Progress, RejectSink, Report, Summary, Tallied, run,
};
use std::io::Cursor;
use tests::fixtures::{self, Files};
use tests::{Database, Json};

fn header() -> String {
    fixtures::COMPLAINTS.lines().next().unwrap().to_owned() + "\n"
}

fn adjacent() -> String {
    fixtures::COMPLAINTS_MAP.replace("[file]", "[file]\nrows = \"adjacent\"")
}

/// Complaints of two rows each, one against each of two officers.
fn pairs(complaints: usize) -> String {
    let mut csv = header();
    for n in 0..complaints {
        for officer in ["CC01", "CC02"] {
            csv += &format!("KX-{n};05/05/2023;0100233488;A;02CV;{officer};TD1;;;{n};1;Phản ánh số {n};\n");
        }
    }
    csv
}

/// A file of which one line, counted from 1, is not UTF-8.
fn damaged(csv: &str, line: usize) -> Vec<u8> {
    let at: usize = csv.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let mut bytes = csv.as_bytes().to_vec();
    bytes[at] = 0xff;
    bytes
}

/// The complaints and their officers.
fn stored(database: &Database) -> [i64; 2] {
    let rows = database.rows();
    [rows["complaints"], rows["complaint_officers"]]
}

#[test]
fn of_adjacent_rows_before_a_damaged_one_only_whole_batches_are_written() {
    let files = Files::new();
    let whole = pairs(9_000);
    for database in Database::both() {
        fixtures::fill(&database);
        let before = stored(&database);
        // Both lines are the second row of a complaint.
        for (line, written) in [(203, 0), (15_001, 5_000)] {
            let args = files.import("complaints", damaged(&whole, line), &adjacent());
            let result = program().run(&database, args);
            assert_eq!(result.status, 1, "{result:?}");
            assert!(result.err.contains(&format!("row {line}")), "{}", result.err);
            let expected = [before[0] + written, before[1] + 2 * written];
            assert_eq!(stored(&database), expected, "line {line} on {}", database.name);
        }
        let rest = fixtures::import(&database, "complaints", &whole, &adjacent());
        let counts = ["imported", "updated", "unchanged"].map(|count| rest[count].integer());
        assert_eq!(counts, [4_000, 0, 5_000], "{}", database.name);
    }
}

/// Stops an import when it has read so many rows, as Ctrl-C does.
struct StopAt(u64);

impl Progress for StopAt {
    fn reading(&mut self, _: u64, rows: u64) -> bool {
        rows < self.0
    }

    fn writing(&mut self, _: &Summary) -> bool {
        true
    }
}

#[test]
fn of_adjacent_rows_before_a_stop_only_whole_batches_are_written() {
    let csv = pairs(9_000);
    let mapping = Mapping::parse(&adjacent(), "the mapping", Kind::Complaints).unwrap();
    let options = Options::default();
    for database in Database::both() {
        fixtures::fill(&database);
        let before = stored(&database);
        // The import asks at these rows; each is the second row of a complaint.
        for (row, written) in [(8_192, 0), (12_288, 5_000)] {
            let db = database.open();
            let mut stop = StopAt(row);
            let mut report = Report {
                summary: Summary::default(),
                rejects: RejectSink::callback(|_| ()),
                notices: Notices::new(|_| ()),
                tallied: Tallied::default(),
                progress: &mut stop,
            };
            let import =
                Import { db: &db, kind: Kind::Complaints, name: "the file", mapping: &mapping, options: &options };
            let input = Box::new(Cursor::new(csv.clone().into_bytes()));
            let stopped = run(import, input, &mut report).unwrap_err();
            assert!(matches!(stopped, ImportError::Stopped), "{stopped}");
            let expected = [before[0] + written, before[1] + 2 * written];
            assert_eq!(stored(&database), expected, "row {row} on {}", database.name);
        }
    }
}

#[test]
fn rejects_behind_a_batch_that_cannot_be_written_wait_for_the_next_import() {
    let mut csv = header();
    for n in 0..12_000 {
        // The first reject is before every batch, the others are behind the first batch.
        let reference = if [3, 6_000, 6_001].contains(&n) { String::new() } else { format!("KX-{n}") };
        let text = if n == 40 { "REFUSED" } else { "Phản ánh" };
        csv += &format!("{reference};05/05/2023;0100233488;A;02CV;CC01;TD1;;;{n};1;{text};\n");
    }
    let files = Files::new();
    for database in Database::both() {
        fixtures::fill(&database);
        let before = stored(&database);
        let [refuse, allow] = if database.folder().is_some() {
            [
                "CREATE TRIGGER refuse BEFORE INSERT ON complaints WHEN NEW.text = 'REFUSED' \
                 BEGIN SELECT RAISE(ABORT, 'refused'); END",
                "DROP TRIGGER refuse",
            ]
        } else {
            [
                "ALTER TABLE complaints ADD CONSTRAINT refuse CHECK (text <> 'REFUSED')",
                "ALTER TABLE complaints DROP CONSTRAINT refuse",
            ]
        };
        let rejects = files.path().join("rejects.csv");
        let mut args = files.import("complaints", &csv, &adjacent());
        args.extend(["--rejects".to_owned(), rejects.display().to_string()]);
        let rejected = || {
            let text = std::fs::read_to_string(&rejects).unwrap();
            text.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        database.tamper(refuse);
        let result = program().run(&database, &args);
        assert!(![0, 3].contains(&result.status), "{result:?}");
        assert_eq!(rejected(), ["5"], "{}", database.name);
        assert_eq!(stored(&database), before, "{}", database.name);
        database.tamper(allow);
        let result = program().run(&database, &args);
        assert_eq!(result.status, 3, "{result:?}");
        assert_eq!(rejected(), ["5", "6002", "6003"], "{}", database.name);
        assert_eq!(result.json()["imported"].integer(), 11_997);
    }
}
