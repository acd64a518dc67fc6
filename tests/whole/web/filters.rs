//! What a page says about values of its address that cannot be used: the field, the value and what is allowed, in the
//! language of its reader.

use super::Visitor;
use serde_json::json;
use tests::{Answer, Role, TestApp};

/// The views with the arguments that they read.
const VIEWS: [(&str, &str); 20] = [
    ("/flags", "search tier state kind unit since order run id after before"),
    (
        "/complaints",
        "search state unit responsible category from until overdue officer enterprise finding channel form \
         confidential anonymous blames recorded due order after before kind responded answered-from answered-until \
         due-from due-until unit-alone category-alone responsible-alone concerning counted",
    ),
    ("/complaints/redacted", "state unit after before"),
    ("/complaints/corrections", "state complaint after before"),
    ("/complaints/changes", "after until"),
    ("/overdue", "unit days after before"),
    ("/overdue/escalations", "unit named level confidential from until all after before"),
    (
        "/explore",
        "by and measure from until unit category kind channel state day-from day-until answered-from answered-until \
         as-of concerning responsible responsible-alone confidential after",
    ),
    ("/units", "search months kind ended"),
    ("/units/02CV", "days"),
    ("/categories", "days level unit category state window proposal after before"),
    ("/guidance", "search state unit category from until after before"),
    ("/measures", "kind state unit officer from until id after before"),
    ("/alerts", "kind state subject from until after before"),
    ("/blame", "code"),
    ("/digests", "locale from until after before"),
    ("/digests/sent", "reader state locale from until after before"),
    ("/jobs", "job state from until after before"),
    ("/webhooks", "endpoint event from until after before"),
    ("/audit", "action role actor from until after before"),
];

/// Values as an address has them: words, numbers and days out of range, NUL, a cursor of no list, SQL and HTML.
const VALUES: [&str; 10] = [
    "nowhere",
    "-1",
    "99999999999999999999",
    "2026-13-45",
    "%2B10000-01-01",
    "0001-01-01",
    "a%00b",
    "WyJ4Il0",
    "PA-20101231-UUUUUUUUUU",
    "%27%20OR%201=1%20--%20%3Cb%3E",
];

/// Words of sentences of the API, none of which is Vietnamese.
const ENGLISH: [&str; 10] = ["is", "the", "must", "not", "there", "belongs", "write", "valid", "with", "which"];

/// Asks for a page in a language.
fn get(visitor: &mut Visitor<'_>, language: &str, path: &str) -> Answer {
    let session = visitor.cookie.as_deref().and_then(|cookie| cookie.split(';').next()).expect("a session").to_owned();
    visitor.cookie = Some(format!("{session}; phananh-language={language}"));
    visitor.get(path)
}

/// The problems that a page lists; empty without any.
fn problems(page: &str) -> &str {
    let listed = page.split("<div class=\"problems\"").nth(1).and_then(|rest| rest.split("</div>").next());
    listed.unwrap_or_default()
}

/// The problems without the values that they repeat, and without tags.
fn own_words(page: &str) -> String {
    let mut words = String::new();
    let (mut in_tag, mut in_value) = (false, false);
    for letter in problems(page).chars() {
        match letter {
            '<' => in_tag = true,
            '>' => in_tag = false,
            '“' => in_value = true,
            '”' => in_value = false,
            _ if in_tag || in_value => {}
            _ => words.push(letter),
        }
    }
    words
}

#[test]
fn no_value_of_an_address_brings_an_english_sentence_onto_a_vietnamese_page() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let mut board = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    let mut admin = Visitor::signed_in(app.server(), &app.as_role(Role::Admin).token);
    let mut head = Visitor::signed_in(app.server(), &app.as_head("03").token);
    let long = "a".repeat(1_500);
    let mut values: Vec<&str> = VALUES.to_vec();
    values.push(&long);
    for (view, arguments) in VIEWS {
        let visitor = match view {
            "/jobs" | "/webhooks" | "/audit" => &mut admin,
            "/complaints/redacted" => &mut head,
            _ => &mut board,
        };
        assert!([200, 422].contains(&get(visitor, "vi", view).status), "{view} is shown");
        for argument in arguments.split_whitespace() {
            for value in &values {
                let path = format!("{view}?{argument}={value}");
                let page = get(visitor, "vi", &path);
                assert!([200, 422].contains(&page.status), "{path}: {page:?}");
                assert!(!page.text.contains("<span lang=\"en\">"), "{path} quotes the API: {page:?}");
                let said = own_words(&page.text);
                let english = said.split(|c: char| !c.is_alphabetic()).find(|word| ENGLISH.contains(word));
                assert!(english.is_none(), "{path}: {english:?} in {said}");
                assert_eq!(page.status == 422, !said.is_empty(), "{path} says what is wrong: {page:?}");
            }
            let path = format!("{view}?{argument}=a%00b");
            let page = get(visitor, "en", &path);
            let said = problems(&page.text);
            assert!(page.status == 422 && (said.contains('“') || said.contains("key file")), "{path}: {page:?}");
        }
    }
}

