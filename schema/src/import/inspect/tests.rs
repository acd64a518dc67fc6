//! Tests of drafts: their lines, and that each draft is a valid mapping.

use super::inspect;
use crate::import::Mapping;
use crate::import::kinds::Kind;
use proptest::prelude::*;
use std::io::Cursor;

/// The draft of a file; panics where it is not a valid mapping.
#[track_caller]
fn draft(csv: &str) -> String {
    let draft = inspect("x.csv", Box::new(Cursor::new(csv.as_bytes().to_vec()))).unwrap().mapping;
    if let Err(error) = Mapping::parse(&draft, "x.toml", Kind::Complaints) {
        panic!("{error}\n{draft}");
    }
    draft
}

/// The draft of a file with this header and 120 rows.
#[track_caller]
fn drafted(header: &str, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (0..120).map(row).collect();
    draft(&format!("{header}\n{}\n", rows.join("\n")))
}

/// The part from `[fields]` on: `[missing]` before it has the same keys.
fn fields(draft: &str) -> &str {
    draft.split_once("\n[fields]\n").unwrap().1
}

/// The line of a field.
#[track_caller]
fn line<'d>(draft: &'d str, field: &str) -> &'d str {
    let begin = format!("{field} = ");
    fields(draft).lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("no {field} in\n{draft}"))
}

fn day(n: usize) -> String {
    format!("2023-01-{:02}", 1 + n % 28)
}

#[test]
fn who_handles_the_case_is_not_who_is_complained_about() {
    for handler in [
        "Case Officer",
        "Complaints Officer",
        "Desk officer",
        "Lead officer no",
        "Officer responsible",
        "Recording Officer ID",
        "Cán bộ phụ trách",
        "Cán bộ xác minh",
        "Chuyên viên",
    ] {
        let draft = drafted(&format!("id,received,{handler},name"), |n| format!("{n},{},H{},Name {n}", day(n), n % 7));
        assert!(!fields(&draft).contains("\nofficer ="), "{handler}\n{draft}");
    }
    let checked = "CHECK: it must be the officer complained about";
    let unsaid = drafted("id,received,Officer ID", |n| format!("{n},{},H{}", day(n), n % 7));
    assert!(line(&unsaid, "officer").contains(checked), "{unsaid}");
    let names = drafted("id,received,Cán bộ,Họ tên cán bộ", |n| format!("{n},{},,Tên {}", day(n), n % 7));
    assert!(line(&names, "officer").contains(checked), "{names}");
    let said = drafted("mã,Ngày nhận,Cán bộ bị phản ánh,Cán bộ phụ trách", |n| {
        format!("{n},{},H{},P{}", day(n), n % 7, n % 3)
    });
    let said = line(&said, "officer");
    assert!(said.starts_with("officer = \"Cán bộ bị phản ánh\"") && !said.contains(checked), "{said}");
}

#[test]
fn a_day_that_no_name_says_to_be_that_of_receipt_is_to_be_looked_at() {
    for (header, of) in
        [("id,incident_date", "incident_date"), ("id,stamp", "stamp"), ("id,closed_date", "closed_date")]
    {
        let draft = drafted(header, |n| format!("{n},{}", day(n)));
        let check = format!("received = \"{of}\"  # CHECK: no column says when it was received; this is \"{of}\"");
        assert!(line(&draft, "received").starts_with(&check), "{draft}");
    }
    for other in ["officer_birth_date", "Ngày sinh", "hire date", "Last updated", "Due Date", "Hạn trả lời", "expiry"]
    {
        let draft = drafted(&format!("id,{other}"), |n| format!("{n},{}", day(n)));
        assert!(line(&draft, "received").contains("CHECK: no column of days of receipt was found"), "{other}\n{draft}");
    }
    let own = drafted("id,Date received,Due Date", |n| format!("{n},{},{}", day(n), day(n + 3)));
    assert_eq!(line(&own, "received"), "received = \"Date received\"");
}

#[test]
fn a_day_of_closing_that_stands_for_that_of_the_decision_is_to_be_looked_at() {
    let row = |n: usize| format!("{n},{},{},{}", day(n), day(n + 5), ["Sustained", "Unfounded"][n % 2]);
    let draft = drafted("id,received,closed,finding", row);
    assert!(line(&draft, "decided").contains("CHECK: no column says when it was decided"), "{draft}");
}

