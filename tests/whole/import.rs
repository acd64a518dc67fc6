//! Imports of a register with codes and dates of its own.

use crate::program;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use tests::fixtures::{self, Files};
use tests::{Json, Role, TestApp};

/// The counts of an import's summary.
fn counts(summary: &Value) -> [i64; 6] {
    ["rows", "read", "imported", "updated", "unchanged", "rejected"].map(|name| summary[name].integer())
}

/// Imports a file, which must succeed, and returns the counts of its summary.
#[track_caller]
fn import(app: &TestApp, kind: &str, csv: impl AsRef<[u8]>, mapping: &str) -> [i64; 6] {
    counts(&app.import(kind, csv, mapping))
}

/// All that the API tells of complaints, in one document. Its server ends with the call, so that none runs beside an
/// import.
fn dump(app: &TestApp) -> Value {
    let board = program().token(&app.database, "BOARD", None);
    let server = program().serve(&app.database, &[]);
    server.data(
        &board,
        "{ complaints(orderBy: [{field: RECEIVED_AT}], first: 200) { totalCount nodes {
            id reference receivedAt legalForm channel anonymous enterprise { taxCode name }
            unit { code } department { code } branch { code } team { code } category { code }
            text costVnd delayHours confidential state stateSince version
            officers { officer { code } unit { code } category { code } attribution finding decidedOn }
            responses { totalCount nodes { unit { code } respondedAt text satisfied } } } } }",
    )
}

#[test]
fn a_register_of_other_codes_and_dates_is_the_same_on_both_databases() {
    let dumps: Vec<Value> = TestApp::both().world().into_iter().map(|app| dump(&app)).collect();
    assert_eq!(dumps[0], dumps[1]);
    let complaints = dumps[0]["complaints"]["nodes"].list();
    assert_eq!(complaints.len(), 6);
    let first = &complaints[0];
    assert_eq!(first["receivedAt"], "2024-01-05T00:00:00+07:00");
    assert_eq!(first["costVnd"], "1250000");
    assert_eq!(first["delayHours"], 4.5);
    assert_eq!(first["state"], "ANSWERED");
    assert_eq!(first["department"]["code"], "02");
    assert_eq!(first["officers"][0]["finding"], "SUSTAINED");
    assert_eq!(first["responses"]["totalCount"], 2);
    let second = &complaints[1];
    assert_eq!(second["enterprise"]["taxCode"], "0314409058-002");
    assert_eq!(second["text"], "Nói trống không,\nquát doanh nghiệp", "a quoted line break is text");
    assert_eq!(second["branch"]["code"], "02CV", "the branch above the team");
    let third = &complaints[2];
    assert_eq!(third["officers"].list().len(), 2, "rows that lie apart are one complaint");
    assert_eq!(
        (&third["unit"]["code"], &third["category"]["code"]),
        (&json!("02DS"), &json!("TD1")),
        "of the lowest row"
    );
    assert_eq!(complaints[3]["anonymous"], true);
    assert_eq!(complaints[4]["state"], "ASSIGNED", "a dissatisfied enterprise reopens");
    assert_eq!(complaints[5]["confidential"], true);
}

#[test]
fn the_same_file_again_changes_nothing_and_neither_does_its_order() {
    for app in TestApp::both().world() {
        let before = dump(&app);
        for (kind, csv, mapping) in [
            ("units", fixtures::UNITS, fixtures::UNITS_MAP),
            ("officers", fixtures::OFFICERS, fixtures::OFFICERS_MAP),
            ("postings", fixtures::POSTINGS, fixtures::POSTINGS_MAP),
            ("categories", fixtures::CATEGORIES, fixtures::CATEGORIES_MAP),
            ("responses", fixtures::RESPONSES, fixtures::RESPONSES_MAP),
        ] {
            let again = import(&app, kind, csv, mapping);
            assert_eq!((again[2], again[3]), (0, 0), "{kind} on {}", app.database.name);
        }
        // One record has two lines: they are joined before the records are put in reverse order.
        let mut records: Vec<String> = fixtures::COMPLAINTS.lines().map(str::to_owned).collect();
        let rest = records.remove(3);
        records[2] += &format!("\n{rest}");
        records[1..].reverse();
        for csv in [fixtures::COMPLAINTS.to_owned(), records.join("\n")] {
            let again = import(&app, "complaints", csv, fixtures::COMPLAINTS_MAP);
            assert_eq!(again, [7, 6, 0, 0, 6, 0], "{}", app.database.name);
        }
        assert_eq!(dump(&app), before);
    }
}

