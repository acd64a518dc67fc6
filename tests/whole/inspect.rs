//! `import inspect`: from a file that nobody has described to flags, by what the program says.

use crate::foreign_files::in_windows_1258;
use crate::program;
use crate::world::Files;
use serde_json::{Value, json};
use tests::Database;

/// Looks at a file, takes the draft as it is, and imports with it.
#[track_caller]
fn drafted(csv: impl AsRef<[u8]>, check: impl Fn(&Value)) -> [Value; 2] {
    Database::both().map(|database| {
        let files = Files::new();
        let file = files.put("so.csv", &csv).display().to_string();
        let looked = program().json(&database, &["import", "inspect", &file]);
        check(&looked);
        let text = program().run(&database, ["import", "inspect", &file]).ok().out;
        assert_eq!(text.trim_end(), looked["mapping"].as_str().unwrap(), "the text is the draft");
        let map = files.put("so.toml", &text).display().to_string();
        program().json(&database, &["import", "complaints", &file, "--mapping", &map])
    })
}

fn column<'l>(looked: &'l Value, name: &str) -> &'l Value {
    looked["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).expect("the column")
}

#[test]
fn a_vietnamese_register_is_drafted() {
    let mut csv = String::from("Số PA;Ngày nhận;MST;Đơn vị;Cán bộ;Loại;Chi phí;Giờ chờ;Nội dung;Ghi chú\n");
    for n in 1..=60 {
        csv += &format!(
            "PA-{n};{:02}/03/2024;0100233488;02CV;{};SN;1.250.{n:03};4,5;Cán bộ đòi thêm tiền, lần {n};-\n",
            1 + n % 28,
            if n % 3 == 0 { "-" } else { "CC-1" },
        );
    }
    for bytes in [csv.clone().into_bytes(), in_windows_1258(&csv)] {
        let is_utf8 = std::str::from_utf8(&bytes).is_ok();
        let summaries = drafted(&bytes, |looked| {
            assert_eq!((&looked["delimiter"], &looked["rows"]), (&json!(";"), &json!(60)));
            assert_eq!(looked["encoding"], if is_utf8 { "utf-8" } else { "windows-1258" });
            assert_eq!(column(looked, "Ngày nhận")["reads_as"], "date %d/%m/%Y");
            assert_eq!(column(looked, "MST")["reads_as"], "tax code");
            let officer = column(looked, "Cán bộ");
            assert_eq!((&officer["blank"], &officer["values"][0]), (&json!(20), &json!(["CC-1", 40])));
            let draft = looked["mapping"].as_str().unwrap();
            for line in [
                "null = [\"-\"]",
                "reference = \"Số PA\"",
                "received = { column = \"Ngày nhận\", format = \"%d/%m/%Y\" }",
                "cost_vnd = { column = \"Chi phí\", thousands = \".\", decimal = \",\" }",
                "text = \"Nội dung\"",
            ] {
                assert!(draft.contains(line), "{line} is not in\n{draft}");
            }
        });
        for summary in summaries {
            assert_eq!((&summary["imported"], &summary["rejected"]), (&json!(60), &json!(0)));
        }
    }
}

/// Look-alikes of registers that are public, by their lists of columns.
#[test]
fn registers_of_other_countries_are_drafted() {
    let police = "complaint_id,closed_date,incident_date,precinct,officer_badge,allegation,disposition\n\
                  17001,2019-04-02,2018-12-24,75,1234,Abuse of Authority,Unfounded\n\
                  17001,2019-04-02,2018-12-24,75,,Discourtesy,Pending\n17001,2019-04-02,2018-12-24,75,,Force,Pending\n\
                  17002,,2019-01-13,40,,Force,Pending\n";
    let consumers = "\u{feff}Date received,Product,Issue,Consumer complaint narrative,Company,State,Complaint ID\n\
                     03/21/2024,Mortgage,Closing,\"They said \"\"no\"\", twice\",Bank A,NY,8600001\n\
                     03/13/2024,Credit card,Fees,,Bank B,CA,8600002\n";
    let service = "Unique Key\tCreated Date\tClosed Date\tAgency\tComplaint Type\tDescriptor\tBorough\n\
                   59000001\t01/31/2024 11:59:58 PM\t\tNYPD\tNoise\tLoud Music\tBROOKLYN\n\
                   59000002\t01/31/2024 01:02:03 AM\t02/01/2024 12:00:00 AM\tDOT\tStreet Light\tOut\tN/A\n";
    for (csv, complaints, received) in [
        (police, 2, "received = \"incident_date\""),
        (consumers, 2, "received = { column = \"Date received\", format = \"%m/%d/%Y\" }"),
        (service, 2, "received = { column = \"Created Date\", format = \"%m/%d/%Y %I:%M:%S %p\" }"),
    ] {
        let summaries = drafted(csv, |looked| {
            let draft = looked["mapping"].as_str().unwrap();
            assert!(draft.contains(received), "{received} is not in\n{draft}");
        });
        for summary in summaries {
            assert_eq!((&summary["imported"], &summary["rejected"]), (&json!(complaints), &json!(0)), "{csv}");
        }
    }
}

#[test]
fn what_cannot_be_told_is_said_in_the_draft() {
    let summaries = drafted("a,b\nx,y\nx,z\n", |looked| {
        let draft = looked["mapping"].as_str().unwrap();
        assert!(draft.contains("no column of dates was found"), "{draft}");
    });
    assert_eq!(summaries[0]["rejected"], 0);
    let either = "ref,ngay\n1,05/03/2024\n2,04/03/2024\n";
    drafted(either, |looked| {
        let draft = looked["mapping"].as_str().unwrap();
        assert!(draft.contains("CHECK: no day is beyond 12"), "{draft}");
    });
    let database = Database::sqlite();
    for args in [&["import"][..], &["import", "complaints", "x.csv"], &["import", "inspect"]] {
        assert_eq!(program().run(&database, args).status, 2, "{args:?}");
    }
    assert!(!database.folder().unwrap().join("test.db").exists());
}