#[test]
fn what_divides_the_numbers_of_complaints_fills_its_own_field_too() {
    let of_unit = |n: usize| format!("{},Chi cục {},{},Thái độ", 1 + n / 3, n % 3, day(n));
    let draft = drafted("Số,Đơn vị,Ngày nhận,Loại", of_unit);
    assert!(line(&draft, "reference").starts_with("reference = { join = [\"Đơn vị\", \"Số\"]"), "{draft}");
    assert!(line(&draft, "unit").starts_with("unit = \"Đơn vị\"") && !draft.contains("No unit"), "{draft}");
    let of_category = |n: usize| format!("{},{},{}", 1 + n / 3, ["Noise", "Light", "Road"][n % 3], day(n));
    let draft = drafted("no,category,received", of_category);
    assert!(line(&draft, "reference").contains("join = [\"category\", \"no\"]"), "{draft}");
    assert!(
        line(&draft, "category").starts_with("category = \"category\"") && !draft.contains("No category"),
        "{draft}"
    );
    // A year fills no other field, but still counts as used.
    let draft = drafted("Số,Năm,Ngày nhận", |n| format!("{},{},{}", 1 + n % 60, 2022 + n / 60, day(n)));
    assert!(line(&draft, "reference").contains("join = [\"Năm\", \"Số\"]") && !draft.contains("# Not used"), "{draft}");
}

#[test]
fn numbers_that_may_be_thousands_or_fractions_are_read_as_thousands() {
    let hours = drafted("id,received,Hours", |n| format!("{n},{},\"{},100\"", day(n), 1 + n % 9));
    assert!(
        line(&hours, "delay_hours").starts_with(
            "delay_hours = { column = \"Hours\", thousands = \",\", decimal = \".\" }  # CHECK: read as thousands"
        ),
        "{hours}"
    );
    let cost = drafted("id,received,Cost (VND)", |n| format!("{n},{},{}.500", day(n), 10 + n % 9));
    assert_eq!(line(&cost, "cost_vnd"), "cost_vnd = { column = \"Cost (VND)\", thousands = \".\", decimal = \",\" }");
    let dollars = drafted("id,received,Cost (USD)", |n| format!("{n},{},{}", day(n), 10 + n));
    assert!(line(&dollars, "cost_vnd").contains("CHECK: is it in dong?"), "{dollars}");
    // The import would reject all of them: amounts in dong are whole.
    let cents = drafted("id,received,Cost (USD)", |n| format!("{n},{},{}.25", day(n), 10 + n));
    assert!(!cents.contains("cost_vnd ="), "{cents}");
    let fractions = drafted("id,received,Hours", |n| format!("{n},{},\"{},5\"", day(n), n % 9));
    assert!(line(&fractions, "delay_hours").ends_with("decimal = \",\" }"), "{fractions}");
}

#[test]
fn days_and_months_in_both_orders_are_to_be_looked_at() {
    let row = |n: usize| {
        let (first, second) = if n.is_multiple_of(10) { (1 + n % 12, 13 + n % 15) } else { (13 + n % 15, 1 + n % 12) };
        format!("{n},{first:02}/{second:02}/2024")
    };
    let draft = drafted("id,received", row);
    assert!(draft.contains("formats = [\"%d/%m/%Y\", \"%m/%d/%Y\"]"), "{draft}");
    assert!(line(&draft, "received").contains("CHECK: some rows have the day first and others the month"), "{draft}");
}

#[test]
fn cells_with_words_for_unknown_are_not_officers() {
    for nobody in [
        "TBD",
        "?",
        "N.A.",
        "Not known",
        "No officer named",
        "Officer not known at this time",
        "Đang xác minh",
        "Chưa xác định được",
        "Chưa xác định được cán bộ",
    ] {
        let row = |n: usize| {
            format!("{n},{},{}", day(n), if n.is_multiple_of(2) { nobody.into() } else { format!("A-{}", n % 17) })
        };
        let draft = drafted("id,received,officer_id", row);
        let officer = line(&draft, "officer");
        assert!(
            officer.contains("pattern = '^(?:") && officer.contains(&format!("{nobody} names no person")),
            "{draft}"
        );
    }
    let row = |n: usize| {
        format!("{n},{},{}", day(n), if n.is_multiple_of(2) { "Patrol".into() } else { format!("A-{}", n % 17) })
    };
    let draft = drafted("id,received,officer_id", row);
    let large = drafted("id,received,unit", |n| {
        format!("{n},{},{}", day(n), if n.is_multiple_of(9) { "Small" } else { "Large" })
    });
    assert!(!line(&large, "unit").contains("CHECK"), "{large}");
    assert!(line(&draft, "officer").contains("CHECK: Patrol (60) is there far more often than any other"), "{draft}");
}

