//! Imports of a register with codes and dates of its own.

use crate::program;
use crate::world::{self, Files};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;
use tests::Database;

fn counts(summary: &Value) -> [u64; 6] {
    ["rows", "read", "imported", "updated", "unchanged", "rejected"].map(|name| summary[name].as_u64().unwrap())
}

/// Everything that is stored of complaints, in one document.
fn dump(database: &Database) -> Value {
    let board = program().token(database, "BOARD", None);
    let server = program().serve(database, &[]);
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
    let dumps = Database::both().map(|database| {
        world::fill(&database);
        dump(&database)
    });
    assert_eq!(dumps[0], dumps[1]);
    let complaints = dumps[0]["complaints"]["nodes"].as_array().unwrap();
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
    assert_eq!(third["officers"].as_array().unwrap().len(), 2, "rows that lie apart are one complaint");
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
    for database in Database::both() {
        world::fill(&database);
        let before = dump(&database);
        let files = Files::new();
        for (kind, csv, mapping) in [
            ("units", world::UNITS, world::UNITS_MAP),
            ("officers", world::OFFICERS, world::OFFICERS_MAP),
            ("postings", world::POSTINGS, world::POSTINGS_MAP),
            ("categories", world::CATEGORIES, world::CATEGORIES_MAP),
            ("responses", world::RESPONSES, world::RESPONSES_MAP),
        ] {
            let again = program().run(&database, files.import(kind, csv, mapping)).ok().json();
            assert_eq!((counts(&again)[2], counts(&again)[3]), (0, 0), "{kind} on {}", database.name);
        }
        // The one record of two lines makes this no matter of lines.
        let mut records: Vec<String> = world::COMPLAINTS.lines().map(str::to_owned).collect();
        let rest = records.remove(3);
        records[2] += &format!("\n{rest}");
        records[1..].reverse();
        for csv in [world::COMPLAINTS.to_owned(), records.join("\n")] {
            let again = program().run(&database, files.import("complaints", csv, world::COMPLAINTS_MAP)).ok().json();
            assert_eq!(counts(&again), [7, 6, 0, 0, 6, 0], "{}", database.name);
        }
        assert_eq!(dump(&database), before);
    }
}

#[test]
fn a_changed_complaint_is_an_update_that_replaces_its_officers_and_keeps_what_is_ours() {
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        // PA-1 against another officer, at another cost; answered here, which the file does not know.
        let changed = world::COMPLAINTS.replace(
            "PA-1;05/01/2024;0100233488;Công ty A;02CV;CC01;TD2;Đ;20/02/2024;1.250.000",
            "PA-1;05/01/2024;0100233488;Công ty A;02CV;CC03;TD2;S;21/02/2024;2.000.000",
        );
        let summary = program().run(&database, files.import("complaints", &changed, world::COMPLAINTS_MAP)).ok().json();
        assert_eq!(counts(&summary), [7, 6, 0, 1, 5, 0]);
        let first = dump(&database)["complaints"]["nodes"][0].clone();
        assert_eq!(first["officers"].as_array().unwrap().len(), 1);
        assert_eq!(first["officers"][0]["officer"]["code"], "CC03");
        assert_eq!(first["officers"][0]["finding"], "NOT_SUSTAINED");
        assert_eq!(first["costVnd"], "2000000");
        assert_eq!(first["state"], "ANSWERED");
        let back = program().run(&database, files.import("complaints", world::COMPLAINTS, world::COMPLAINTS_MAP)).ok();
        assert_eq!(counts(&back.json())[3], 1, "a correction can be taken back");
    }
}

