//! `import inspect`: the program drafts a mapping of an unknown file, and imports the file with it.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::foreign_files::in_windows_1258;
use tests::{Database, Json};

/// Inspects a file, imports it by the unchanged draft into both databases, and returns the summaries of the imports.
#[track_caller]
fn drafted(csv: impl AsRef<[u8]>, check: impl Fn(&Value)) -> [Value; 2] {
    Database::both().map(|database| {
        let files = Files::new();
        let file = files.put("so.csv", &csv).display().to_string();
        let looked = program().json(&database, &["import", "inspect", &file]);
        check(&looked);
        let text = program().run(&database, ["import", "inspect", &file]).ok().out;
        assert_eq!(text.trim_end(), looked["mapping"].text(), "the text is the draft");
        let map = files.put("so.toml", &text).display().to_string();
        program().json(&database, &["import", "complaints", &file, "--mapping", &map])
    })
}

/// What an inspection says of a column.
fn column<'l>(looked: &'l Value, name: &str) -> &'l Value {
    looked["columns"].list().iter().find(|column| column["name"] == name).expect("the column")
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
            let draft = looked["mapping"].text();
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

/// The files have the columns of public registers.
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
        (
            police,
            2,
            "received = \"incident_date\"  # CHECK: no column says when it was received; this is \"incident_date\"",
        ),
        (consumers, 2, "received = { column = \"Date received\", format = \"%m/%d/%Y\" }"),
        (service, 2, "received = { column = \"Created Date\", format = \"%m/%d/%Y %I:%M:%S %p\" }"),
    ] {
        let summaries = drafted(csv, |looked| {
            let draft = looked["mapping"].text();
            assert!(draft.contains(received), "{received} is not in\n{draft}");
        });
        for summary in summaries {
            assert_eq!((&summary["imported"], &summary["rejected"]), (&json!(complaints), &json!(0)), "{csv}");
        }
    }
}

/// Drafts a mapping of 120 generated rows, each a complaint of its own. The draft must have these lines; a comment may
/// follow on each.
#[track_caller]
fn lines_of(header: &str, row: impl Fn(usize) -> String, lines: &[&str]) -> String {
    lines_of_complaints(120, header, row, lines)
}

/// The same for rows that make this many complaints, all of which the draft must import.
#[track_caller]
fn lines_of_complaints(complaints: u64, header: &str, row: impl Fn(usize) -> String, lines: &[&str]) -> String {
    let csv: String = std::iter::once(header.to_owned()).chain((0..120).map(row)).map(|line| line + "\n").collect();
    let database = Database::sqlite();
    let files = Files::new();
    let file = files.put("so.csv", &csv).display().to_string();
    let draft = program().run(&database, ["import", "inspect", &file]).ok().out;
    for line in lines {
        assert!(draft.lines().any(|one| one.split("  #").next() == Some(line)), "{line} is not in\n{draft}");
    }
    let map = files.put("so.toml", &draft).display().to_string();
    let summary = program().json(&database, &["import", "complaints", &file, "--mapping", &map]);
    assert_eq!((&summary["imported"], &summary["rejected"]), (&json!(complaints), &json!(0)), "{draft}");
    draft
}

#[test]
fn officers_are_found_by_their_numbers_and_not_by_what_else_is_said_of_them() {
    // The tax number identifies the officers. The other columns count them within a complaint or describe them.
    let header = "Complaint Id,Complaint Officer Number,Officer Name,Tax ID,Officer Days On Force,\
                  Officer Command At Incident,Complainant Name,Received Date";
    let row = |n: usize| {
        let officer = n % 17;
        format!(
            "{},{},Name {officer},94{officer:04},{n},{:03} PCT,A{n},01/{:02}/2023",
            n / 2,
            1 + n % 2,
            officer % 5,
            13 + n / 2 % 9
        )
    };
    let lines = ["officer = \"Tax ID\"", "officer_name = \"Officer Name\"", "unit = \"Officer Command At Incident\""];
    lines_of_complaints(60, header, row, &lines);
    // Several officers share a badge number, or there is only a name, or no column identifies an officer.
    let of_badge = |n: usize| format!("{n},2023-01-{:02},{},Orme{}", 1 + n % 28, n % 6, n % 18);
    let joined = "officer = { join = [\"badge_no\", \"last_name\"], separator = \"/\" }";
    lines_of("id,received,badge_no,last_name", of_badge, &[joined]);
    let of_name = |n: usize| format!("{n},2023-01-{:02},Orme {}", 1 + n % 28, n % 18);
    let draft = lines_of("id,received,Officer Name", of_name, &["officer = \"Officer Name\""]);
    assert!(draft.contains("two officers of one name would be one"), "{draft}");
    let nobody = "id,received,RACE_OF_INVOLVED_OFFICERS,Officer Age,Investigating officer id handling it";
    let draft = lines_of(nobody, |n| format!("{n},2023-01-{:02},White,{},{}", 1 + n % 28, 30 + n % 9, n % 7), &[]);
    assert!(!draft.contains("attribution =") && draft.contains("No officer and no unit"), "{draft}");
}

