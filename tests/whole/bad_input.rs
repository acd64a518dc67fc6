//! Bad input gets an error that says where the mistake is and what to do about it. The database stays as it was, or
//! becomes what the summary says.

use crate::program;
use std::io::Write;
use tests::fixtures::{self, Files};
use tests::{Database, Finished, Json, TestApp};

/// Imports complaints into the small world on both databases. An import that fails must have written nothing.
#[track_caller]
pub fn import(csv: impl AsRef<[u8]> + Copy, mapping: &str, check: impl Fn(&Finished)) {
    for app in TestApp::both().world() {
        let before = app.database.position();
        let files = Files::new();
        let result = program().run(&app.database, files.import("complaints", csv, mapping));
        check(&result);
        if result.status == 1 {
            assert_eq!(app.database.position(), before, "something was written on {}", app.database.name);
        }
    }
}

#[track_caller]
pub fn fails_with(result: &Finished, words: &[&str]) {
    assert_eq!(result.status, 1, "{result:?}");
    assert_eq!(result.out, "", "nothing but data goes to standard output");
    for word in words {
        assert!(result.err.contains(word), "{word:?} is not in {}", result.err);
    }
}

#[track_caller]
fn rejects_one(result: &Finished, words: &[&str]) {
    assert_eq!(result.status, 3, "{result:?}");
    assert_eq!(result.json()["rejected"], 1, "{result:?}");
    for word in words {
        assert!(result.err.contains(word), "{word:?} is not in {}", result.err);
    }
}

/// The complaints of the world with one more row.
fn with(row: &str) -> String {
    format!("{}{row}\n", fixtures::COMPLAINTS)
}

#[test]
fn a_truncated_gzip() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    for n in 0..20_000u32 {
        gzip.write_all(format!("{};{n}\n", n.wrapping_mul(2_654_435_761)).as_bytes()).unwrap();
    }
    let mut gzip = gzip.finish().unwrap();
    gzip.truncate(gzip.len() / 2);
    let mapping =
        "source = \"x\"\n[file]\ndelimiter = \";\"\n[fields]\nreference = \"0\"\nreceived = { column = \"00\" }\n";
    let mut head = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    head.write_all(b"0;00\n").unwrap();
    let file = [head.finish().unwrap(), gzip].concat();
    import(&file, mapping, |result| fails_with(result, &["complaints.csv, row ", "cut off"]));
}