#[test]
fn a_dry_run_says_what_would_be_and_writes_nothing() {
    for database in Database::both() {
        let files = Files::new();
        let map = world::COMPLAINTS_MAP
            .replace("[file]", "[missing]\nunit = \"create\"\nofficer = \"create\"\ncategory = \"create\"\n[file]")
            + "[fields.category_kind]\nconstant = \"CONDUCT\"\n";
        let mut dry = files.import("complaints", world::COMPLAINTS, &map);
        dry.push("--dry-run".into());
        assert_eq!(counts(&program().run(&database, &dry).ok().json()), [7, 6, 6, 0, 0, 0]);
        let wet = files.import("complaints", world::COMPLAINTS, &map);
        assert_eq!(counts(&program().run(&database, &wet).ok().json()), [7, 6, 6, 0, 0, 0], "{}", database.name);
    }
}

#[test]
fn standard_input_and_gzip_are_read_like_a_file() {
    let database = Database::sqlite();
    world::fill(&database);
    let files = Files::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(world::COMPLAINTS.as_bytes()).unwrap();
    let mut args = files.import("complaints", gzip.finish().unwrap(), world::COMPLAINTS_MAP);
    assert_eq!(counts(&program().run(&database, &args).ok().json()), [7, 6, 0, 0, 6, 0]);
    args[2] = "-".into();
    let mut child =
        program().command(&database).args(&args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(world::COMPLAINTS.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counts(&summary), [7, 6, 0, 0, 6, 0]);
}

#[test]
fn a_correction_of_the_tree_moves_complaints_of_the_time_it_is_about() {
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        // The express branch belonged to Hải Phòng until the end of January 2024.
        let corrected = "\
ma,ten,cap,cha,nhom,tu,den
02DS,Chi cục HQ Chuyển phát nhanh,BRANCH,03,AIRPORT,01/01/2020,31/01/2024
02DS,Chi cục HQ Chuyển phát nhanh,BRANCH,02,AIRPORT,01/02/2024,
02CV,Chi cục HQ CK cảng Sài Gòn KV I,BRANCH,03,SEAPORT,01/01/2020,05/01/2024
02CV,Chi cục HQ CK cảng Sài Gòn KV I,BRANCH,02,SEAPORT,06/01/2024,
";
        let mapping = world::UNITS_MAP.replace("[fields]", "complete = true\n[fields]");
        let summary = program().run(&database, files.import("units", corrected, &mapping)).ok().json();
        assert_eq!(counts(&summary), [4, 2, 0, 2, 0, 0], "{}", database.name);
        let dump = dump(&database);
        let departments: Vec<_> =
            dump["complaints"]["nodes"].as_array().unwrap().iter().map(|c| c["department"]["code"].clone()).collect();
        assert_eq!(
            departments,
            ["03", "02", "02", "03", "02", "02"],
            "PA-1 of 5 January moved, PA-2 of the 6th did not"
        );
    }
}

#[test]
fn adjacent_rows_are_taken_at_their_word_and_a_broken_promise_is_told() {
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        let mapping =
            world::COMPLAINTS_MAP.replace("[file]", "[file]\nrows = \"adjacent\"").replace("duong-day-nong", "khac");
        let result = program().run(&database, files.import("complaints", world::COMPLAINTS, &mapping));
        assert_eq!(result.status, 3, "{result:?}");
        assert_eq!(result.json()["rejected"], 1);
        assert!(result.err.contains("not adjacent"), "{}", result.err);
    }
}

