//! An officer serves in one unit at a time: an import of postings refuses what overlaps, row by row.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Client, Database, Finished, Json, Role, TestApp};

/// Adds to the stored postings of an officer, instead of replacing them.
fn adding() -> String {
    fixtures::POSTINGS_MAP.replace("complete = true\n", "")
}

fn import(database: &Database, rows: &str, mapping: &str) -> Finished {
    program().run(database, Files::new().import("postings", format!("so_hieu,don_vi,tu,den\n{rows}"), mapping))
}

/// The numbers of officers that an import reports.
fn counts(finished: &Finished) -> [i64; 4] {
    let told = finished.json();
    ["imported", "updated", "unchanged", "rejected"].map(|field| told[field].integer())
}

/// The unit, the first and the last day of each posting of an officer.
fn postings(board: &Client<'_>, officer: &str) -> Vec<(String, String, Option<String>)> {
    let query = format!("{{ officer(code: \"{officer}\") {{ postings {{ unit {{ code }} validFrom validTo }} }} }}");
    let rows = board.data(&query)["officer"]["postings"].list().to_vec();
    let row = |row: &Value| {
        let last_day = row["validTo"].as_str().map(str::to_owned);
        (row["unit"]["code"].text().to_owned(), row["validFrom"].text().to_owned(), last_day)
    };
    rows.iter().map(row).collect()
}

fn posting(unit: &str, first: &str, last: Option<&str>) -> (String, String, Option<String>) {
    (unit.to_owned(), first.to_owned(), last.map(str::to_owned))
}

#[test]
fn a_row_that_overlaps_is_refused_with_its_remedy_and_the_officer_stays_as_it_was() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let before = ["CC02", "CC03"].map(|officer| postings(&board, officer));
        assert_eq!(before[1], [posting("03TG", "2020-01-01", None)]);
        for (rows, mapping, place, words) in [
            // Within the file, also where it replaces what is stored.
            (
                "CC02,02DS,01/01/2020,31/12/2022\nCC02,02CV,01/12/2022,\n",
                fixtures::POSTINGS_MAP.to_owned(),
                "row 3, column \"tu\"",
                ["\"02DS\" from 2020-01-01 to 2022-12-31 (row 2)", "end that one on 2022-11-30 at the latest"],
            ),
            (
                "CC02,02DS,01/01/2020,31/12/2022\nCC02,02DS,01/01/2020,31/12/2023\n",
                fixtures::POSTINGS_MAP.to_owned(),
                "row 3, column \"den\"",
                ["row 2 gives this posting another last day", "keep one of the two"],
            ),
            // With the register: the stored posting begins earlier, later, or on the same day.
            (
                "CC03,02CV,01/06/2024,\n",
                adding(),
                "row 2, column \"tu\"",
                ["\"03TG\" from 2020-01-01 on (in the register)", "end that one on 2024-05-31 at the latest (by a row"],
            ),
            (
                "CC03,02DS,01/01/2019,31/01/2020\n",
                adding(),
                "row 2, column \"den\"",
                ["\"03TG\" from 2020-01-01 on (in the register)", "end this one on 2019-12-31 at the latest"],
            ),
            (
                "CC03,02DS,01/01/2020,31/01/2020\n",
                adding(),
                "row 2, column \"tu\"",
                ["\"03TG\" from 2020-01-01 on (in the register)", "give one of them other days"],
            ),
        ] {
            let refused = import(&app.database, rows, &mapping);
            assert_eq!((refused.status, counts(&refused)), (3, [0, 0, 0, 1]), "{refused:?}");
            assert!(refused.err.contains(place), "{place}: {refused:?}");
            assert!(words.iter().all(|word| refused.err.contains(word)), "{words:?}: {refused:?}");
            assert_eq!(["CC02", "CC03"].map(|officer| postings(&board, officer)), before);
        }
        // The rows that follow the remedy: the stored posting ends where the new one begins.
        let right = "CC03,03TG,01/01/2020,31/05/2024\nCC03,02CV,01/06/2024,\n";
        assert_eq!(counts(&import(&app.database, right, &adding()).ok()), [0, 1, 0, 0]);
        let moved = [posting("03TG", "2020-01-01", Some("2024-05-31")), posting("02CV", "2024-06-01", None)];
        assert_eq!(postings(&board, "CC03"), moved);
        assert_eq!(counts(&import(&app.database, right, &adding()).ok()), [0, 0, 1, 0], "again");
    }
}

#[test]
fn what_is_refused_creates_nothing_and_the_other_officers_are_imported() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let creating = format!("{}[missing]\nofficer = \"create\"\nunit = \"create\"\n", adding());
        let rows = "CC90,77,01/01/2020,\nCC90,02CV,01/01/2021,\nCC91,78,01/01/2020,\n";
        let refused = import(&app.database, rows, &creating);
        assert_eq!((refused.status, counts(&refused)), (3, [1, 0, 0, 1]), "{refused:?}");
        assert!(refused.err.contains("row 3, column \"tu\"") && refused.err.contains("\"77\""), "{refused:?}");
        let known = board.data(
            "{ refused: officer(code: \"CC90\") { code } its: unit(code: \"77\") { code }
               good: officer(code: \"CC91\") { postings { unit { code } } } }",
        );
        let good = json!({ "postings": [{ "unit": { "code": "78" } }] });
        assert_eq!(known, json!({ "refused": null, "its": null, "good": good }), "{}", app.database.name);
    }
}

#[test]
fn postings_of_merged_officers_may_overlap_and_the_same_file_still_changes_nothing() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let merge = json!({ "from": "CC03", "into": "CC01", "reason": "Cùng một người." });
        board.done("mergeOfficers", "position", &merge);
        let all = [
            posting("02CV-D1", "2020-01-01", Some("2023-12-31")),
            posting("03TG", "2020-01-01", None),
            posting("03TG", "2024-01-01", None),
        ];
        let sorted = || {
            let mut found = postings(&board, "CC01");
            found.sort();
            found
        };
        assert_eq!(sorted(), all);
        let rows = fixtures::POSTINGS.split_once('\n').expect("a header").1;
        assert_eq!(counts(&import(&app.database, rows, fixtures::POSTINGS_MAP).ok()), [0, 0, 3, 0]);
        // What only ends a posting earlier adds no day, under either code.
        let ended = import(&app.database, "CC03,03TG,01/01/2020,31/12/2023\n", fixtures::POSTINGS_MAP).ok();
        assert_eq!(counts(&ended), [0, 1, 0, 0]);
        assert_eq!(sorted()[1], posting("03TG", "2020-01-01", Some("2023-12-31")));
        let more = import(&app.database, "CC03,02DS,01/06/2024,\n", fixtures::POSTINGS_MAP);
        assert_eq!((more.status, counts(&more)), (3, [0, 0, 0, 1]), "{more:?}");
        assert!(more.err.contains("\"03TG\" from 2024-01-01 on (in the register)"), "{more:?}");
    }
}
