//! Generated registers: a seed gives the same one everywhere, it holds what it says, and the program keeps it apart
//! from real data.

use crate::program;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;
use tests::{Database, Json, Role, TestApp, file, in_parallel, wait_until};

/// Generates a register and returns what is true of it.
fn generate(database: &Database, complaints: u32, seed: u32, truth: &str) -> Value {
    let (complaints, seed) = (complaints.to_string(), seed.to_string());
    program().json(database, &["generate", "--complaints", &complaints, "--seed", &seed, "--truth", truth]);
    serde_json::from_str(&std::fs::read_to_string(truth).expect("the truth")).expect("JSON")
}

#[test]
fn a_seed_makes_one_world_on_both_databases_and_another_seed_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut found = Vec::new();
    for (nth, (database, seed)) in
        [(Database::sqlite(), 1), (Database::postgres(), 1), (Database::sqlite(), 2)].into_iter().enumerate()
    {
        let truth = folder.path().join(nth.to_string());
        let truth = generate(&database, 2_000, seed, truth.to_str().expect("a path"));
        assert_eq!(truth["asOf"], "2025-12-31");
        assert_eq!(truth["officers"].list().len(), 267);
        let run = program().json(&database, &["jobs", "run", "recurrence", "--as-of", "2025-12-31"]);
        // The register alone gives the same run again.
        let again = program().json(&database, &["flags", "reproduce", run["run"].text()]);
        assert_eq!(again["reproduced"], true);
        found.push((truth, run["hash"].clone()));
    }
    assert_eq!(found[0], found[1]);
    assert_ne!(found[0].1, found[2].1);
}

#[test]
fn a_world_is_what_it_says() {
    // The register is that of another test: only what is true of it is written.
    let app = TestApp::sqlite().generated(20_000, 3).arguments(&["--dev"]).start();
    let folder = tempfile::tempdir().expect("a folder");
    let truth = folder.path().join("truth.json");
    let truth = generate(&app.database, 20_000, 3, truth.to_str().expect("a path"));
    let data = app.as_role(Role::Board).data(
        "{ all: complaintStatistics { rows { complaints } }
           conduct: complaintStatistics(groupBy: [KIND]) { rows { kind complaints } }
           departments: units(filter: {kind: {eq: PROVINCIAL_DEPARTMENT}}) { totalCount }
           branches: units(filter: {kind: {eq: BRANCH}}) { totalCount } }",
    );
    assert_eq!(data["all"]["rows"][0]["complaints"], 20_000);
    assert_eq!(data["departments"]["totalCount"], 35);
    assert_eq!(data["branches"]["totalCount"], 178);
    let conduct = data["conduct"]["rows"].list().iter().find(|row| row["kind"] == "CONDUCT");
    let conduct = conduct.expect("conduct")["complaints"].number();
    assert!((0.17..0.26).contains(&(conduct / 20_000.0)), "{conduct} complaints about conduct");

    // The generator plants numbers per 50,000 complaints, so that 20,000 complaints get two fifths of each.
    let mut planted: BTreeMap<(String, String), usize> = BTreeMap::new();
    for one in truth["planted"].list() {
        let word = |field: &str| one[field].text().to_owned();
        *planted.entry((word("kind"), word("subject"))).or_default() += 1;
    }
    let expected = [
        ("BLAMES_SYSTEM", "BRANCH", 2),
        ("BUSY", "OFFICER", 16),
        ("CAMPAIGN", "OFFICER", 8),
        ("FEUD", "OFFICER", 8),
        ("LATE", "BRANCH", 2),
        ("RECURRENT", "BRANCH", 4),
        ("RECURRENT", "OFFICER", 64),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|(kind, subject, many)| ((kind.to_owned(), subject.to_owned()), many)).collect();
    assert_eq!(planted, expected);

    // The ratios of the other officers follow a gamma distribution of shape 3: mean 1, variance a third.
    let special: BTreeSet<&str> = truth["planted"].list().iter().filter_map(|one| one["code"].as_str()).collect();
    let ratios: Vec<f64> = truth["officers"]
        .list()
        .iter()
        .filter(|officer| !special.contains(officer["code"].text()))
        .map(|officer| officer["ratio"].number())
        .collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let variance = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / ratios.len() as f64;
    // Branches with ratios of 2 and 4 raise both a little.
    assert!((0.95..1.2).contains(&mean), "mean {mean}");
    assert!((0.25..0.7).contains(&variance), "variance {variance}");
}

