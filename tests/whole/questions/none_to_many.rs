//! Branches without complaints, and branches that go from none to many, are in the answers about branches.

use crate::program;
use serde_json::Value;
use tests::{Database, Json, fixtures, project};

/// A seaport branch that nobody complains about.
const QUIET: &str = "03CM,Chi cục HQ cửa khẩu cảng Cái Mép,BRANCH,03,SEAPORT,,\n";
const WORKLOAD_MAP: &str = "source = \"them\"\n[fields]\nunit = \"dv\"\ndeclarations = \"so\"\n\
    month = { column = \"thang\", format = \"%Y-%m-%d\" }\n";

/// A register in which 02CV gets its first 20 complaints after July 2025, and 03TG gets 10 before it and 10 after.
fn fill(database: &Database) {
    let import = |kind: &str, csv: String, mapping: &str| fixtures::import(database, kind, csv, mapping);
    import("units", fixtures::UNITS.to_owned() + QUIET, fixtures::UNITS_MAP);
    import("categories", fixtures::CATEGORIES.to_owned(), fixtures::CATEGORIES_MAP);
    let month = |month: u32| {
        ["02CV", "02DS", "03CM", "03TG"].map(|branch| format!("{branch},2025-{month:02}-01,1000\n")).concat()
    };
    import("workload", format!("dv,thang,so\n{}", (1..=12).map(month).collect::<String>()), WORKLOAD_MAP);
    let complaints = |branch: &str, month: u32, many: u32| {
        let one =
            |n: u32| format!("KN-{branch}-{month}-{n};{n:02}/{month:02}/2025;;;{branch};;TD1;;;;;Khó chịu {n};\n");
        (1..=many).map(one).collect::<String>()
    };
    let header = fixtures::COMPLAINTS.lines().next().unwrap();
    let all = [complaints("02CV", 8, 20), complaints("03TG", 5, 10), complaints("03TG", 9, 10)].concat();
    import("complaints", format!("{header}\n{all}"), fixtures::COMPLAINTS_MAP);
    let folder = project().join("docs/questions").display().to_string();
    program().json(database, &["queries", "save", "--all", &folder]);
}

/// The rows of a question, each with its branch.
fn rows(database: &Database, question: &str) -> Vec<(String, Value)> {
    let answer = program().json(database, &["sql", question]);
    let with_branch = |row: &Value| (row["branch"].text().to_owned(), row.clone());
    answer["rows"].list().iter().map(with_branch).collect()
}

fn branches(rows: &[(String, Value)]) -> Vec<&str> {
    rows.iter().map(|(branch, _)| branch.as_str()).collect()
}

#[track_caller]
fn is(row: &Value, column: &str, expected: f64) {
    let found = row[column].number();
    assert!((found - expected).abs() < 1e-6, "{column} is {found}, not {expected}: {row}");
}

#[test]
fn branches_without_complaints_and_those_that_go_from_none_to_many_are_in_the_answers() {
    for database in Database::both() {
        fill(&database);
        let rates = rows(&database, "@rate-by-branch");
        assert_eq!(branches(&rates), ["02CV", "02DS", "03CM", "03TG"]);
        let (busy, quiet) = (&rates[0].1, &rates[2].1);
        is(busy, "rate", 1_000.0 * 20.0 / 12_000.0);
        assert!(busy["lower_limit"].number() > 0.9, "{busy}");
        for column in ["complaints", "rate", "lower_limit"] {
            is(quiet, column, 0.0);
        }
        is(quiet, "upper_limit", (1.0_f64 - 1.0 / 9.0 + 1.96 / 3.0).powi(3) / 12.0);

        let seaports = rows(&database, "@seaports-after-release");
        assert_eq!(branches(&seaports), ["02CV", "03CM", "03TG"]);
        let [(_, risen), (_, quiet), (_, same)] = &seaports[..] else { panic!("{seaports:?}") };
        is(risen, "before_release", 0.0);
        is(risen, "after_release", 20.0);
        // From none to some the ratio has no number, and its lower limit has one.
        assert!(risen["ratio"].is_null() && risen["upper_limit"].is_null(), "{risen}");
        assert!((3.9..4.1).contains(&risen["lower_limit"].number()), "{risen}");
        assert!(risen["worse"].truth(), "{risen}");
        is(quiet, "after_release", 0.0);
        is(quiet, "lower_limit", 0.0);
        assert!(!quiet["worse"].truth(), "{quiet}");
        is(same, "ratio", 1.0);
        assert!(same["lower_limit"].number() < 1.0 && same["upper_limit"].number() > 1.0, "{same}");
        assert!(!same["worse"].truth(), "{same}");

        let above = rows(&database, "@branches-above-peers");
        assert_eq!(branches(&above), ["02CV", "02DS", "03CM", "03TG"]);
        is(&above[0].1, "ratio", 1.5);
        is(&above[2].1, "expected", 40.0 / 3.0);
        is(&above[2].1, "ratio", 0.0);
        is(&above[2].1, "lower_limit", 0.0);
        // Its only peer is itself, and has no complaint either.
        is(&above[1].1, "expected", 0.0);
        assert!(above[1].1["ratio"].is_null(), "{above:?}");
    }
}