#[test]
fn cells_with_words_for_unknown_are_drafted_as_blank() {
    let row = |n: usize| {
        let (officer, unit) = (["UNKNOWN", "A-17", "A-18", "A-19"][n % 4], ["Unspecified", "North", "South"][n % 3]);
        format!("{n},2023-01-{:02},{officer},{unit}", 1 + n % 28)
    };
    let lines = [
        "officer = { column = \"officer_id\", pattern = '^(?:UNKNOWN|(.*))$' }",
        "unit = { column = \"borough\", pattern = '^(?:Unspecified|(.*))$' }",
    ];
    let draft = lines_of("id,received,officer_id,borough", row, &lines);
    assert!(draft.contains("CHECK: UNKNOWN names no person"), "{draft}");
    let of_zero = |n: usize| format!("{n},2023-01-{:02},{}", 1 + n % 28, [0, 311, 622][n % 3]);
    let zero = "officer = { column = \"shield_no\", pattern = '^(?:0|(.*))$' }";
    lines_of("id,received,shield_no", of_zero, &[zero]);
    // The unit that received a complaint may be another than the one complained about: the draft asks to check it.
    let of_desk = |n: usize| format!("{n},2023-01-{:02},Ban {}", 1 + n % 28, n % 3);
    let draft = lines_of("id,received,Đơn vị tiếp nhận", of_desk, &["unit = \"Đơn vị tiếp nhận\""]);
    assert!(draft.contains("CHECK: it must be the unit complained about"), "{draft}");
}

#[test]
fn complaints_without_a_number_are_told_apart_by_several_columns() {
    // A day and an address together identify a row; neither does alone.
    let row = |n: usize| format!("2023-01-{:02},{} High Street,Noise,Dept {}", 1 + n % 12, n / 12, n % 2);
    let lines =
        ["reference = { join = [\"Creation Date\", \"Address\"], separator = \"/\" }", "received = \"Creation Date\""];
    let draft = lines_of("Creation Date,Address,Service Request Type,Department", row, &lines);
    assert!(draft.contains("CHECK: no column identifies the rows"), "{draft}");
    // Where each day is the first of its month, the column holds months.
    let of_months = |n: usize| format!("{n},2023-{:02}-01", 1 + n % 12);
    let lines = ["received = { column = \"received\", precision = \"month\" }"];
    lines_of("id,received", of_months, &lines);
}

#[test]
fn a_vietnamese_register_whose_numbers_begin_anew_each_year_is_drafted() {
    let header = "STT,Số,Năm,Ngày tiếp nhận,Giờ tiếp nhận,Đơn vị tiếp nhận,Chi cục bị phản ánh,Cán bộ tiếp nhận,\
                  Cán bộ bị phản ánh,Số hiệu công chức,Lĩnh vực,Hành vi,Nội dung phản ánh,Kết quả xác minh,Hình thức";
    let row = |n: usize| {
        let (year, officer) = (2023 + n / 60, n % 7);
        let act = ["Hách dịch", "Khác", "Khác", "Chậm trễ"][n % 4];
        let found = ["Đúng", "Không đúng", "Không xác minh được", "Đúng một phần"][n % 4];
        format!(
            "{},{},{year},{:02}/05/{year},{:02}:30,Ban,CC{},Tiếp,Cán bộ {},HQ{officer:03},{},{act},Lần {n},{found},{}",
            n + 1,
            1 + n % 60,
            1 + n % 28,
            7 + n % 10,
            officer % 3,
            ["A", "B", "C", "D", "Đ", "E", "G"][officer],
            ["Thái độ", "Thủ tục"][n % 2],
            ["Công văn", "Điện thoại", "Email"][n % 3],
        )
    };
    let lines = [
        "reference = { join = [\"Năm\", \"Số\"], separator = \"/\" }",
        "received = { join = [\"Ngày tiếp nhận\", \"Giờ tiếp nhận\"], separator = \" \", \
         formats = [\"%d/%m/%Y %H:%M\", \"%d/%m/%Y\"] }",
        "officer = \"Số hiệu công chức\"",
        "officer_name = \"Cán bộ bị phản ánh\"",
        "unit = \"Chi cục bị phản ánh\"",
        "category = { join = [\"Lĩnh vực\", \"Hành vi\"], separator = \"/\" }",
        "category_parent = \"Lĩnh vực\"",
        "text = \"Nội dung phản ánh\"",
        "\"Không đúng\" = \"UNFOUNDED\"",
        "\"Đúng một phần\" = \"SUSTAINED\"",
        "\"Công văn\" = \"LETTER\"",
    ];
    lines_of(header, row, &lines);
}

