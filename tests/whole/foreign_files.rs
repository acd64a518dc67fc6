//! Files of other people's registers that are easily misread: each is read right, or refused with words that help.

use crate::program;
use serde_json::json;
use tests::fixtures::{self, Files};
use tests::foreign_files::{DAY, HEADER, complaints, import, in_windows_1258, mapping, plain, says};
use tests::{Database, Json};

#[test]
fn a_format_that_loses_the_time_is_refused_before_a_database_is_made() {
    for (format, part, instead) in [
        ("%d/%m/%Y %Hh", "%H", "%M"),
        ("%m/%d/%Y %I %p", "%I", "%M"),
        ("%d/%m/%Y %I:%M", "%I", "%p"),
        ("%d/%m/%Y %p", "%p", "%I:%M %p"),
        ("%d/%m/%Y %S", "%S", "%H:%M"),
        ("%Y-%m-%dT%H%#z", "%H", "%M"),
        ("%Y-%m-%d%:z", "the offset", "%H:%M"),
        ("%Y-%m-%d %H:%M:%S %Z", "%Z", "%z"),
        ("%Y-%m-%dT%H:%M:%SZ", "the letters Z", "%#z"),
        ("%Y-%m-%d %H:%M:%S UTC", "the letters UTC", "timezone = \"UTC\""),
        ("%Y-%m-%d %H:%M:%S+00:00", "an offset", "%:z"),
    ] {
        let database = Database::sqlite();
        let files = Files::new();
        let map = mapping(&format!("{{ column = \"nhan\", formats = [\"%d/%m/%Y\", \"{format}\"] }}"), "", "");
        let result = program().run(&database, files.import("complaints", format!("{HEADER}\n"), &map));
        says(&result, 1, &["complaints.toml", "fields.received", &format!("{format:?}"), part, instead]);
        assert!(!database.folder().unwrap().join("test.db").exists(), "a mapping is checked before a database is made");
    }
}

#[test]
fn a_date_with_its_time_is_the_instant_that_it_says() {
    for (received, cell, expected) in [
        ("\"nhan\"", "2024-03-05T20:00:00Z", "2024-03-06T03:00:00+07:00"),
        ("\"nhan\"", "2024-03-05T20:00:00+00:00", "2024-03-06T03:00:00+07:00"),
        ("\"nhan\"", "2014-01-01T00:00:00.000", "2014-01-01T00:00:00+07:00"),
        ("\"nhan\"", "2024-03-05 20:00:00+00", "2024-03-06T03:00:00+07:00"),
        ("{ column = \"nhan\", format = \"%+\" }", "2024-03-05T20:00:00-05:00", "2024-03-06T08:00:00+07:00"),
        (
            "{ column = \"nhan\", format = \"%d/%m/%Y %H:%M %z\" }",
            "05/03/2024 20:00 +0000",
            "2024-03-06T03:00:00+07:00",
        ),
        (
            "{ column = \"nhan\", format = \"%d/%m/%Y %H:%M%:z\" }",
            "05/03/2024 20:00+09:00",
            "2024-03-05T18:00:00+07:00",
        ),
        ("{ column = \"nhan\", format = \"%d/%m/%Y %H:%M%#z\" }", "05/03/2024 20:00Z", "2024-03-06T03:00:00+07:00"),
        ("{ column = \"nhan\", format = \"%m/%d/%Y %I:%M %p\" }", "03/05/2024 9:30 PM", "2024-03-05T21:30:00+07:00"),
        ("{ column = \"nhan\", format = \"%m/%d/%Y %I:%M %p\" }", "03/05/2024 12:05 AM", "2024-03-05T00:05:00+07:00"),
        ("{ column = \"nhan\", format = \"%s\" }", "1709668800", "2024-03-06T03:00:00+07:00"),
        ("{ column = \"nhan\", format = \"%d/%m/%Y %H:%M:%S\" }", "31/12/2016 23:59:60", "2016-12-31T23:59:59+07:00"),
        ("\"nhan\"", "2016-12-31T16:59:60Z", "2016-12-31T23:59:59+07:00"),
    ] {
        let csv = format!("{HEADER}\nPA-1,{cell},,02CV,CC-1,SN,a\n");
        import(&csv, &mapping(received, "", ""), |app, result| {
            says(result, 0, &[]);
            let found = complaints(&app.database);
            assert_eq!(found["nodes"][0]["receivedAt"], expected, "{cell} on {}", app.database.name);
        });
    }
    // A format may have the letters of a zone, where the mapping says that its times are of that zone.
    let utc = mapping("{ column = \"nhan\", format = \"%Y-%m-%d %H:%M UTC\" }", "", "")
        .replace("kind = \"complaints\"", "kind = \"complaints\"\ntimezone = \"UTC\"");
    import(&format!("{HEADER}\nPA-1,2024-03-05 20:00 UTC,,02CV,CC-1,SN,a\n"), &utc, |app, result| {
        says(result, 0, &[]);
        assert_eq!(complaints(&app.database)["nodes"][0]["receivedAt"], "2024-03-06T03:00:00+07:00");
    });
}