#[test]
fn a_changed_complaint_is_an_update_that_replaces_its_officers_and_keeps_what_is_ours() {
    for app in TestApp::both().world() {
        // PA-1 is now against another officer and has another cost. The file does not know the response to it.
        let changed = fixtures::COMPLAINTS.replace(
            "PA-1;05/01/2024;0100233488;Công ty A;02CV;CC01;TD2;Đ;20/02/2024;1.250.000",
            "PA-1;05/01/2024;0100233488;Công ty A;02CV;CC03;TD2;S;21/02/2024;2.000.000",
        );
        assert_eq!(import(&app, "complaints", &changed, fixtures::COMPLAINTS_MAP), [7, 6, 0, 1, 5, 0]);
        let first = dump(&app)["complaints"]["nodes"][0].clone();
        assert_eq!(first["officers"].list().len(), 1);
        assert_eq!(first["officers"][0]["officer"]["code"], "CC03");
        assert_eq!(first["officers"][0]["finding"], "NOT_SUSTAINED");
        assert_eq!(first["costVnd"], "2000000");
        assert_eq!(first["state"], "ANSWERED");
        let back = import(&app, "complaints", fixtures::COMPLAINTS, fixtures::COMPLAINTS_MAP);
        assert_eq!(back[3], 1, "a correction can be taken back");
    }
}

#[test]
fn a_dry_run_says_what_would_be_and_writes_nothing() {
    for app in TestApp::both() {
        let files = Files::new();
        let map = fixtures::COMPLAINTS_MAP
            .replace("[file]", "[missing]\nunit = \"create\"\nofficer = \"create\"\ncategory = \"create\"\n[file]")
            + "[fields.category_kind]\nconstant = \"CONDUCT\"\n";
        let mut dry = files.import("complaints", fixtures::COMPLAINTS, &map);
        dry.push("--dry-run".into());
        assert_eq!(counts(&program().run(&app.database, &dry).ok().json()), [7, 6, 6, 0, 0, 0]);
        let wet = import(&app, "complaints", fixtures::COMPLAINTS, &map);
        assert_eq!(wet, [7, 6, 6, 0, 0, 0], "{}", app.database.name);
    }
}