#[test]
fn categories_are_drafted_by_what_their_cells_say_of_one_another() {
    // Each request type lies below one category, so that the type alone is the code.
    let of_two = |n: usize| {
        let (category, kind) = [("Graffiti", "On a pole"), ("Graffiti", "On a sign"), ("Street", "Hole")][n % 3];
        format!("{n},01/{:02}/2023 09:30:00 PM,{category},{kind},Queue {}", 1 + n % 28, n % 2)
    };
    let header = "CaseID,Opened,Category,Request Type,Responsible Agency";
    let lines = ["category = \"Request Type\"", "category_parent = \"Category\"", "unit = \"Responsible Agency\""];
    lines_of(header, of_two, &lines);
    // A column of codes stands beside one of names. Cancelled requests have closing days. The references have twelve
    // digits and are no tax codes.
    let of_code = |n: usize| {
        let (name, code) = [("Pothole", "PHF"), ("Rodent", "SGA")][n % 2];
        let state = ["Completed", "Canceled", "Open"][n % 3];
        let closed = if state == "Open" { "" } else { "2023-02-01" };
        format!("1010040{n:05},{name},{code},Streets {},{state},2023-01-{:02},{closed}", n % 3, 1 + n % 28)
    };
    let header = "SR_NUMBER,SR_TYPE,SR_SHORT_CODE,OWNER_DEPARTMENT,STATUS,CREATED_DATE,CLOSED_DATE";
    let lines = [
        "category = \"SR_SHORT_CODE\"",
        "category_name = \"SR_TYPE\"",
        "state_since = \"CLOSED_DATE\"",
        "\"Canceled\" = \"REJECTED\"",
        "reference = \"SR_NUMBER\"",
    ];
    let draft = lines_of(header, of_code, &lines);
    assert!(!draft.contains("tax_code =") && !draft.contains("\nclosed ="), "{draft}");
}

#[test]
fn what_differs_between_the_rows_of_a_complaint_is_left_out() {
    // Status and text differ between the allegations of a complaint, while a complaint has only one of each.
    let of_allegations = |n: usize| {
        let (status, finding) = (["Open", "Closed"][n % 2], ["SU", "NS", "EX", "DIS"][n % 4]);
        format!("{},2023-01-{:02},{},{status},Allegation {n},{finding}", n / 2, 1 + n / 2 % 28, n % 7)
    };
    let header = "complaint_id,complaint_date,officer_id,status,description,final_finding";
    let draft =
        lines_of_complaints(60, header, of_allegations, &["officer = \"officer_id\"", "\"EX\" = \"EXONERATED\""]);
    assert!(!draft.contains("[fields.state]") && !draft.contains("\ntext ="), "{draft}");
    assert!(
        draft.contains("# Left out: `text` from \"description\"") && draft.contains("# Left out: `state`"),
        "{draft}"
    );
    assert!(draft.contains("# \"status\": text") && draft.contains("\"DIS\" = \"PENDING\"  # 30, CHECK"), "{draft}");
}

#[test]
fn dates_in_columns_of_their_parts_are_joined() {
    let of_names = |n: usize| format!("{n},{},{},{}", ["March", "May", "December"][n % 3], 2020 + n % 3, n % 5);
    let named = "received = { join = [\"Month\", \"Year\"], separator = \"/\", format = \"%B/%Y\" }";
    lines_of("id,Month,Year,unit", of_names, &[named]);
    let of_days = |n: usize| format!("{n},{},{},{}", 1 + n % 28, 1 + n % 12, 2020 + n % 3);
    let days = "received = { join = [\"Ngày\", \"Tháng\", \"Năm\"], separator = \"/\", format = \"%d/%m/%Y\" }";
    lines_of("mã,Ngày,Tháng,Năm", of_days, &[days]);
    let of_word = |n: usize| format!("{n},Tháng {},{}", 1 + n % 12, 2020 + n % 3);
    let word = "received = { join = [\"Tháng\", \"Năm\"], separator = \"/\", format = \"Tháng %m/%Y\" }";
    lines_of("mã,Tháng,Năm", of_word, &[word]);
    // A column of whole dates is taken before parts of dates that are something else.
    let of_whole = |n: usize| format!("{n},2023-03-{:02},{},{}", 1 + n % 28, n % 24, 1 + n % 12);
    lines_of("LOG_NO,COMPLAINT_DATE,COMPLAINT_HOUR,COMPLAINT_MONTH", of_whole, &["received = \"COMPLAINT_DATE\""]);
}

