//! The real register: its facts on both databases, and a run of the past derived again.

use crate::program;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use tests::fixtures::{self, Files};
use tests::{Database, Json, Program, Server, cpdp, project};

/// Each anonymous complaint as an enterprise of its own: the register names no complainant.
const RULES: &str = "version = \"anonymous-own\"\nanonymous = \"own_enterprise\"\n";

#[test]
fn the_real_register_gives_its_facts_and_its_past_on_both_databases() {
    let Some(file) = cpdp() else { return };
    // Both databases at once: each takes its time in another place.
    let hashes: Vec<String> = std::thread::scope(|scope| {
        let runs = Database::both().map(|database| {
            let file = &file;
            scope.spawn(move || one_database(&database, file))
        });
        runs.into_iter().map(|run| run.join().expect("no assertion failed")).collect()
    });
    assert_eq!(hashes[0], hashes[1], "the same hash on both databases");
}

fn one_database(database: &Database, file: &Path) -> String {
    let phananh = program();
    let mapping = project().join("docs/mappings/cpdp.toml");
    let import = |csv: &Path, mapping: &Path| {
        let args = ["import", "complaints", csv.to_str().unwrap(), "--mapping", mapping.to_str().unwrap()];
        phananh.json(database, &args)
    };
    assert_eq!(import(file, &mapping), summary(125_581, 67_446, [67_446, 0, 0]));
    assert_eq!(import(file, &mapping), summary(125_581, 67_446, [0, 0, 67_446]), "the same file again");
    let files = Files::new();
    let shuffled = files.put("shuffled.csv", shuffled(file));
    assert_eq!(import(&shuffled, &mapping), summary(125_581, 67_446, [0, 0, 67_446]), "shuffled");

    facts(&phananh, database);
    rules_try(&phananh, database);
    past(&phananh, database, file, &files)
}

fn summary(rows: u64, read: u64, [imported, updated, unchanged]: [u64; 3]) -> Value {
    json!({ "rows": rows, "read": read, "imported": imported, "updated": updated, "unchanged": unchanged, "rejected": 0 })
}

fn plain(file: &Path) -> Vec<String> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The rows in an order that has nothing to do with the file's.
fn shuffled(file: &Path) -> String {
    let mut lines = plain(file);
    let header = lines.remove(0);
    let n = lines.len();
    for at in (1..n).rev() {
        // A linear congruence is as good as any disorder here, and always the same.
        let other =
            (at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 11) % (at + 1);
        lines.swap(at, other);
    }
    lines.insert(0, header);
    lines.join("\n")
}

/// The facts of the register's README.
fn facts(phananh: &Program, database: &Database) {
    let token = phananh.token(database, "BOARD", None);
    let server = phananh.serve(database, &["--dev"]);
    let data = server.data(
        &token,
        "{ complaints { totalCount } officers { totalCount } issueCategories { totalCount } units { totalCount }
           open: complaints(filter: {state: {ne: CLOSED}}) { totalCount }
           anonymous: complaints(filter: {anonymous: {eq: true}}) { totalCount }
           enterprises { totalCount }
           occurredLater: complaintStatistics { rows { complaints distinctEnterprises } } }",
    );
    assert_eq!(data["complaints"]["totalCount"], 67_446);
    assert_eq!(data["officers"]["totalCount"], 16_021);
    assert_eq!(data["issueCategories"]["totalCount"], 124);
    assert_eq!(data["units"]["totalCount"], 162);
    assert_eq!(data["open"]["totalCount"], 1_207);
    assert_eq!(data["anonymous"]["totalCount"], 67_446, "every complaint is anonymous");
    assert_eq!(data["enterprises"]["totalCount"], 0);
    assert_eq!(data["occurredLater"]["rows"][0], json!({ "complaints": 67_446, "distinctEnterprises": 0 }));
    rows(&server, &token);
}