#[test]
fn an_import_killed_in_the_middle_is_run_again_to_the_same_end() {
    let files = Files::new();
    let mut csv = world::COMPLAINTS.lines().next().unwrap().to_owned() + "\n";
    for n in 0..40_000 {
        let day = 1 + n % 28;
        csv += &format!("KX-{n};{day:02}/05/2023;0100233488;A;02CV;CC01;TD1;;;{n};1;Phản ánh số {n};\n");
    }
    for database in Database::both() {
        world::fill(&database);
        let args = files.import("complaints", &csv, world::COMPLAINTS_MAP);
        let mut child = program().command(&database).args(&args).stdout(Stdio::null()).spawn().unwrap();
        let db = database.open();
        let position = || db.read(schema::db::dialect::current_position).unwrap();
        let before = position();
        while position() < before + 2 {
            assert!(child.try_wait().unwrap().is_none(), "the import ended before it could be killed");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let summary = program().run(&database, &args).ok().json();
        let [rows, read, imported, updated, unchanged, rejected] = counts(&summary);
        assert_eq!((rows, read, updated, rejected), (40_000, 40_000, 0, 0));
        assert!(imported > 0 && unchanged >= 5_000 && imported + unchanged == 40_000, "{summary}");
        assert_eq!(counts(&program().run(&database, &args).ok().json())[4], 40_000);
    }
}

#[test]
fn a_mapping_leaves_alone_what_it_does_not_speak_of() {
    for database in Database::both() {
        world::fill(&database);
        let before = dump(&database);
        let files = Files::new();
        let part = "source = \"duong-day-nong\"\n[file]\ndelimiter = \";\"\n[fields]\nreference = \"so_pa\"\nreceived = { column = \"ngay_nhan\", format = \"%d/%m/%Y\" }\ncost_vnd = { column = \"chi_phi\", thousands = \".\" }\n";
        // Every hash differs, since the file now says less; what is stored does not.
        let summary = program().run(&database, files.import("complaints", world::COMPLAINTS, part)).ok().json();
        assert_eq!(counts(&summary)[3], 0, "{summary}");
        assert_eq!(dump(&database), before, "{}", database.name);
        let no_finding = world::COMPLAINTS_MAP
            .split("[fields.finding]")
            .next()
            .unwrap()
            .replace("decided = { column = \"ngay_kl\", formats = [\"%d/%m/%Y\"] }\n", "");
        program().run(&database, files.import("complaints", world::COMPLAINTS, &no_finding)).ok();
        assert_eq!(dump(&database), before, "findings stay");
        let enterprises = "mst,ten,nhom\n0100233488,Công ty A,G1\n";
        program()
            .run(
                &database,
                files.import(
                    "enterprises",
                    enterprises,
                    "source = \"x\"\n[fields]\ntax_code = \"mst\"\nname = \"ten\"\ngroup = \"nhom\"\n",
                ),
            )
            .ok();
        let renamed = enterprises.replace("Công ty A", "Công ty AA");
        program()
            .run(
                &database,
                files.import("enterprises", renamed, "source = \"x\"\n[fields]\ntax_code = \"mst\"\nname = \"ten\"\n"),
            )
            .ok();
        let board = program().token(&database, "BOARD", None);
        let data = program()
            .serve(&database, &[])
            .data(&board, "{ enterprises(filter: {taxCode: {eq: \"0100233488\"}}) { nodes { name groupCode } } }");
        assert_eq!(data["enterprises"]["nodes"][0], json!({ "name": "Công ty AA", "groupCode": "G1" }));
    }
}

/// On SQLite there is one writer; on PostgreSQL the import has to wait for the other.
#[test]
fn an_import_does_not_overwrite_what_somebody_writes_meanwhile() {
    use diesel::connection::SimpleConnection;
    let database = Database::postgres();
    world::fill(&database);
    let mut other = <diesel::PgConnection as diesel::Connection>::establish(&database.url).unwrap();
    other
        .batch_execute("BEGIN; UPDATE complaints SET state = 'ANSWERED', version = version + 1 WHERE text = 'Ẩn danh'")
        .unwrap();
    let files = Files::new();
    let changed = world::COMPLAINTS.replace("Ẩn danh", "Giấu tên");
    let args = files.import("complaints", changed, world::COMPLAINTS_MAP);
    let mut child = program().command(&database).args(&args).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    other.batch_execute("COMMIT").unwrap();
    assert!(child.wait().unwrap().success());
    let fourth = dump(&database)["complaints"]["nodes"][3].clone();
    assert_eq!(
        (&fourth["text"], &fourth["state"], &fourth["version"]),
        (&json!("Giấu tên"), &json!("ANSWERED"), &json!(3))
    );
}