/// Some findings and states contain the words of their opposites. Some officers only handle the cases. Some registers
/// begin their numbers anew in each unit.
#[test]
fn registers_that_look_like_others_are_told_apart() {
    let findings = [
        "Có sai phạm",
        "Thực hiện đúng quy định",
        "Thực hiện không đúng quy định",
        "Tạm dừng xác minh",
        "Không có sai phạm",
        "Sai",
    ];
    let states = ["Chưa hoàn thành", "Đã rút đơn", "Rút kinh nghiệm", "Hoàn thành", "Hoàn thành"];
    let row = |n: usize| {
        format!(
            "{},Chi cục {},{:02}/05/2024,CC-{},PT-{},Thái độ,{},{}",
            1 + n / 3,
            n % 3,
            1 + n % 28,
            n % 7,
            n % 2,
            findings[n % 6],
            states[n % 5]
        )
    };
    let header = "Số,Đơn vị,Ngày nhận,Cán bộ bị phản ánh,Cán bộ phụ trách,Loại,Kết luận,Trạng thái";
    let lines = [
        "reference = { join = [\"Đơn vị\", \"Số\"], separator = \"/\" }",
        "officer = \"Cán bộ bị phản ánh\"",
        "unit = \"Đơn vị\"",
        "category = \"Loại\"",
        "\"Có sai phạm\" = \"SUSTAINED\"",
        "\"Thực hiện đúng quy định\" = \"EXONERATED\"",
        "\"Thực hiện không đúng quy định\" = \"SUSTAINED\"",
        "\"Tạm dừng xác minh\" = \"PENDING\"",
        "\"Không có sai phạm\" = \"UNFOUNDED\"",
        "\"Đã rút đơn\" = \"WITHDRAWN\"",
        "\"Hoàn thành\" = \"CLOSED\"",
    ];
    let draft = lines_of(header, row, &lines);
    for unsure in ["\"Sai\" = \"PENDING\"", "\"Chưa hoàn thành\" = \"RECEIVED\"", "\"Rút kinh nghiệm\" = \"RECEIVED\""]
    {
        let line = draft.lines().find(|line| line.starts_with(unsure)).unwrap_or_else(|| panic!("{unsure}\n{draft}"));
        assert!(line.ends_with(", CHECK"), "{line}");
    }
    // An officer who handles the cases is not the one complained about.
    let of_handler = |n: usize| format!("{n},2023-01-{:02},H-{},Unit {}", 1 + n % 28, n % 2, n % 3);
    let draft = lines_of("id,received,Case Officer,unit", of_handler, &["unit = \"unit\""]);
    assert!(!draft.contains("attribution =") && draft.contains("No officer: only units can be flagged"), "{draft}");
    // A cell of several lines names no person, and another one names one.
    let of_lines = |n: usize| {
        let officer = ["Unknown\n(see 'notes')", "A-17", "A-18\n", "A-19"][n % 4];
        format!("{n},2023-01-{:02},\"{officer}\"", 1 + n % 28)
    };
    let draft = lines_of("id,received,officer_id", of_lines, &[]);
    assert!(draft.contains("names no person"), "{draft}");
}

#[test]
fn what_cannot_be_told_is_said_in_the_draft() {
    let summaries = drafted("a,b\nx,y\nx,z\n", |looked| {
        let draft = looked["mapping"].text();
        assert!(draft.contains("no column of days of receipt was found"), "{draft}");
    });
    assert_eq!(summaries[0]["rejected"], 0);
    let either = "ref,ngay\n1,05/03/2024\n2,04/03/2024\n";
    drafted(either, |looked| {
        let draft = looked["mapping"].text();
        assert!(draft.contains("CHECK: no day is beyond 12"), "{draft}");
    });
    let database = Database::sqlite();
    for args in [&["import"][..], &["import", "complaints", "x.csv"], &["import", "inspect"]] {
        assert_eq!(program().run(&database, args).status, 2, "{args:?}");
    }
    assert!(!database.folder().unwrap().join("test.db").exists());
}