#[test]
fn a_file_in_another_encoding() {
    let (bytes, _, lossy) = encoding_rs::WINDOWS_1258.encode("so_pa;ngay_nhan;kin\nPA-9;05/01/2024;đ\n");
    assert!(!lossy);
    let mapping = r#"
source = "x"
[file]
delimiter = ";"
[fields]
reference = "so_pa"
received = { column = "ngay_nhan", format = "%d/%m/%Y" }
text = "kin"
"#;
    import(&bytes, mapping, |result| fails_with(result, &["row 2", "\"kin\"", "not UTF-8", "windows-1258"]));
    let right = mapping.replace("[file]", "[file]\nencoding = \"windows-1258\"");
    import(&bytes, &right, |result| assert_eq!(result.status, 0, "{result:?}"));
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain("so_pa;ngay_nhan;kin\nPA-9;05/01/2024;đ\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    import(&utf16, mapping, |result| fails_with(result, &["UTF-16"]));
    let right = mapping.replace("[file]", "[file]\nencoding = \"utf-16le\"");
    import(&utf16, &right, |result| assert_eq!(result.status, 0, "{result:?}"));
}

#[test]
fn a_wrong_date_rejects_its_whole_complaint_and_nothing_else() {
    let csv = with("PA-7;30/02/2024;;;02CV;;TD1;;;;;x;\nPA-7;01/03/2024;;;02CV;CC01;TD1;;;;;x;");
    import(&csv, fixtures::COMPLAINTS_MAP, |result| {
        rejects_one(
            result,
            &[
                "row 10, column \"ngay_nhan\"",
                "30/02/2024",
                "row 11: belongs to \"PA-7\", of which row 10 was rejected",
            ],
        );
        assert_eq!(result.json()["unchanged"], 6);
    });
}

#[test]
fn dates_in_the_future_and_before_the_register() {
    import(&with("PA-7;01/01/2190;;;02CV;;TD1;;;;;x;"), fixtures::COMPLAINTS_MAP, |r| {
        rejects_one(r, &["row 10", "future"])
    });
    import(&with("PA-7;31/12/1969;;;02CV;;TD1;;;;;x;"), fixtures::COMPLAINTS_MAP, |r| {
        rejects_one(r, &["row 10", "1970"])
    });
}

#[test]
fn an_invalid_tax_code() {
    import(&with("PA-7;05/01/2024;0100233480;;02CV;;TD1;;;;;x;"), fixtures::COMPLAINTS_MAP, |result| {
        rejects_one(result, &["row 10, column \"mst\"", "0100233480", "check digit should be 8"]);
    });
}

#[test]
fn an_unknown_unit_officer_category_and_finding() {
    for (row, words) in [
        ("PA-7;05/01/2024;;;99ZZ;;TD1;;;;;x;", ["row 10, column \"don_vi\"", "99ZZ"]),
        ("PA-7;05/01/2024;;;02CV;CC99;TD1;;;;;x;", ["row 10, column \"can_bo\"", "CC99"]),
        ("PA-7;05/01/2024;;;02CV;;XX;;;;;x;", ["row 10, column \"loai\"", "XX"]),
        (
            "PA-7;05/01/2024;;;02CV;;TD1;Q;;;;x;",
            ["row 10, column \"ket_luan\"", "\"Q\" is not in the mapping's values"],
        ),
    ] {
        import(&with(row), fixtures::COMPLAINTS_MAP, |result| rejects_one(result, &words));
    }
}

#[test]
fn an_empty_file_and_a_file_of_a_header_alone() {
    import("", fixtures::COMPLAINTS_MAP, |result| fails_with(result, &["complaints.csv", "is empty"]));
    let header = fixtures::COMPLAINTS.lines().next().unwrap();
    import(header, fixtures::COMPLAINTS_MAP, |result| {
        assert_eq!(result.status, 0, "{result:?}");
        assert_eq!(result.json()["rows"], 0);
    });
}

#[test]
fn a_duplicate_header() {
    let csv = fixtures::COMPLAINTS.replacen("ten_dn", "mst", 1);
    import(&csv, fixtures::COMPLAINTS_MAP, |result| {
        fails_with(result, &["row 1", "columns 3 and 4 are both named \"mst\""])
    });
}

#[test]
fn rows_behind_a_quoted_line_break_keep_their_numbers_and_a_short_row_is_told() {
    import(&with("PA-7;05/01/2024;;"), fixtures::COMPLAINTS_MAP, |result| {
        rejects_one(result, &["row 10", "4 cells where the header has 13"]);
    });
}

#[test]
fn a_line_of_a_hundred_megabytes() {
    let mut csv = with("PA-7;05/01/2024;;;02CV;;TD1;;;;;\"never closed;");
    csv.push_str(&"x".repeat(100 << 20));
    import(&csv, fixtures::COMPLAINTS_MAP, |result| {
        fails_with(result, &["row 10", "longer than 16 MiB", "never closed"]);
    });
}

#[test]
fn rejected_rows_go_to_a_file_with_all_their_cells() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let csv = with("PA-7;05/01/2024;0100233480;Công ty Đ;02CV;;TD1;;;;;\"a; b\";");
    let rejects = files.path().join("rejects.csv");
    let mut args = files.import("complaints", &csv, fixtures::COMPLAINTS_MAP);
    args.extend(["--rejects".into(), rejects.to_str().unwrap().to_owned()]);
    let result = program().run(&database, &args);
    assert_eq!(result.status, 3);
    let written = std::fs::read_to_string(&rejects).unwrap();
    let lines: Vec<_> = written.lines().collect();
    assert_eq!(
        lines[0],
        "row,column,reason,so_pa,ngay_nhan,mst,ten_dn,don_vi,can_bo,loai,ket_luan,ngay_kl,chi_phi,gio,noi_dung,kin"
    );
    assert!(
        lines[1].starts_with("10,mst,") && lines[1].contains("Công ty Đ") && lines[1].contains("a; b"),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 2);
    let full = program().run(&database, [&args[..args.len() - 1], &["/dev/full".to_owned()]].concat());
    assert_eq!(full.status, 1, "{full:?}");
    assert!(full.err.contains("/dev/full"), "{}", full.err);
}