#[test]
fn a_wrong_filter_is_told_with_its_field_its_value_and_what_is_allowed() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        for (path, vi, en) in [
            (
                "/flags?tier=NONE",
                "Mức: không có giá trị “NONE”. Hãy chọn một trong các giá trị: ",
                "there is no value “NONE”. Choose one of these: ",
            ),
            ("/flags?unit=nowhere", "không có đơn vị “nowhere”.", "does not know the unit “nowhere”."),
            ("/complaints?responsible=nowhere", "không có đơn vị “nowhere”.", "does not know the unit “nowhere”."),
            ("/complaints?category=nowhere", "không có loại vướng mắc “nowhere”.", "know the category “nowhere”."),
            (
                "/complaints?after=nowhere",
                "Hãy mở lại danh sách từ trang đầu.",
                "Open the list again from its first page.",
            ),
            (
                "/complaints?search=PA-20101231-UUUUUUUUUU",
                "“PA-20101231-UUUUUUUUUU” không phải là số phản ánh của hệ thống này.",
                "“PA-20101231-UUUUUUUUUU” is not a reference of this register.",
            ),
            (
                "/complaints?recorded=31-12-2025",
                "Ghi vào hệ thống từ ngày: “31-12-2025” không phải là ngày dùng được. Hãy ghi một ngày từ \
                 1900-01-01 đến 9998-12-31,",
                "“31-12-2025” is not a valid day. Write a day from 1900-01-01 to 9998-12-31 ",
            ),
            (
                "/overdue?days=-1",
                "Quá hạn ít nhất (ngày): “-1” không dùng được. Hãy ghi một số nguyên từ 0 đến 1.000.000.",
                "“-1” cannot be used. Write a whole number from 0 to 1,000,000.",
            ),
            ("/overdue?unit=nowhere", "không có đơn vị “nowhere”.", "does not know the unit “nowhere”."),
            ("/overdue/escalations?level=3", "Cấp: không có giá trị “3”.", "there is no value “3”."),
            ("/explore?by=NONE", "Nhóm theo: không có giá trị “NONE”. ", "Group by: there is no value “NONE”. "),
            ("/explore?measure=NONE", "Chỉ số: không có giá trị “NONE”. ", "Measure: there is no value “NONE”. "),
            ("/explore?unit=nowhere", "không có đơn vị “nowhere”.", "does not know the unit “nowhere”."),
            ("/explore?as-of=2199-01-01", "Ngày 01/01/2199 ở tương lai.", "is in the future. Write a day up to today,"),
            ("/measures?id=1", "Mã của mục: “1” không phải là mã nhận dạng.", "Id of the object: “1” is not an id."),
            ("/categories?unit=nowhere", "không có đơn vị “nowhere”.", "does not know the unit “nowhere”."),
            ("/units?months=7", "Khoảng thời gian: không có giá trị “7”.", "Period: there is no value “7”."),
            ("/units?kind=NONE", "Loại vướng mắc: không có giá trị “NONE”.", "there is no value “NONE”."),
            ("/units?search=a%00b", "“search” trong địa chỉ có ký tự", "“search” in the address has a character"),
            ("/units/02CV?days=7", "Khoảng thời gian: không có giá trị “7”.", "Period: there is no value “7”."),
            ("/units/02CV?days=a%00b", "“days” trong địa chỉ có ký tự", "“days” in the address has a character"),
            ("/complaints/corrections?state=NONE", "Trạng thái: không có giá trị “NONE”.", "no value “NONE”."),
            ("/complaints/corrections?complaint=1", "“1” không phải là mã nhận dạng.", "“1” is not an id."),
            ("/categories?state=NONE", "Trạng thái đề xuất: không có giá trị “NONE”.", "there is no value “NONE”."),
        ] {
            for (language, words) in [("vi", vi), ("en", en)] {
                let page = get(&mut visitor, language, path);
                assert_eq!(page.status, 422, "{path}: {page:?}");
                let has_filter = page.text.contains("<form class=\"filters\"");
                assert!(has_filter, "{path} leaves the filter to be changed: {page:?}");
                let said = problems(&page.text).replace("&#x2f;", "/");
                assert!(said.contains(words), "{path}: {words}: {said}");
            }
        }
        let mut head = Visitor::signed_in(app.server(), &app.as_head("03").token);
        let page = get(&mut head, "vi", "/complaints/redacted?state=NONE");
        assert!(page.status == 422 && page.text.contains("<form class=\"filters\""), "{page:?}");
        assert!(problems(&page.text).contains("Trạng thái: không có giá trị “NONE”."), "{page:?}");
        let refused = |query: &str| board.request(query).json()["errors"][0].clone();
        let unit = refused("{ flags(filter: {unit: {within: \"nowhere\"}}) { nodes { id } } }");
        assert_eq!(unit["message"], "within: there is no unit \"nowhere\": the query `units` lists the codes");
        assert_eq!(unit["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(unit["extensions"]["reason"], "FILTER_UNIT_UNKNOWN");
        assert_eq!(unit["extensions"]["parameters"], json!({ "field": "within", "code": "nowhere" }));
        let cursor = refused("{ complaints(after: \"nowhere\") { nodes { id } } }");
        assert_eq!(cursor["message"], "after is not a valid cursor: take one from `pageInfo` or an edge");
        assert_eq!(cursor["extensions"]["reason"], "NOT_A_CURSOR");
    }
}
