//! *CSV and XLSX of what I see*.

use super::Visitor;
use super::units::{page, world_of_today};
use schema::enums::Role;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use tests::{Json, TestApp, project, python};

/// The workbook that a reader gets at an address, by another program: the rows of each sheet, whose cells are their
/// type, format and value.
#[track_caller]
pub fn workbook(arguments: &[&str]) -> Value {
    let python = python(&["openpyxl"], &["python3-openpyxl"], &["openpyxl==3.1.5"]);
    let script = project().join("tests/clients/workbook.py");
    let said = Command::new(python).arg(script).args(arguments).output().expect("Python");
    let problems = String::from_utf8_lossy(&said.stderr);
    serde_json::from_slice(&said.stdout).unwrap_or_else(|e| panic!("{e}: {problems}"))
}

#[test]
fn shares_and_days_of_a_file_are_those_of_the_screen() {
    let app = TestApp::sqlite().filled(world_of_today).arguments(&["--no-jobs"]).start();
    let token = app.as_role(Role::Board).token;
    let mut visitor = Visitor::signed_in(app.server(), &token);
    let path = "/explore?by=CATEGORY&measure=SHARE_ANSWERED_IN_TIME";
    let (shown, csv) = (page(&mut visitor, path), page(&mut visitor, &format!("{path}&as=csv")));
    let header = csv.lines().next().unwrap_or_default();
    assert!(header.ends_with("Tỷ lệ trả lời đúng hạn (%)"), "{header}");
    let last = |line: &str| line.rsplit(',').next().and_then(|cell| cell.parse::<f64>().ok());
    let shares: Vec<f64> = csv.lines().skip(1).filter_map(last).collect();
    assert!(shares.iter().any(|share| *share > 1.0), "per cent: {csv}");
    // Halves are rounded either way.
    for share in shares.iter().filter(|share| ((*share * 10.0).fract() - 0.5).abs() > 1e-6) {
        let wanted = format!("{share:.1}%").replace('.', ",");
        assert!(shown.contains(&wanted), "{wanted}: {shown}");
    }
    let book = workbook(&[&app.server().address, &token, &format!("{path}&as=xlsx")]);
    let cell = book["statistics"]
        .list()
        .iter()
        .skip(1)
        .filter_map(|row| row.list().last())
        .find(|cell| cell[2].text().parse::<f64>().is_ok_and(|share| share > 0.0));
    let cell = cell.unwrap_or_else(|| panic!("no share: {book}"));
    assert_eq!(cell[1], "0.0%", "{book}");
    assert!(cell[2].text().parse::<f64>().is_ok_and(|share| share <= 1.0), "{book}");

    // Days: by ISO 8601 in CSV, and as days in a workbook, which sorts them.
    let csv = page(&mut visitor, "/complaints?as=csv");
    let day = csv.lines().nth(1).and_then(|line| line.split(',').nth(1)).unwrap_or_default();
    assert!(day.parse::<chrono::NaiveDate>().is_ok(), "{csv}");
    let book = workbook(&[&app.server().address, &token, "/complaints?as=xlsx"]);
    let received = &book["complaints"][1][1];
    assert_eq!((received[0].text(), received[1].text()), ("datetime", "yyyy-mm-dd"), "{book}");
    assert!(received[2].text().starts_with(day), "{received} is not {day}");
}

#[test]
fn a_list_is_a_file_with_the_same_filter() {
    let app = TestApp::sqlite().generated(1_500, 11).arguments(&["--no-jobs"]).start();
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    assert!(
        visitor.get("/complaints").text.contains("mỗi bảng nhiều nhất 10.000 dòng"),
        "a file may not hold everything"
    );
    let csv = visitor.get("/complaints?as=csv");
    assert_eq!(csv.status, 200);
    assert!(csv.content_type.starts_with("text/csv") && csv.header("content-disposition").contains("complaints.csv"));
    let all = app.as_role(Role::Board).data("{ complaints { totalCount } }")["complaints"]["totalCount"].integer();
    assert!(all > 200, "more than one answer has: {all}");
    let references: BTreeSet<&str> = csv.text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(references.len() as i64, all, "each complaint once");
    let none = visitor.get("/complaints?until=1999-12-31&as=csv");
    assert_eq!(none.text.lines().count(), 1, "only the header: {}", none.text);
    assert_eq!((csv.header("x-content-type-options"), csv.header("cache-control")), ("nosniff", "private, no-store"));
    let wrong = visitor.get("/complaints?from=yesterday&as=csv");
    assert_eq!((wrong.status, wrong.header("content-disposition")), (422, ""), "a file would hide why it is empty");
    let other = visitor.get("/complaints?as=csv&table=nowhere");
    assert_eq!(other.status, 404);
    let mut anonymous = Visitor::of(app.server());
    assert_eq!(anonymous.get("/complaints?as=csv").status, 303);
}