/// A disk that takes no writes, which the test mounts in a mount namespace of its own.
#[test]
fn a_database_that_cannot_be_written_to() {
    let files = Files::new();
    let template = Database::sqlite();
    fixtures::fill(&template);
    let disk = files.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=20m none '{disk}' && cp '{from}'/test.db '{disk}' && mount -o remount,ro '{disk}' && \
         cd '{disk}' && exec '{program}' --database sqlite:test.db flags list",
        disk = disk.display(),
        from = template.folder().unwrap().display(),
        program = program().0.display(),
    );
    let output = std::process::Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &script])
        .output()
        .expect("unshare runs: it belongs to util-linux");
    fails_with(&Finished::of(&output), &["\"test.db\"", "must be able to write to the file and to its folder"]);
    let folder = format!("sqlite:{}", files.path().display());
    let failed = program().run(&template, ["--database", &folder, "flags", "list"]);
    fails_with(&failed, &["is a folder: name a file in it"]);
}

/// A small disk, which the test mounts in a mount namespace of its own.
#[test]
fn a_full_disk() {
    let files = Files::new();
    let mut csv = fixtures::COMPLAINTS.lines().next().unwrap().to_owned() + "\n";
    for n in 0..60_000 {
        csv += &format!("KX-{n};05/05/2023;0100233488;A;02CV;CC01;TD1;;;{n};1;Phản ánh số {n};\n");
    }
    let template = Database::sqlite();
    fixtures::fill(&template);
    let args = files.import("complaints", &csv, fixtures::COMPLAINTS_MAP);
    let disk = files.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let script = format!(
        "mount -t tmpfs -o size=20m none '{disk}' && cp '{from}'/test.db* '{disk}' && cd '{disk}' && \
         '{program}' --database sqlite:test.db {args}; status=$?; cp '{disk}'/test.db* '{files}'; exit $status",
        disk = disk.display(),
        from = template.folder().unwrap().display(),
        program = program().0.display(),
        args = args.iter().map(|arg| format!("'{arg}'")).collect::<Vec<_>>().join(" "),
        files = files.path().display(),
    );
    let output = std::process::Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", &script])
        .output()
        .expect("unshare runs: it belongs to util-linux");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("full") && err.contains("run the same import again"), "{err}");
    assert!(err.contains("stopped after: 60000 rows"), "{err}");
    // The database holds what the summary says, and the next run imports the rest.
    let url = format!("sqlite:{}", files.path().join("test.db").display());
    let again = std::process::Command::new(program().0).args(["--database", &url]).args(&args).output().unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    let (imported, unchanged) = (summary["imported"].integer(), summary["unchanged"].integer());
    assert!(imported > 0 && unchanged > 0, "{summary}");
    assert_eq!(imported + unchanged, 60_000, "{summary}");
    assert!(err.contains(&format!("{unchanged} imported")), "{err} but {summary}");
}

#[test]
fn wrong_usage_has_a_status_of_its_own() {
    let database = Database::sqlite();
    for args in [
        &["import", "complaints"][..],
        &["import", "cats", "x.csv", "--mapping", "x.toml"],
        &["jobs", "run", "recurrence", "--as-of", "31/12/2010"],
        &["rules", "try", "--min", "0", "--days", "365"],
        &["token", "create", "--name", "x", "--role", "KING"],
        &["flags", "reproduce", "not-a-run"],
        &["nonsense"],
    ] {
        let result = program().run(&database, args);
        assert_eq!(result.status, 2, "{args:?}: {result:?}");
        assert_eq!(result.out, "");
    }
    program().run(&database, ["migrate"]).ok();
    for (args, word) in [
        (&["jobs", "run", "nonsense"][..], "jobs list"),
        (&["flags", "show", "nobody"], "flags list"),
        (&["flags", "reproduce", "00000000-0000-0000-0000-000000000000"], "jobs history"),
        (&["token", "create", "--name", "x", "--role", "UNIT_HEAD"], "--unit"),
        (&["import", "units", "no-such.csv", "--mapping", "no-such.toml"], "no-such.toml"),
    ] {
        let result = program().run(&database, args);
        assert_eq!(result.status, 1, "{args:?}: {result:?}");
        assert!(result.err.contains(word), "{args:?}: {}", result.err);
    }
}