/// What the README says of rows, from every complaint with its allegations.
fn rows(server: &Server, token: &str) {
    let mut findings: BTreeMap<String, u64> = BTreeMap::new();
    let (mut allegations, mut no_category, mut no_unit, mut open, mut closed_early, mut received_early) =
        (0, 0, 0, 0, 0, 0);
    let (mut several_categories, mut several_units, mut pages) = (0, 0, 0);
    let mut after = Value::Null;
    loop {
        let data = server.data_with(
            token,
            "query ($after: String) { complaints(first: 200, after: $after) { pageInfo { hasNextPage endCursor }
               nodes { receivedAt occurredAt officers { officer { code } category { code } unit { code } decidedOn sourceCodes } } } }",
            &json!({ "after": after }),
        );
        pages += 1;
        for complaint in data["complaints"]["nodes"].list() {
            let officers = complaint["officers"].list();
            let received = complaint["receivedAt"].text();
            let distinct = |name: &str| {
                let codes = officers.iter().filter_map(|row| row[name]["code"].as_str());
                codes.collect::<std::collections::BTreeSet<_>>().len()
            };
            several_categories += u64::from(distinct("category") > 1);
            several_units += u64::from(distinct("unit") > 1);
            for row in officers {
                allegations += 1;
                let finding = row["sourceCodes"]["final_finding"].as_str().unwrap_or_default();
                *findings.entry(finding.to_owned()).or_default() += 1;
                no_category += u64::from(row["category"].is_null());
                no_unit += u64::from(row["unit"].is_null());
                open += u64::from(row["decidedOn"].is_null());
                closed_early += u64::from(row["decidedOn"].as_str().is_some_and(|day| day < &received[..10]));
                received_early += u64::from(complaint["occurredAt"].as_str().is_some_and(|day| received < day));
            }
        }
        if data["complaints"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = data["complaints"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(pages, 67_446 / 200 + 1);
    assert_eq!(allegations, 125_581);
    let expected = [
        ("", 7_630),
        ("DIS", 12),
        ("EX", 8_454),
        ("NAF", 32_704),
        ("NC", 47),
        ("NS", 39_672),
        ("SU", 8_142),
        ("UN", 28_920),
    ];
    assert_eq!(findings, expected.map(|(code, n)| (code.to_owned(), n)).into());
    assert_eq!((open, closed_early, received_early), (2_385, 17, 6));
    assert_eq!((no_category, no_unit), (2_002, 11));
    assert_eq!((several_categories, several_units), (1_282, 25_539));
}

fn rules_try(phananh: &Program, database: &Database) {
    let reached = phananh.json(database, &["rules", "try", "--min", "3", "--days", "365"]);
    assert_eq!(reached["subjects"], 7_160);
    let years: BTreeMap<i64, i64> =
        reached["byYear"].list().iter().map(|year| (year["year"].integer(), year["subjects"].integer())).collect();
    let expected_by_year = [(2000, 1_119), (2001, 1_184), (2002, 934), (2015, 131), (2016, 39)];
    for (year, subjects) in expected_by_year {
        assert_eq!(years[&year], subjects, "{year}");
    }
    assert_eq!(years.values().sum::<i64>(), 7_160);
    let reached = phananh.json(database, &["rules", "try", "--min", "2", "--days", "90"]);
    assert_eq!(reached["subjects"], 8_332);
    let enterprises = phananh.json(database, &["rules", "try", "--min", "2", "--days", "90", "--count", "enterprises"]);
    assert_eq!(enterprises, json!({ "subjects": 0, "byYear": [] }), "no enterprise is named");
}

/// A run as of 2010-12-31, then more than 10,000 later changes, then the run again.
fn past(phananh: &Program, database: &Database, file: &Path, files: &Files) -> String {
    // Complaints whose unit is known by posting alone, under a tree of departments.
    let import = |kind: &str, csv: &str, mapping: &str| fixtures::import(database, kind, csv, mapping);
    let tree = |of: fn(usize) -> usize| {
        let mut csv = "code,name,kind,parent,from\n".to_owned();
        for department in 0..4 {
            csv += &format!("D{department},Department {department},PROVINCIAL_DEPARTMENT,,\n");
        }
        for unit in 1..=25 {
            csv += &format!("{unit},District {unit},BRANCH,D{},\n", of(unit));
        }
        for team in 0..60 {
            csv += &format!("T{team},Team {team},TEAM,{},\n", 1 + of(team + 7) * 5 + team % 5);
        }
        csv
    };
    let units_map = "source = \"units\"\n[fields]\ncode = \"code\"\nname_vi = \"name\"\nkind = \"kind\"\nparent = \"parent\"\nvalid_from = \"from\"\n";
    import("units", &tree(|n| n % 4), units_map);
    let postings = |of: fn(usize) -> usize| {
        let mut csv = "officer,unit\n".to_owned();
        for officer in 1..=400 {
            csv += &format!("{officer},T{}\n", of(officer) % 60);
        }
        csv
    };
    let postings_map = "source = \"postings\"\ncomplete = true\n[fields]\nofficer = \"officer\"\nunit = \"unit\"\n";
    import("postings", &postings(|n| n), postings_map);
    let posted: Vec<String> =
        (0..800).map(|n| format!("P{n},{},2010-{:02}-{:02},{n}", 1 + n % 400, 1 + n % 12, 1 + n % 28)).collect();
    let posted_map = "source = \"posted\"\n[fields]\nreference = \"id\"\nofficer = \"officer\"\nreceived = \"day\"\ncategory = { constant = \"01A\" }\nattribution = { constant = \"CONFIRMED\" }\ncost_vnd = \"cost\"\n";
    import("complaints", &format!("id,officer,day,cost\n{}", posted.join("\n")), posted_map);

    let rules = files.put("rules.toml", RULES);
    let rules = rules.to_str().unwrap();
    let run = phananh.json(database, &["jobs", "run", "recurrence", "--as-of", "2010-12-31", "--rules", rules]);
    let (id, hash) = (run["run"].text(), run["hash"].text().to_owned());
    assert!(run["summary"]["flagged"].integer() > 500, "{run}");
    let flags = phananh.json(database, &["flags", "list"]);
    assert_eq!(flags.list().len() as i64, run["summary"]["flagged"].integer());
    check_a_flag(phananh, database, file, &flags);
    let reproduce = |known_at: &[&str]| {
        let args = [&["flags", "reproduce", id], known_at, &["--format", "json"]].concat();
        let result = phananh.run(database, args);
        (result.status, result.json())
    };
    assert_eq!(reproduce(&[]).1["reproduced"], true, "before any change");

    let before = database.position();
    later_changes(phananh, database, file, files);
    import("units", &tree(|n| (n + 1) % 4), units_map);
    import("postings", &postings(|n| n * 7 + 3), postings_map);
    let corrected: Vec<String> = posted.iter().map(|row| row.replace("P7", "Q7").replace(",2010-", ",2009-")).collect();
    import("complaints", &format!("id,officer,day,cost\n{}", corrected.join("\n")), posted_map);
    assert!(events_after(database, before) > 10_000, "{} changes", events_after(database, before));

    let (status, again) = reproduce(&[]);
    assert_eq!((status, &again["reproduced"], &again["firstDifference"]), (0, &json!(true), &Value::Null), "{again}");
    assert_eq!(again["derivedHash"], hash.as_str());
    let (status, now) = reproduce(&["--known-at", "now"]);
    assert_eq!((status, &now["reproduced"]), (1, &json!(false)));
    assert_ne!(now["derivedHash"], hash.as_str());
    assert!(
        now["firstDifference"].text().starts_with("inputs: the allegations of complaints received in 2000-0"),
        "{now}"
    );
    hash
}

/// An officer's numbers, recounted from the file.
fn check_a_flag(phananh: &Program, database: &Database, file: &Path, flags: &Value) {
    let gravest = flags.list().iter().find(|flag| flag["tier"] == "SUSPENSION_REVIEW").unwrap();
    let code = gravest["subject"]["code"].text();
    let mut complaints: BTreeMap<String, bool> = BTreeMap::new();
    for line in plain(file).iter().skip(1) {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        let (complaint, officer, category, day, closed, finding) =
            (&row[0], &row[1], &row[5], &row[6], &row[8], &row[11]);
        let cleared = matches!(finding, "UN" | "EX") && !closed.is_empty() && closed <= "2010-12-31";
        if officer == code && ("2010-01-01"..="2010-12-31").contains(&day) && !category.is_empty() && !cleared {
            complaints.insert(complaint.to_owned(), matches!(&category[..2], "03" | "05" | "06" | "08"));
        }
    }
    let shown = phananh.json(database, &["flags", "show", gravest["id"].text()]);
    let year = &shown["numbers"]["windows"][3];
    // Officers 1 to 400 also have complaints of the test's own.
    let own = code.parse::<usize>().map_or(0, |n| if n <= 400 { 2 } else { 0 });
    assert_eq!(year["complaints"], complaints.len() + own, "{shown}");
    assert_eq!(year["serious"], complaints.values().filter(|serious| **serious).count());
    assert_eq!(shown["evidence"].list().len(), complaints.len() + own);
    assert!(shown["reasonVi"].text().contains(&format!("Công chức {code}: trong 365 ngày đến 31/12/2010")));
    assert!(shown["reasonEn"].text().contains(&format!("Officer {code}: in the 365 days to 31 December 2010")));
    assert_eq!(shown["rules"]["version"], "anonymous-own");
}

/// New, corrected and withdrawn complaints, changed findings and categories.
fn later_changes(phananh: &Program, database: &Database, file: &Path, files: &Files) {
    let lines = plain(file);
    let mut csv = lines[0].clone() + ",state\n";
    let mut taken = 0;
    for line in &lines[1..] {
        let id: usize = line[..line.find(',').unwrap()].parse().unwrap();
        let before_2011 = line.contains(",2009-") || line.contains(",2010-") || line.contains(",2000-");
        if !before_2011 || id % 2 == 1 {
            continue;
        }
        taken += 1;
        csv += &match id % 10 {
            0 => format!("{line},WITHDRAWN\n"),
            2 => format!("{},\n", line.replace(",NS,", ",SU,").replace(",SU,600", ",UN,600")),
            4 => format!("{},\n", line.replace(",UN,", ",NS,")),
            6 => format!("{},\n", line.replace("05A-ARRESTEE - DURING ARREST", "01A-USE OF PROFANITY")),
            _ => format!("9{line},\n"),
        };
    }
    assert!(taken > 8_000, "{taken}");
    let mapping = std::fs::read_to_string(project().join("docs/mappings/cpdp.toml")).unwrap();
    let mapping = mapping.replace("channel = {", "state = { column = \"state\", default = \"RECEIVED\" }\nchannel = {");
    let mapping = mapping.replace("closed = {", "state_since = {");
    let result = phananh.run(database, files.import("complaints", &csv, &mapping));
    assert_eq!(result.status, 0, "{result:?}");
    let summary = result.json();
    assert!(summary["imported"].integer() > 500 && summary["updated"].integer() > 3_000, "{summary}");
}

fn events_after(database: &Database, position: i64) -> i64 {
    use diesel::prelude::*;
    use schema::tables::{complaint_events, reference_events};
    database
        .open()
        .read(|conn| {
            let complaints: i64 =
                complaint_events::table.filter(complaint_events::position.gt(position)).count().get_result(conn)?;
            let reference: i64 =
                reference_events::table.filter(reference_events::position.gt(position)).count().get_result(conn)?;
            Ok(complaints + reference)
        })
        .unwrap()
}
