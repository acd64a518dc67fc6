//! Runs of the recurrence job over the small world: what they find, and that they are derived again
//! whatever is corrected.

use crate::program;
use crate::world::{self, Files};
use serde_json::{Value, json};
use tests::Database;

fn run(database: &Database, as_of: &str) -> Value {
    program().json(database, &["jobs", "run", "recurrence", "--as-of", as_of])
}

fn flagged(database: &Database) -> Vec<(String, String, String)> {
    let flags = program().json(database, &["flags", "list"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    flags
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| (text(&flag["subject"]["code"]), text(&flag["tier"]), text(&flag["state"])))
        .collect()
}

fn flag(code: &str, tier: &str, state: &str) -> (String, String, String) {
    (code.to_owned(), tier.to_owned(), state.to_owned())
}

fn reproduce(database: &Database, run: &Value, known_at: &[&str]) -> (i32, Value) {
    let args = [&["flags", "reproduce", run["run"].as_str().unwrap()], known_at, &["--format", "json"]].concat();
    let result = program().run(database, args);
    (result.status, result.json())
}

#[test]
fn a_look_back_leaves_the_flags_of_today() {
    for database in Database::both() {
        world::fill(&database);
        world::run_counting(&database, "2024-03-31");
        let today = [flag("CC01", "WATCH", "OPEN"), flag("02CV", "WATCH", "OPEN")];
        assert_eq!(flagged(&database), today);
        let back = world::run_counting(&database, "2024-01-05");
        assert_eq!((&back["summary"]["flagged"], &back["summary"]["looksBack"]), (&json!(0), &json!(true)));
        assert_eq!(flagged(&database), today);
        world::run_counting(&database, "2026-03-31");
        assert_eq!(flagged(&database), [flag("CC01", "WATCH", "EXPIRED"), flag("02CV", "WATCH", "EXPIRED")]);
    }
}

#[test]
fn a_complaint_that_names_nobody_and_was_unfounded_flags_no_branch() {
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        let header = world::COMPLAINTS.lines().next().unwrap();
        let csv = |finding: &str| {
            format!(
                "{header}\nPN-1;10/03/2024;0100233488;A;02DS;;TD1;{finding};20/03/2024;;;x;\nPN-2;11/03/2024;0314409058;B;02DS;;TD1;{finding};20/03/2024;;;x;\n"
            )
        };
        let mapping = world::COMPLAINTS_MAP.replace("\"S\" = \"NOT_SUSTAINED\"", "\"S\" = \"UNFOUNDED\"");
        program().run(&database, files.import("complaints", csv(""), &mapping)).ok();
        world::run_counting(&database, "2024-03-31");
        assert!(flagged(&database).contains(&flag("02DS", "WATCH", "OPEN")), "{:?}", flagged(&database));
        program().run(&database, files.import("complaints", csv("S"), &mapping)).ok();
        world::run_counting(&database, "2024-03-31");
        assert!(flagged(&database).contains(&flag("02DS", "WATCH", "RETRACTED")), "{:?}", flagged(&database));
    }
}

/// Each kind of correction that a statistic reads, undone alone.
#[test]
fn a_run_is_derived_again_whatever_is_corrected_later() {
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        let enterprises_map = "source = \"x\"\n[fields]\ntax_code = \"mst\"\ngroup = \"nhom\"\n";
        program().run(&database, files.import("enterprises", "mst,nhom\n0100233488,\n", enterprises_map)).ok();
        let mut last = run(&database, "2024-03-31");
        let first = last.clone();
        let changed_unit = world::UNITS
            .replace("02CV,Chi cục HQ CK cảng Sài Gòn KV I,BRANCH", "02CV,Chi cục HQ CK cảng Sài Gòn KV I,TEAM");
        let moved = world::UNITS.replace("TEAM,02CV", "TEAM,03TG");
        let corrections: [(&str, &str, String, &str); 10] = [
            (
                "a category is serious",
                "categories",
                world::CATEGORIES.replace("Hách dịch,CONDUCT,không", "Hách dịch,CONDUCT,có"),
                world::CATEGORIES_MAP,
            ),
            (
                "a category is of another kind",
                "categories",
                world::CATEGORIES.replace("Sách nhiễu,CONDUCT", "Sách nhiễu,PROCEDURE"),
                world::CATEGORIES_MAP,
            ),
            (
                "two enterprises are one",
                "enterprises",
                "mst,nhom\n0100233488,G\n0314409058,G\n0314409058-002,G\n".into(),
                enterprises_map,
            ),
            ("a unit is of another level", "units", changed_unit, world::UNITS_MAP),
            ("a unit belongs elsewhere", "units", moved, world::UNITS_MAP),
            (
                "a complaint has another enterprise",
                "complaints",
                world::COMPLAINTS.replace("06/01/2024;0314409058-002", "06/01/2024;001099012345"),
                world::COMPLAINTS_MAP,
            ),
            (
                "a complaint was received later",
                "complaints",
                world::COMPLAINTS.replace("PA-2;06/01/2024", "PA-2;07/01/2024"),
                world::COMPLAINTS_MAP,
            ),
            (
                "an officer was another",
                "complaints",
                world::COMPLAINTS.replace("02CV;CC01;TD2", "02CV;CC02;TD2"),
                world::COMPLAINTS_MAP,
            ),
            (
                "a finding changed",
                "complaints",
                world::COMPLAINTS.replace("TD2;Đ;20/02/2024", "TD2;S;20/02/2024"),
                world::COMPLAINTS_MAP,
            ),
            (
                "a complaint came late",
                "complaints",
                format!("{}PA-9;01/02/2024;0100233480;;02CV;CC01;TD1;;;;;x;\n", world::COMPLAINTS)
                    .replace("0100233480", "0312345673"),
                world::COMPLAINTS_MAP,
            ),
        ];
        for (what, kind, csv, mapping) in corrections {
            let before = &last;
            let summary = program().run(&database, files.import(kind, &csv, mapping)).ok().json();
            assert_ne!((&summary["updated"], &summary["imported"]), (&json!(0), &json!(0)), "{what}: {summary}");
            let (status, now) = reproduce(&database, before, &["--known-at", "now"]);
            assert_eq!(
                (status, &now["reproduced"]),
                (1, &json!(false)),
                "{what} makes no difference on {}",
                database.name
            );
            assert!(
                now["firstDifference"]
                    .as_str()
                    .unwrap()
                    .starts_with("inputs: the allegations of complaints received in 2024-0"),
                "{what}: {now}"
            );
            for earlier in [before, &first] {
                let (status, then) = reproduce(&database, earlier, &[]);
                assert_eq!(
                    (status, &then["firstDifference"]),
                    (0, &Value::Null),
                    "{what} on {}: {then}",
                    database.name
                );
            }
            // A position between is a state of its own.
            last = run(&database, "2024-03-31");
            let position = last["knownAt"].to_string();
            let (status, _) = reproduce(&database, &last, &["--known-at", &position]);
            assert_eq!(status, 0);
        }
    }
}
