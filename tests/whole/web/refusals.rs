//! What a refused form says, in the language of its reader, and what the API says for other clients.

use super::Visitor;
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp};

/// Submits a grievance about an officer of the unit 02CV, and returns its id.
fn submitted(app: &TestApp, key: &str) -> String {
    let more = json!({ "unit": "02CV", "officers": ["CC01"], "legalForm": "GRIEVANCE" });
    app.as_role(Role::Intake).submitted(key, &more)["id"].text().to_owned()
}

/// The version and the reference of a complaint.
fn of(board: &Client<'_>, id: &str) -> Value {
    board.data(&format!("{{ complaint(id: \"{id}\") {{ version reference }} }}"))["complaint"].clone()
}

/// Sends a form that must be refused, and returns its page in a language.
#[track_caller]
fn refused(visitor: &mut Visitor<'_>, language: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let secret = visitor.secret();
    let session = visitor.cookie.as_deref().and_then(|cookie| cookie.split(';').next()).expect("a session").to_owned();
    visitor.cookie = Some(format!("{session}; phananh-language={language}"));
    let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", secret.as_str())]).collect();
    let answer = visitor.post(path, &fields);
    assert_eq!(answer.status, 422, "{fields:?}: {answer:?}");
    answer.text.replace("&#x2f;", "/")
}

#[test]
fn a_refused_form_says_what_to_do_in_the_language_of_its_reader() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let (one, other) = (submitted(&app, "one"), submitted(&app, "other"));
        let path = format!("/complaints/{one}");
        let take = |visitor: &mut Visitor<'_>, step: &str| {
            let version = of(&board, &one)["version"].to_string();
            let fields = [("step", step), ("version", version.as_str()), ("reason", "Theo quy định")];
            let answer = visitor.post_with_secret(&path, &fields);
            assert_eq!(answer.status, 303, "{step}: {answer:?}");
        };
        take(&mut visitor, "accept");
        take(&mut visitor, "extend");

        let version = of(&board, &one)["version"].to_string();
        let at = |step: &'static str| vec![("step", step), ("version", version.as_str())];
        let with = |step, more: &[(&'static str, &'static str)]| [at(step), more.to_vec()].concat();
        let because = ("reason", "Theo quy định");
        let finding = [("officer", "CC01"), ("finding", "SUSTAINED"), ("decidedOn", "2150-01-01")];
        let late = vec![("step", "reject"), ("version", "1"), because];
        for (fields, vi, en) in [
            (
                with("extend", &[because]),
                "Khiếu nại: chỉ được gia hạn 1 lần. Hãy trả lời chậm nhất ngày",
                "Grievance: the deadline can be extended 1 times only. Answer by",
            ),
            (
                with("finding", &finding),
                "Ngày 01/01/2150 không hợp lệ. Hãy ghi một ngày từ ",
                "is not possible. Write a day from ",
            ),
            (
                with("transfer", &[because, ("unit", "99XX")]),
                "Mã đơn vị: Hệ thống không có mã “99XX”. Hãy kiểm tra lại mã.",
                "Code of the unit: The register does not know the code “99XX”. Check it.",
            ),
            (with("reject", &[("reason", " ")]), "Lý do: Bắt buộc nhập.", "This is required."),
            (
                late,
                "Có người vừa thay đổi dữ liệu sau khi quý vị mở trang",
                "Another reader changed the data after you opened the page",
            ),
            (with("correct", &[because]), "Không có gì để sửa", "There is nothing to correct"),
            (
                with("correct", &[because, ("addOfficer", "CC99")]),
                "Hệ thống không có cán bộ “CC99”.",
                "The register does not know the officer “CC99”.",
            ),
        ] {
            for (language, words) in [("vi", vi), ("en", en)] {
                let page = refused(&mut visitor, language, &path, &fields);
                assert!(page.contains(words), "{words}: {page}");
                assert!(!page.contains("<span lang=\"en\">"), "nothing is quoted: {page}");
            }
        }
        let page = refused(&mut visitor, "vi", &path, &with("finding", &finding));
        assert!(
            page.contains("href=\"#finding-decidedOn\"") && page.contains("id=\"finding-decidedOn-wrong\""),
            "{page}"
        );
        assert_eq!(of(&board, &one)["version"].to_string(), version, "what was refused changed nothing");

        // The state of another complaint refuses the link to it.
        let reference = of(&board, &one)["reference"].text().to_owned();
        take(&mut visitor, "withdraw");
        let version = of(&board, &other)["version"].to_string();
        let link =
            [("step", "link"), ("version", version.as_str()), ("of", reference.as_str()), ("reason", "Cùng một việc.")];
        let path = format!("/complaints/{other}");
        let page = refused(&mut visitor, "vi", &path, &link);
        assert!(page.contains("Phản ánh gốc ở trạng thái “Đã rút” nên không được tính."), "{page}");
        let page = refused(&mut visitor, "en", &path, &link);
        assert!(page.contains("The original is in the state “Withdrawn” and does not count."), "{page}");
    }
}

#[test]
fn a_client_reads_the_reason_of_a_refusal_and_its_parameters() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let id = submitted(&app, "client");
        let error = |mutation: &str, more: &Value| {
            let mut input = json!({ "complaintId": id, "expectedVersion": 1 });
            for (name, value) in more.as_object().expect("an object") {
                input[name.as_str()] = value.clone();
            }
            let answer = board.send(mutation, "complaint { id }", &input).json();
            answer["errors"][0].clone()
        };
        let finding = json!({ "officer": "CC01", "finding": "SUSTAINED", "decidedOn": "2150-01-01" });
        let range = error("recordFinding", &finding);
        let extensions = &range["extensions"];
        assert_eq!(
            (&extensions["code"], &extensions["reason"]),
            (&json!("BAD_USER_INPUT"), &json!("DECIDED_ON_OUT_OF_RANGE"))
        );
        let parameters = &extensions["parameters"];
        assert_eq!(parameters["day"], "2150-01-01", "{range}");
        let wanted = format!(
            "decidedOn is 2150-01-01: must be between {} and {}",
            parameters["from"].text(),
            parameters["until"].text()
        );
        assert_eq!(range["message"], wanted);
        let stale = error("transferComplaint", &json!({ "expectedVersion": 9, "unit": "03TG", "reason": "Đúng hơn." }));
        assert_eq!(stale["extensions"]["code"], "CONFLICT", "{stale}");
        assert_eq!(stale["extensions"]["reason"], "OTHER_VERSION");
        let parameters = json!({ "what": "complaint", "actual": "1", "expected": "9" });
        assert_eq!(stale["extensions"]["parameters"], parameters);
        let wanted = "the complaint is at version 1, not 9: read it again and repeat the change if it still applies";
        assert_eq!(stale["message"], wanted);
    }
}
