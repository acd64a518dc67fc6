//! Runs of the recurrence job over the small world: what they find, and that `flags reproduce` derives them again after
//! any correction.

use crate::program;
use serde_json::{Value, json};
use tests::{Database, Json, fixtures};

fn run(database: &Database, as_of: &str) -> Value {
    program().json(database, &["jobs", "run", "recurrence", "--as-of", as_of])
}

fn flagged(database: &Database) -> Vec<(String, String, String)> {
    let flags = program().json(database, &["flags", "list"]);
    let text = |value: &Value| value.text().to_owned();
    flags
        .list()
        .iter()
        .map(|flag| (text(&flag["subject"]["code"]), text(&flag["tier"]), text(&flag["state"])))
        .collect()
}

fn flag(code: &str, tier: &str, state: &str) -> (String, String, String) {
    (code.to_owned(), tier.to_owned(), state.to_owned())
}

fn reproduce(database: &Database, run: &Value, known_at: &[&str]) -> (i32, Value) {
    let args = [&["flags", "reproduce", run["run"].text()], known_at, &["--format", "json"]].concat();
    let result = program().run(database, args);
    (result.status, result.json())
}

#[test]
fn a_look_back_leaves_the_flags_of_today() {
    for database in Database::both() {
        fixtures::fill(&database);
        fixtures::run_counting(&database, "2024-03-31");
        let today = [flag("CC01", "WATCH", "OPEN"), flag("02CV", "WATCH", "OPEN")];
        assert_eq!(flagged(&database), today);
        let back = fixtures::run_counting(&database, "2024-01-05");
        assert_eq!((&back["summary"]["flagged"], &back["summary"]["looksBack"]), (&json!(0), &json!(true)));
        assert_eq!(flagged(&database), today);
        fixtures::run_counting(&database, "2026-03-31");
        assert_eq!(flagged(&database), [flag("CC01", "WATCH", "EXPIRED"), flag("02CV", "WATCH", "EXPIRED")]);
    }
}

#[test]
fn an_unfounded_complaint_without_officers_flags_no_branch() {
    for database in Database::both() {
        fixtures::fill(&database);
        let header = fixtures::COMPLAINTS.lines().next().unwrap();
        let csv = |finding: &str| {
            format!(
                "{header}\nPN-1;10/03/2024;0100233488;A;02DS;;TD1;{finding};20/03/2024;;;x;\n\
                 PN-2;11/03/2024;0314409058;B;02DS;;TD1;{finding};20/03/2024;;;x;\n"
            )
        };
        let mapping = fixtures::COMPLAINTS_MAP.replace("\"S\" = \"NOT_SUSTAINED\"", "\"S\" = \"UNFOUNDED\"");
        fixtures::import(&database, "complaints", csv(""), &mapping);
        fixtures::run_counting(&database, "2024-03-31");
        assert!(flagged(&database).contains(&flag("02DS", "WATCH", "OPEN")), "{:?}", flagged(&database));
        fixtures::import(&database, "complaints", csv("S"), &mapping);
        fixtures::run_counting(&database, "2024-03-31");
        assert!(flagged(&database).contains(&flag("02DS", "WATCH", "RETRACTED")), "{:?}", flagged(&database));
    }
}

/// Imports one correction after another, one of each kind that a statistic reads. After each, the register of now gives
/// another result than the run before it; the register as that run knew it gives the same result.
#[test]
fn a_run_is_derived_again_whatever_is_corrected_later() {
    for database in Database::both() {
        fixtures::fill(&database);
        let enterprises_map = "source = \"x\"\n[fields]\ntax_code = \"mst\"\ngroup = \"nhom\"\n";
        fixtures::import(&database, "enterprises", "mst,nhom\n0100233488,\n", enterprises_map);
        let mut last = run(&database, "2024-03-31");
        let first = last.clone();
        let changed_unit = fixtures::UNITS
            .replace("02CV,Chi cục HQ CK cảng Sài Gòn KV I,BRANCH", "02CV,Chi cục HQ CK cảng Sài Gòn KV I,TEAM");
        let moved = fixtures::UNITS.replace("TEAM,02CV", "TEAM,03TG");
        let corrections: [(&str, &str, String, &str); 10] = [
            (
                "a category is serious",
                "categories",
                fixtures::CATEGORIES.replace("Hách dịch,CONDUCT,không", "Hách dịch,CONDUCT,có"),
                fixtures::CATEGORIES_MAP,
            ),
            (
                "a category is of another kind",
                "categories",
                fixtures::CATEGORIES.replace("Sách nhiễu,CONDUCT", "Sách nhiễu,PROCEDURE"),
                fixtures::CATEGORIES_MAP,
            ),
            (
                "two enterprises are one",
                "enterprises",
                "mst,nhom\n0100233488,G\n0314409058,G\n0314409058-002,G\n".into(),
                enterprises_map,
            ),
            ("a unit is of another level", "units", changed_unit, fixtures::UNITS_MAP),
            ("a unit belongs elsewhere", "units", moved, fixtures::UNITS_MAP),
            (
                "a complaint has another enterprise",
                "complaints",
                fixtures::COMPLAINTS.replace("06/01/2024;0314409058-002", "06/01/2024;001099012345"),
                fixtures::COMPLAINTS_MAP,
            ),
            (
                "a complaint was received later",
                "complaints",
                fixtures::COMPLAINTS.replace("PA-2;06/01/2024", "PA-2;07/01/2024"),
                fixtures::COMPLAINTS_MAP,
            ),
            (
                "an officer was another",
                "complaints",
                fixtures::COMPLAINTS.replace("02CV;CC01;TD2", "02CV;CC02;TD2"),
                fixtures::COMPLAINTS_MAP,
            ),
            (
                "a finding changed",
                "complaints",
                fixtures::COMPLAINTS.replace("TD2;Đ;20/02/2024", "TD2;S;20/02/2024"),
                fixtures::COMPLAINTS_MAP,
            ),
            (
                "a complaint came late",
                "complaints",
                format!("{}PA-9;01/02/2024;0100233480;;02CV;CC01;TD1;;;;;x;\n", fixtures::COMPLAINTS)
                    .replace("0100233480", "0312345673"),
                fixtures::COMPLAINTS_MAP,
            ),
        ];
        for (what, kind, csv, mapping) in corrections {
            let before = &last;
            let summary = fixtures::import(&database, kind, &csv, mapping);
            assert_ne!((&summary["updated"], &summary["imported"]), (&json!(0), &json!(0)), "{what}: {summary}");
            let (status, now) = reproduce(&database, before, &["--known-at", "now"]);
            assert_eq!(
                (status, &now["reproduced"]),
                (1, &json!(false)),
                "{what} makes no difference on {}",
                database.name
            );
            assert!(
                now["firstDifference"].text().starts_with("inputs: the allegations of complaints received in 2024-0"),
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
            // The position of each run names a state of the register from which the run is derived again.
            last = run(&database, "2024-03-31");
            let position = last["knownAt"].to_string();
            let (status, _) = reproduce(&database, &last, &["--known-at", &position]);
            assert_eq!(status, 0);
        }
    }
}