/// The number of distinct enterprises alone finds these officers, before the analysis adjusts anything.
#[test]
fn those_who_draw_a_complaint_a_month_are_found_in_five_worlds() {
    let counted = in_parallel(2, &[11, 12, 13, 14, 15], |seed| expected_and_found(*seed));
    let (expected, found) = counted.into_iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(expected >= 20, "only {expected} such officers");
    assert!(found * 100 >= expected * 95, "{found} of {expected} found");
}

/// How many officers of a world draw a complaint a month, and how many of them are flagged.
fn expected_and_found(seed: u32) -> (u32, u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut expected, mut found) = (0, 0);
    let app = TestApp::sqlite().arguments(&["--dev"]).start();
    let truth = generate(&app.database, 12_000, seed, folder.path().join("truth").to_str().expect("a path"));
    program().json(&app.database, &["jobs", "run", "recurrence", "--as-of", "2025-12-31"]);
    let flags = program().json(&app.database, &["flags", "list"]);
    let flags: BTreeMap<&str, &Value> = flags
        .list()
        .iter()
        .filter(|flag| flag["subject"]["kind"] == "OFFICER")
        .map(|flag| (flag["subject"]["code"].text(), flag))
        .collect();
    let recurrent: BTreeSet<&str> = truth["planted"]
        .list()
        .iter()
        .filter(|one| one["kind"] == "RECURRENT" && one["subject"] == "OFFICER")
        .filter_map(|one| one["code"].as_str())
        .collect();
    let board = app.as_role(Role::Board);
    for officer in truth["officers"].list() {
        let code = officer["code"].text();
        let often = officer["expectedPerYear"].number() >= 12.0;
        if !(recurrent.contains(code) && often) {
            continue;
        }
        expected += 1;
        let Some(flag) = flags.get(code).filter(|flag| flag["tier"] != "WATCH") else { continue };
        found += 1;
        // The evidence is every complaint of the year that counts, and no other.
        let query = format!(
            r#"{{ complaints(first: 100, filter: {{officers: {{officer: {{code: {{eq: "{code}"}}}},
                category: {{kind: {{eq: CONDUCT}}}}, not: {{finding: {{in: [UNFOUNDED, EXONERATED]}}}}}},
                receivedAt: {{gte: "2024-12-31T17:00:00Z"}}, not: {{state: {{in: [WITHDRAWN, REJECTED]}}}}}}) {{
                nodes {{ id }} }} }}"#
        );
        let answer = board.data(&query);
        let nodes = answer["complaints"]["nodes"].list().iter();
        let ids: BTreeSet<&str> = nodes.filter_map(|node| node["id"].as_str()).collect();
        let evidence: BTreeSet<&str> = flag["evidence"].list().iter().filter_map(Value::as_str).collect();
        assert_eq!(evidence, ids, "{code} of world {seed}");
    }
    (expected, found)
}