#[test]
fn databases_that_cannot_be_used_are_told_by_name() {
    let files = Files::new();
    let text = files
        .put("notes.txt", "this is no database, but a text that is long enough to be looked at as one\n".repeat(40));
    for (url, words) in [
        ("mysql://x/y".to_owned(), ["mysql://x/y", "sqlite:PATH"]),
        (format!("sqlite:{}", text.display()), ["notes.txt", "not a database"]),
        ("sqlite:/no/such/folder/x.db".to_owned(), ["/no/such/folder", "does not exist"]),
        ("postgres://phananh:secret@127.0.0.1:1/x".to_owned(), ["phananh@127.0.0.1:1/x:", "refused"]),
        ("postgres://127.0.0.1:1/x?user=phananh&password=secret".to_owned(), ["127.0.0.1:1/x:", "refused"]),
    ] {
        let result = std::process::Command::new(program().0).args(["--database", &url, "migrate"]).output().unwrap();
        let err = String::from_utf8_lossy(&result.stderr);
        assert_eq!(result.status.code(), Some(1), "{err}");
        assert!(words.iter().all(|word| err.contains(word)), "{err}");
        assert!(!err.contains("secret") && !err.contains("\\n"), "{err}");
    }
}

#[test]
fn rows_are_numbered_as_an_editor_does_also_with_windows_line_ends_and_blank_lines() {
    let csv = with("\n\nPA-7;30/02/2024;;;02CV;;TD1;;;;;x;");
    import(&csv, fixtures::COMPLAINTS_MAP, |result| rejects_one(result, &["row 12, column"]));
    let csv = csv.replace('\n', "\r\n");
    import(&csv, fixtures::COMPLAINTS_MAP, |result| {
        rejects_one(result, &["row 12, column"]);
        assert_eq!(result.json()["rows"], 8);
    });
}

#[test]
fn a_quote_that_is_never_closed_in_a_small_file() {
    import(
        &with("PA-7;05/01/2024;;;02CV;;TD1;;;;;\"never closed;\nPA-8;05/01/2024;;;02CV;;TD1;;;;;x;"),
        fixtures::COMPLAINTS_MAP,
        |result| {
            fails_with(result, &["row 10", "never closed"]);
        },
    );
}

#[test]
fn reject_files_do_not_overwrite_what_is_needed() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let args = files.import("complaints", fixtures::COMPLAINTS, fixtures::COMPLAINTS_MAP);
    let db = database.folder().unwrap().join("test.db");
    for precious in [args[2].as_str(), args[4].as_str(), db.to_str().unwrap()] {
        let before = std::fs::metadata(precious).unwrap().len();
        let result = program().run(&database, [&args[..], &["--rejects".to_owned(), precious.to_owned()]].concat());
        fails_with(&result, &["--rejects would overwrite"]);
        assert_eq!(std::fs::metadata(precious).unwrap().len(), before);
    }
}

#[test]
fn categories_and_units_of_a_file_refer_to_one_another_in_any_order() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let import = |kind: &str, rows: &str, mapping: &str| {
            let header = if kind == "units" { fixtures::UNITS } else { fixtures::CATEGORIES }.lines().next().unwrap();
            program().run(&app.database, files.import(kind, format!("{header}\n{rows}"), mapping))
        };
        let moved =
            import("categories", "HT,X,Hệ thống,PROFICIENCY,,\nX,,Mới,PROFICIENCY,,\n", fixtures::CATEGORIES_MAP);
        assert_eq!(moved.status, 0, "{moved:?}");
        let deeper = import("categories", "TD,X,Thái độ,CONDUCT,,\n", fixtures::CATEGORIES_MAP);
        rejects_one(&deeper, &["row 2, column \"cha\"", "two levels"]);
        let orphan =
            import("units", "09,Mới,BRANCH,ZZ,,01/01/2020,\n09,Mới,BRANCH,02,,01/01/2021,\n", fixtures::UNITS_MAP);
        rejects_one(&orphan, &["row 2, column \"cha\"", "\"ZZ\" is not a unit"]);
        let circle =
            import("units", "02,Cục Hải quan TP. Hồ Chí Minh,PROVINCIAL_DEPARTMENT,02CV,,,\n", fixtures::UNITS_MAP);
        fails_with(&circle, &["circle"]);
    }
}