#[test]
fn standard_input_and_gzip_are_read_like_a_file() {
    let app = TestApp::sqlite().world().start();
    let files = Files::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(fixtures::COMPLAINTS.as_bytes()).unwrap();
    let mut args = files.import("complaints", gzip.finish().unwrap(), fixtures::COMPLAINTS_MAP);
    assert_eq!(counts(&program().run(&app.database, &args).ok().json()), [7, 6, 0, 0, 6, 0]);
    args[2] = "-".into();
    let mut child =
        program().command(&app.database).args(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(fixtures::COMPLAINTS.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counts(&summary), [7, 6, 0, 0, 6, 0]);
}

#[test]
fn a_correction_of_the_tree_moves_complaints_of_the_time_it_is_about() {
    for app in TestApp::both().world() {
        // The express branch belonged to Hải Phòng until the end of January 2024, the seaport branch until 5 January.
        let corrected = "\
ma,ten,cap,cha,nhom,tu,den
02DS,Chi cục HQ Chuyển phát nhanh,BRANCH,03,AIRPORT,01/01/2020,31/01/2024
02DS,Chi cục HQ Chuyển phát nhanh,BRANCH,02,AIRPORT,01/02/2024,
02CV,Chi cục HQ CK cảng Sài Gòn KV I,BRANCH,03,SEAPORT,01/01/2020,05/01/2024
02CV,Chi cục HQ CK cảng Sài Gòn KV I,BRANCH,02,SEAPORT,06/01/2024,
";
        let mapping = fixtures::UNITS_MAP.replace("[fields]", "complete = true\n[fields]");
        assert_eq!(import(&app, "units", corrected, &mapping), [4, 2, 0, 2, 0, 0], "{}", app.database.name);
        let dump = dump(&app);
        let departments: Vec<_> =
            dump["complaints"]["nodes"].list().iter().map(|c| c["department"]["code"].clone()).collect();
        assert_eq!(
            departments,
            ["03", "02", "02", "03", "02", "02"],
            "PA-1 of 5 January moved, PA-2 of the 6th did not"
        );
    }
}

#[test]
fn adjacent_rows_are_taken_at_their_word_and_a_broken_promise_is_told() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let mapping =
            fixtures::COMPLAINTS_MAP.replace("[file]", "[file]\nrows = \"adjacent\"").replace("duong-day-nong", "khac");
        let result = program().run(&app.database, files.import("complaints", fixtures::COMPLAINTS, &mapping));
        assert_eq!(result.status, 3, "{result:?}");
        assert_eq!(result.json()["rejected"], 1);
        assert!(result.err.contains("not adjacent"), "{}", result.err);
    }
}