#[test]
fn what_only_a_person_can_translate_is_said() {
    let serial = drafted("id,Ngày nhận,Loại", |n| format!("{n},{},A", 45_000 + n));
    assert!(serial.contains("\"Ngày nhận\" has numbers such as 45000, which a spreadsheet shows as days"), "{serial}");
    let number = drafted("id,received,Incident number", |n| format!("{n},{},{}", day(n), 45_000 + n));
    assert!(!number.contains("a spreadsheet shows as days"), "{number}");
    let answers = drafted("id,received,Sustained?", |n| format!("{n},{},{}", day(n), ["Yes", "No"][n % 2]));
    assert!(answers.contains("# CHECK: \"Sustained?\" says yes or no to what was found"), "{answers}");
    let titled = draft("Register of complaints\nid,received,unit\n1,2023-01-01,A\n2,2023-01-02,B\n");
    assert!(titled.contains("# CHECK: the first row looks like a title"), "{titled}");
    let kinds = drafted("id,received,category", |n| format!("{n},{},{}", day(n), ["Refund", "Lamp"][n % 2]));
    assert!(kinds.contains("\"Refund\" = \"CONDUCT\"  # 60, CHECK"), "{kinds}");
    let findings = drafted("mã,Ngày nhận,Kết luận", |n| format!("{n},{},{}", day(n), ["Đúng", "Sai"][n % 2]));
    assert!(findings.contains("\"Sai\" = \"PENDING\"  # 60, CHECK"), "{findings}");
}

#[test]
fn signs_that_mean_something_in_a_mapping_are_escaped() {
    let csv = |word: &str| {
        let rows: String = (1..=30).map(|n| format!("{n},\"{word}{}\",2020\n", 1 + n % 12)).collect();
        format!("id,Month,Year\n{rows}")
    };
    for word in ["T\\", "Month \"\"", "Tháng ", "'", "T\u{200b}"] {
        assert!(line(&draft(&csv(word)), "received").contains("join = [\"Month\", \"Year\"]"), "{word}");
    }
    for nobody in ["Unknown\nofficer", "Unknown 'x'", "Unknown\u{7f}", "Un\u{ad}known\r\nUnknown"] {
        let rows: String =
            (1..=30).map(|n| format!("{n},2023-01-02,\"{nobody}\"\n{n}a,2023-01-02,A{}\n", n % 5)).collect();
        assert!(
            line(&draft(&format!("id,received,officer_id\n{rows}")), "officer").contains("pattern ="),
            "{nobody:?}"
        );
    }
}

/// Names of columns that fill fields, and arbitrary ones.
fn a_name() -> impl Strategy<Value = String> {
    let examples = prop::sample::select(vec![
        "id",
        "Số",
        "Năm",
        "Month",
        "Year",
        "received",
        "closed",
        "officer_id",
        "Officer Name",
        "unit",
        "Đơn vị",
        "category",
        "issue",
        "finding",
        "status",
        "channel",
        "cost",
        "Hours",
        "text",
        "MST",
        "time received",
        "Sustained?",
    ]);
    prop_oneof![4 => examples.prop_map(str::to_owned), 1 => any::<String>()]
}

fn a_cell() -> impl Strategy<Value = String> {
    let examples = prop::sample::select(vec![
        "",
        "1",
        "12",
        "2023",
        "T\\3",
        "Month \"3",
        "2023-01-02",
        "03/04/2024",
        "25/12/2024",
        "45000",
        "10.500",
        "1,100",
        "Unknown\nofficer",
        "Unknown '",
        "TBD",
        "?",
        "Sustained",
        "Không đúng",
        "Closed",
        "Email",
        "0100233488",
        "09:30",
        "null",
        "a\tb",
        "\u{85}",
        "\u{202e}",
        "\u{feff}",
    ]);
    prop_oneof![6 => examples.prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// The draft of any readable file is a valid mapping.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "cells that begin with a formula are cells to inspect")]
    fn any_draft_is_a_mapping(
        header in prop::collection::vec(a_name(), 1..7),
        rows in prop::collection::vec(prop::collection::vec(a_cell(), 7), 1..40),
    ) {
        let quoted = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            cells.join(",") + "\n"
        };
        let csv = quoted(&header) + &rows.iter().map(|row| quoted(&row[..header.len()])).collect::<String>();
        if let Ok(found) = inspect("x.csv", Box::new(Cursor::new(csv.into_bytes()))) {
            let parsed = Mapping::parse(&found.mapping, "x.toml", Kind::Complaints);
            prop_assert!(parsed.is_ok(), "{:?}\n{}", parsed.err(), found.mapping);
        }
    }
}