#[test]
fn good_text_is_not_overwritten_by_a_wrong_encoding() {
    let csv = format!("{HEADER}\nPA-1,05/03/2024,,02CV,CC-1,SN,Đội trưởng quát\n");
    let wrong = |encoding: &str, rows: &str| mapping(DAY, &format!("[file]\nencoding = \"{encoding}\"\n{rows}"), "");
    for database in Database::both() {
        let files = Files::new();
        fixtures::import(&database, "complaints", &csv, &plain());
        for encoding in ["windows-1258", "windows-1252", "iso-8859-15", "gbk"] {
            for rows in ["", "rows = \"adjacent\"\n"] {
                let result = program().run(&database, files.import("complaints", &csv, &wrong(encoding, rows)));
                says(&result, 1, &["complaints.csv", "is UTF-8", "encoding = \"utf-8\""]);
                assert_eq!(complaints(&database)["nodes"][0]["text"], "Đội trưởng quát", "{}", database.name);
            }
        }
        let result = program().run(&database, files.import("complaints", &csv, &wrong("tcvn3", "")));
        says(&result, 1, &["tcvn3", "is not known"]);
        // A file that really has that encoding is read.
        let bytes = in_windows_1258(&csv);
        fixtures::import(&database, "complaints", &bytes, &wrong("windows-1258", ""));
        assert_eq!(complaints(&database)["nodes"][0]["text"], "Đội trưởng quát");
    }
}

#[test]
fn both_orders_of_utf_16_are_read_and_told_apart() {
    let csv = format!("{HEADER}\nPA-1,05/03/2024,,02CV,CC-1,SN,Đội trưởng\n");
    let be: Vec<u8> = csv.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let le: Vec<u8> = csv.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, mark, name, other) in
        [(&be, [0xfe, 0xff], "utf-16be", "utf-16le"), (&le, [0xff, 0xfe], "utf-16le", "utf-16be")]
    {
        for file in [[&mark, bytes.as_slice()].concat(), bytes.clone()] {
            let with = |encoding: &str| mapping(DAY, &format!("[file]\nencoding = \"{encoding}\""), "");
            for wrong in [plain(), with(other), with("windows-1258")] {
                import(&file, &wrong, |_, result| says(result, 1, &[&format!("encoding = \"{name}\"")]));
            }
            import(&file, &with(name), |app, result| {
                says(result, 0, &[]);
                assert_eq!(complaints(&app.database)["nodes"][0]["text"], "Đội trưởng");
            });
        }
    }
}

#[test]
fn what_cannot_be_seen_in_a_header_is_shown() {
    let csv = "ref,nhan,mst,dv,cb,loai,\u{200b}nd\nPA-1,05/03/2024,,02CV,CC-1,SN,a\n";
    import(csv, &plain(), |_, result| says(result, 1, &["no column \"nd\"", "<U+200B>nd", "column 7"]));
}

#[test]
fn quotes_that_csv_does_not_know_reject_their_rows() {
    let csv = format!(
        "{HEADER}\nPA-1,05/03/2024,,02CV,CC-1,SN,\"noi \\\"gap\\\" roi\"\n\
         PA-2,05/03/2024,,02CV,CC-1,SN,\"Goi \"hang\" mau\n\
         PA-3,05/03/2024,,02CV,CC-1,SN,\"noi \"\"gap\"\" roi\"\nPA-4,06/03/2024,,02CV,CC-1,SN,noi \"gap\" \\\"roi\n\
         PA-5,07/03/2024,,02CV,CC-1,SN,\"a\nb\"\r\nPA-5,07/03/2024,,02CV,CC-2,SN,\"a\nb\"x\n"
    );
    import(&csv, &plain(), |app, result| {
        says(result, 3, &["row 2", "row 3", "row 8", "row 6: belongs to \"PA-5\"", "written twice"]);
        assert_eq!((&result.json()["imported"], &result.json()["rejected"]), (&json!(2), &json!(3)));
        let texts: Vec<_> = complaints(&app.database)["nodes"].list().iter().map(|c| c["text"].clone()).collect();
        assert_eq!(texts, ["noi \"gap\" roi", "noi \"gap\" \\\"roi"]);
    });
}