#[test]
fn a_world_and_real_data_are_kept_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    for database in Database::both() {
        let mapping = file(
            folder.path(),
            "map.toml",
            "source = \"test\"\n[fields]\ncode = \"code\"\nkind = \"kind\"\nname_vi = \"name\"\n",
        );
        let units = file(folder.path(), "units.csv", "code,kind,name\n02,PROVINCIAL_DEPARTMENT,Cục\n");
        let (units, mapping) = (units.to_str().expect("a path"), mapping.to_str().expect("a path"));
        let import = ["import", "units", units, "--mapping", mapping];
        program().run(&database, import).ok();
        let refused = program().run(&database, ["generate", "--complaints", "500", "--seed", "1"]);
        assert_eq!(refused.status, 1);
        assert!(refused.err.contains("real data"), "{refused:?}");

        let database = if database.name == "sqlite" { Database::sqlite() } else { Database::postgres() };
        program().run(&database, ["generate", "--complaints", "500", "--seed", "1"]).ok();
        let refused = program().run(&database, ["generate", "--complaints", "500", "--seed", "1"]);
        assert_eq!(refused.status, 1);
        assert!(refused.err.contains("demonstration data already (seed 1"), "{refused:?}");
        let noted = program().run(&database, import);
        assert!(noted.err.contains("demonstration data"), "{noted:?}");
    }
    let database = Database::sqlite();
    for (wrong, word) in [
        (["generate", "--complaints", "5", "--seed", "1"].as_slice(), "between 100 and"),
        (&["generate", "--complaints", "500", "--seed", "1", "--until", "2099-01-01"], "today"),
    ] {
        let refused = program().run(&database, wrong);
        assert_eq!(refused.status, 1);
        assert!(refused.err.contains(word), "{refused:?}");
    }
}

#[derive(QueryableByName)]
struct Definition {
    #[diesel(sql_type = Text)]
    made_by: String,
}

/// Indexes and foreign keys are dropped while the world is stored.
#[test]
fn a_world_has_the_indexes_and_foreign_keys_of_an_empty_register() {
    let database = Database::postgres();
    let db = database.open();
    let definitions = || -> Vec<String> {
        let made_by = "SELECT indexdef AS made_by FROM pg_indexes WHERE schemaname = 'public' UNION ALL \
            SELECT format('%s %s %s %s', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) \
            FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1";
        let found: Result<Vec<Definition>, _> =
            db.read(|conn| Ok(schema::each!(conn, c => diesel::sql_query(made_by).load(c)?)));
        found.expect("definitions").into_iter().map(|one| one.made_by).collect()
    };
    let before = definitions();
    assert!(before.iter().any(|one| one.starts_with("complaint_events ") && one.contains(" t FOREIGN KEY")));
    program().run(&database, ["generate", "--complaints", "300", "--seed", "1"]).ok();
    assert_eq!(definitions(), before);
}

#[test]
fn an_interrupted_world_leaves_nothing() {
    let database = Database::sqlite();
    let mut child = program()
        .command(&database)
        .args(["generate", "--complaints", "200000", "--seed", "1"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    std::thread::sleep(Duration::from_secs(4));
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill");
    let status = child.wait().expect("it ends");
    let mut err = String::new();
    child.stderr.take().expect("its errors").read_to_string(&mut err).expect("text");
    assert_eq!(status.code(), Some(1), "{err}");
    assert!(err.contains("nothing was written"), "{err}");
    program().run(&database, ["generate", "--complaints", "300", "--seed", "1"]).ok();
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// SQLite writes a world without its log and without looking at foreign keys.
#[test]
fn a_killed_world_leaves_nothing_and_the_next_one_is_whole() {
    let database = Database::sqlite();
    program().run(&database, ["migrate"]).ok();
    let journal = database.folder().expect("a folder").join("test.db-journal");
    let mut child = program()
        .command(&database)
        .args(["generate", "--complaints", "200000", "--seed", "1"])
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    wait_until(60, "the journal is begun", || journal.exists());
    std::thread::sleep(Duration::from_secs(1));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    program().run(&database, ["generate", "--complaints", "300", "--seed", "1"]).ok();
    let db = database.open();
    let mode: Setting = db
        .read(|conn| Ok(schema::each!(conn, c => diesel::sql_query("PRAGMA journal_mode").get_result(c)?)))
        .expect("a setting");
    assert_eq!(mode.journal_mode, "wal");
    drop(db);
    // A backup is checked: its pages, and that no row refers to nothing.
    let folder = tempfile::tempdir().expect("a folder");
    program().run(&database, ["backup", folder.path().join("backup.db").to_str().expect("a path")]).ok();
}
