//! The statistics by other means: numpy and scipy over the same register.

use crate::program;
use std::process::Command;
use tests::{Database, Json, fixtures, python};

#[test]
fn a_statistician_with_other_tools_gets_the_same_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::sqlite();
    fixtures::generate(&database, 6_000, 7);
    // Texts are not compared there: no campaigns.
    let rules = tests::file(folder.path(), "rules.toml", "version = \"check\"\n[campaign]\ncharacters = 1000000\n");
    let args = ["flags", "numbers", "--as-of", "2025-12-20", "--rules", rules.to_str().unwrap()];
    let numbers = program().json(&database, &args);
    assert_eq!(numbers["basis"], "DECLARATIONS");
    let file = tests::file(folder.path(), "numbers.json", numbers.to_string());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/statistics/recompute.py");
    let output = Command::new(python(&["numpy", "scipy"], &["python3-scipy"], &["numpy", "scipy"]))
        .arg(script)
        .arg(database.url.strip_prefix("sqlite:").unwrap())
        .arg(file)
        .output()
        .unwrap();
    let (said, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{why}");
    assert!(said.contains("\"compared\": 200"), "{said}");
}

#[test]
fn a_backtest_is_printed_as_a_table_as_json_and_as_csv() {
    let database = Database::sqlite();
    let args = ["backtest", "--from", "2023", "--to", "2023", "--top", "10%"];
    program().run(&database, ["migrate"]).ok();
    let empty = program().run(&database, args);
    assert_eq!(empty.status, 1);
    assert!(empty.err.contains("no officer has a complaint"), "{empty:?}");
    program().run(&database, ["generate", "--complaints", "4000", "--seed", "3"]).ok();
    let rows = program().json(&database, &args);
    let rankings: Vec<_> = rows.list().iter().map(|row| row["ranking"].text()).collect();
    assert_eq!(rankings, jobs::analyses::backtest::RANKINGS);
    for row in rows.list() {
        let (recall, lower, upper) = (row["recall"].number(), row["recallLower"].number(), row["recallUpper"].number());
        assert!(lower <= recall && recall <= upper && recall > 0.0, "{row}");
    }
    let csv = program().run(&database, args.iter().copied().chain(["--format", "csv"])).ok().out;
    assert!(csv.starts_with("origin,ranking,population,"), "{csv}");
    assert_eq!(csv.lines().count(), 1 + rankings.len());
    let wrong = program().run(&database, ["backtest", "--from", "2023", "--to", "2020"]);
    assert!(wrong.status == 1 && wrong.err.contains("lies after"), "{wrong:?}");
    assert_eq!(program().run(&database, ["backtest", "--from", "2020", "--to", "2023", "--top", "0"]).status, 2);
    let no_rows = program().run(&database, ["rules", "try", "--min", "3", "--days", "90", "--format", "csv"]);
    assert!(no_rows.status == 2 && no_rows.err.contains("json"), "{no_rows:?}");
}