#[test]
fn old_files_are_read() {
    let rows = format!("{HEADER}\nPA-1,05/03/2024,,02CV,CC-1,SN,a\nPA-2,06/03/2024,,02CV,CC-1,SN,b\n");
    for csv in [
        rows.replace('\n', "\r"),
        format!("{rows}\u{1a}"),
        format!("{}\u{1a}\u{1a}", rows.replace('\n', "\r\n")),
        rows.lines().map(|line| format!("{line},,\n")).collect(),
        format!("\u{feff}{rows}"),
    ] {
        import(&csv, &plain(), |app, result| {
            says(result, 0, &[]);
            assert_eq!((&result.json()["rows"], &result.json()["imported"]), (&json!(2), &json!(2)), "{csv:?}");
            assert_eq!(complaints(&app.database)["nodes"][1]["text"], "b");
        });
    }
    let workbook = [b"PK\x03\x04".as_slice(), &[0; 100]].concat();
    import(&workbook, &plain(), |_, result| says(result, 1, &["workbook", "CSV"]));
    // Where a column is missing, the error says how many columns have no name.
    let unnamed = rows.lines().map(|line| format!("{line},,\n")).collect::<String>().replace("nd", "noi_dung");
    import(&unnamed, &plain(), |_, result| says(result, 1, &["no column \"nd\"", "noi_dung and 2 without a name"]));
}

#[test]
fn an_end_that_never_comes_is_hinted_at() {
    let map = r#"
source = "hr"
[missing]
officer = "create"
unit = "create"
[fields]
officer = "cb"
unit = "dv"
valid_from = "tu"
valid_to = "den"
"#;
    for (from, to) in [("2020-01-01", "9999-12-31"), ("2020-01-01", "2999-12-31"), ("0001-01-01", "2020-01-01")] {
        let csv = format!("cb,dv,tu,den\nCC-1,02CV,{from},{to}\n");
        let endless = if to.starts_with("20") { from } else { to };
        for database in Database::both() {
            let files = Files::new();
            let result = program().run(&database, files.import("postings", &csv, map));
            says(&result, 3, &["row 2", &format!("null = [\"{endless}\"]")]);
            let map = map.replace("[missing]", &format!("[file]\nnull = [\"{endless}\"]\n[missing]"));
            fixtures::import(&database, "postings", &csv, &map);
        }
    }
}

/// The cases of the tests above as small files. These lie beside the project on some machines only.
#[test]
fn every_case_that_is_kept_beside_the_project_has_its_right_value() {
    let folder = tests::project().join("../shared/cases");
    if !folder.is_dir() {
        eprintln!("{} is not there: its cases are left out", folder.display());
        return;
    }
    for (case, kind, status, words) in [
        ("backslash-quotes", "complaints", 3, vec!["row 2", "row 3", "written twice"]),
        ("date-hour-without-minute", "complaints", 1, vec!["fields.received", "%H", "%M"]),
        ("date-twelve-hours", "complaints", 1, vec!["fields.received", "%I", "%M"]),
        ("date-offset-forgotten", "complaints", 1, vec!["fields.received", "%H", "%M"]),
        ("date-zone-name", "complaints", 1, vec!["fields.received", "%Z", "%z"]),
        ("date-leap-second", "complaints", 0, vec![]),
        ("date-rfc3339-z", "complaints", 0, vec![]),
        ("dos-end-mark", "complaints", 0, vec![]),
        ("old-mac-lines", "complaints", 0, vec![]),
        ("unnamed-columns", "complaints", 0, vec![]),
        ("eth-for-d", "complaints", 3, vec!["row 4", "U+00D0", "U+0110"]),
        ("formulas", "complaints", 3, vec!["row 3, column \"nhan\""]),
        ("invisible-in-codes", "complaints", 0, vec!["U+200B", "U+2011", "U+0421", "\"CC-1\""]),
        ("invisible-in-header", "complaints", 1, vec!["U+200B"]),
        ("money-without-end", "complaints", 3, vec!["row 2, column \"cp\""]),
        ("posting-open-end", "postings", 3, vec!["null = [\"9999-12-31\"]"]),
        ("two-categories-nobody-named", "complaints", 0, vec![]),
        ("utf16-big-endian", "complaints", 1, vec!["encoding = \"utf-16be\""]),
        ("utf8-under-windows-1258", "complaints", 1, vec!["is UTF-8"]),
    ] {
        let csv = folder.join(format!("{case}.csv"));
        let own = folder.join(format!("{case}.toml"));
        let map = if own.exists() { own } else { folder.join("plain.toml") };
        for database in Database::both() {
            let args = ["import", kind, csv.to_str().unwrap(), "--mapping", map.to_str().unwrap(), "--format", "json"];
            let result = program().run(&database, args);
            assert_eq!(result.status, status, "{case} on {}: {result:?}", database.name);
            for word in &words {
                assert!(result.err.contains(word), "{case}: {word:?} is not in {}", result.err);
            }
            let first = |database: &Database| complaints(database)["nodes"][0].clone();
            match case {
                "date-leap-second" => assert_eq!(first(&database)["receivedAt"], "2016-12-31T23:59:59+07:00"),
                "date-rfc3339-z" => {
                    assert_eq!(complaints(&database)["nodes"][1]["receivedAt"], "2024-03-06T03:00:00+07:00")
                }
                "two-categories-nobody-named" => {
                    assert_eq!(complaints(&database)["totalCount"], 1);
                    assert_eq!(first(&database)["matters"].list().len(), 2);
                }
                "money-without-end" => assert_eq!(first(&database)["costVnd"], "1000000"),
                _ => {}
            }
        }
    }
}