#[test]
fn an_import_killed_in_the_middle_is_run_again_to_the_same_end() {
    let files = Files::new();
    let mut csv = fixtures::COMPLAINTS.lines().next().unwrap().to_owned() + "\n";
    // Four batches, of which the first two are stored before the kill.
    for n in 0..20_000 {
        let day = 1 + n % 28;
        csv += &format!("KX-{n};{day:02}/05/2023;0100233488;A;02CV;CC01;TD1;;;{n};1;Phản ánh số {n};\n");
    }
    for app in TestApp::both().world() {
        let args = files.import("complaints", &csv, fixtures::COMPLAINTS_MAP);
        let mut child = program().command(&app.database).args(&args).stdout(Stdio::null()).spawn().unwrap();
        let db = app.database.open();
        let position = || db.read(schema::db::dialect::current_position).unwrap();
        let before = position();
        while position() < before + 2 {
            assert!(child.try_wait().unwrap().is_none(), "the import ended before it could be killed");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let summary = program().run(&app.database, &args).ok().json();
        let [rows, read, imported, updated, unchanged, rejected] = counts(&summary);
        assert_eq!((rows, read, updated, rejected), (20_000, 20_000, 0, 0));
        assert!(imported > 0 && unchanged >= 5_000 && imported + unchanged == 20_000, "{summary}");
        assert_eq!(counts(&program().run(&app.database, &args).ok().json())[4], 20_000);
    }
}

/// A batch is written while the next is read, whose rejects wait for those of the batch.
#[test]
fn rejects_are_in_the_order_of_the_file() {
    let mut csv = fixtures::COMPLAINTS.lines().next().unwrap().to_owned() + "\n";
    let mut bad = Vec::new();
    for n in 0..12_000 {
        let (reference, officer, more) = match n {
            // Known to be bad by the register, by the reader, by the shape, and by the register again.
            10 | 4_000 | 11_000 | 11_900 => (format!("KX-{n}"), "CC99", ""),
            6_000 | 6_001 | 7_000 => (String::new(), "CC01", ""),
            9_000 => (format!("KX-{n}"), "CC01", ";one more"),
            _ => (format!("KX-{n}"), "CC01", ""),
        };
        if officer == "CC99" || reference.is_empty() || !more.is_empty() {
            bad.push((n + 2).to_string());
        }
        csv += &format!("{reference};05/05/2023;0100233488;A;02CV;{officer};TD1;;;{n};1;Phản ánh số {n};{more}\n");
    }
    let files = Files::new();
    let mapping = fixtures::COMPLAINTS_MAP.replace("[file]", "[file]\nrows = \"adjacent\"");
    for app in TestApp::both().world() {
        let rejects = files.path().join("rejects.csv");
        let mut args = files.import("complaints", &csv, &mapping);
        args.extend(["--rejects".to_owned(), rejects.display().to_string()]);
        for imported in [11_992, 0] {
            let result = program().run(&app.database, &args);
            assert_eq!(result.status, 3, "{result:?}");
            assert_eq!(counts(&result.json()), [12_000, 12_000, imported, 0, 11_992 - imported, 8]);
            let rejected = std::fs::read_to_string(&rejects).unwrap();
            let rows: Vec<&str> = rejected.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
            assert_eq!(rows, bad, "{}", app.database.name);
        }
    }
}

#[test]
fn a_mapping_leaves_alone_what_it_does_not_speak_of() {
    for app in TestApp::both().world() {
        let before = dump(&app);
        let part = r#"
source = "duong-day-nong"
[file]
delimiter = ";"
[fields]
reference = "so_pa"
received = { column = "ngay_nhan", format = "%d/%m/%Y" }
cost_vnd = { column = "chi_phi", thousands = "." }
"#;
        // This mapping reads fewer columns, so that every complaint has another hash; what is stored stays the same.
        let counts = import(&app, "complaints", fixtures::COMPLAINTS, part);
        assert_eq!(counts[3], 0, "{counts:?}");
        assert_eq!(dump(&app), before, "{}", app.database.name);
        let no_finding = fixtures::COMPLAINTS_MAP
            .split("[fields.finding]")
            .next()
            .unwrap()
            .replace("decided = { column = \"ngay_kl\", formats = [\"%d/%m/%Y\"] }\n", "");
        import(&app, "complaints", fixtures::COMPLAINTS, &no_finding);
        assert_eq!(dump(&app), before, "findings stay");
        let without_group = "source = \"x\"\n[fields]\ntax_code = \"mst\"\nname = \"ten\"\n";
        let enterprises = "mst,ten,nhom\n0100233488,Công ty A,G1\n";
        import(&app, "enterprises", enterprises, &format!("{without_group}group = \"nhom\"\n"));
        import(&app, "enterprises", enterprises.replace("Công ty A", "Công ty AA"), without_group);
        let board = app.as_role(Role::Board);
        let data = board.data("{ enterprises(filter: {taxCode: {eq: \"0100233488\"}}) { nodes { name groupCode } } }");
        assert_eq!(data["enterprises"]["nodes"][0], json!({ "name": "Công ty AA", "groupCode": "G1" }));
    }
}

/// SQLite has one writer at a time. PostgreSQL has several, and there the import has to wait for the other.
#[test]
fn an_import_does_not_overwrite_concurrent_changes() {
    use diesel::connection::SimpleConnection;
    let app = TestApp::postgres().world().start();
    let mut other = <diesel::PgConnection as diesel::Connection>::establish(&app.database.url).unwrap();
    other
        .batch_execute("BEGIN; UPDATE complaints SET state = 'ANSWERED', version = version + 1 WHERE text = 'Ẩn danh'")
        .unwrap();
    let files = Files::new();
    let changed = fixtures::COMPLAINTS.replace("Ẩn danh", "Giấu tên");
    let args = files.import("complaints", changed, fixtures::COMPLAINTS_MAP);
    let mut child = program().command(&app.database).args(&args).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    other.batch_execute("COMMIT").unwrap();
    assert!(child.wait().unwrap().success());
    let fourth = dump(&app)["complaints"]["nodes"][3].clone();
    assert_eq!(
        (&fourth["text"], &fourth["state"], &fourth["version"]),
        (&json!("Giấu tên"), &json!("ANSWERED"), &json!(3))
    );
}
