//! One complaint on the page: what each role reads of it, and what it may do with it.

use super::Visitor;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Answer, Json, Program, Role, TestApp};

/// Submits a complaint about the unit 02CV, and returns its id.
fn submitted(app: &TestApp, key: &str) -> String {
    let more = json!({ "text": "Hồ sơ bị trả lại <nhiều> lần.", "unit": "02CV", "officers": ["CC01"] });
    app.as_role(Role::Intake).submitted(key, &more)["id"].text().to_owned()
}

/// The complaint as the Board reads it by the API.
fn stored(app: &TestApp, id: &str) -> Value {
    let fields = "state version costVnd category { code } responsibleUnit { code } responses { nodes { text } }
        officers { attribution finding }";
    let data = app.as_role(Role::Board).data(&format!("{{ complaint(id: \"{id}\") {{ {fields} }} }}"));
    data["complaint"].clone()
}

/// The version that the first form of a page has.
#[track_caller]
fn version(page: &str) -> String {
    let rest = page.split("name=\"version\" value=\"").nth(1).unwrap_or_else(|| panic!("no form: {page}"));
    rest.split('"').next().expect("a version").to_owned()
}

/// Sends the form of a step with the version that the page shows.
fn send(visitor: &mut Visitor<'_>, id: &str, step: &str, fields: &[(&str, &str)]) -> Answer {
    let path = format!("/complaints/{id}");
    let version = version(&visitor.get(&path).text);
    let all: Vec<(&str, &str)> =
        [("step", step), ("version", version.as_str())].iter().chain(fields).copied().collect();
    visitor.post_with_secret(&path, &all)
}

/// Sends a form that must be accepted.
#[track_caller]
fn done(visitor: &mut Visitor<'_>, id: &str, step: &str, fields: &[(&str, &str)]) {
    let answer = send(visitor, id, step, fields);
    let to = format!("/complaints/{id}?done=done-complaints-{step}");
    assert_eq!((answer.status, answer.header("location")), (303, to.as_str()), "{step}: {}", answer.text);
    let shown = visitor.get(&to);
    assert!(shown.status == 200 && shown.text.contains("class=\"done\""), "{step}: {shown:?}");
}

#[test]
fn a_complaint_is_classified_assigned_answered_and_closed_by_forms() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let id = submitted(&app, "life");
        let mut board = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
        let mut head = Visitor::signed_in(app.server(), &app.as_head("02CV").token);
        let page = board.get(&format!("/complaints/{id}")).text;
        assert!(page.contains("Hồ sơ bị trả lại &lt;nhiều&gt; lần."), "{page}");
        for step in ["do-classify", "do-transfer", "do-reject", "do-correct"] {
            assert!(page.contains(&format!("id=\"{step}\"")), "{step}");
        }
        assert!(!page.contains("id=\"do-assign\"") && !page.contains("id=\"do-respond\""));

        done(&mut board, &id, "classify", &[("category", "TD1")]);
        done(&mut board, &id, "attribute", &[("attribution/CC01", "CONFIRMED")]);
        done(&mut board, &id, "assign", &[("unit", "02CV")]);
        let assigned = stored(&app, &id);
        assert_eq!((&assigned["state"], &assigned["category"]["code"]), (&json!("ASSIGNED"), &json!("TD1")));
        assert_eq!(assigned["officers"][0]["attribution"], "CONFIRMED");

        let seen = head.get(&format!("/complaints/{id}")).text;
        assert!(seen.contains("id=\"do-respond\"") && !seen.contains("id=\"do-classify\""), "{seen}");
        done(
            &mut head,
            &id,
            "respond",
            &[("action", "CORRECTION"), ("text", "Đã sửa."), ("visibility", "COMPLAINANT")],
        );
        done(&mut board, &id, "finding", &[("officer", "CC01"), ("finding", "UNFOUNDED")]);
        done(&mut board, &id, "close", &[]);
        let closed = stored(&app, &id);
        assert_eq!((&closed["state"], &closed["responses"]["nodes"][0]["text"]), (&json!("CLOSED"), &json!("Đã sửa.")));
        assert_eq!(closed["officers"][0]["finding"], "UNFOUNDED");
        let history = board.get(&format!("/complaints/{id}?as=csv&table=history"));
        assert_eq!(history.status, 200);
        assert!(history.text.contains("Đã giao → Đã trả lời"), "{}", history.text);
        let wrong = board.get(&format!("/complaints/{id}?history=nowhere"));
        assert!(wrong.status == 422 && wrong.text.contains("Hãy mở lại danh sách từ trang đầu."), "{wrong:?}");
        assert!(wrong.text.contains("id=\"table-history\""), "it keeps the complaint: {wrong:?}");
    }
}

#[test]
fn a_refused_form_says_at_its_field_what_to_do_and_changes_nothing() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let id = submitted(&app, "refused");
        let mut board = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
        let before = stored(&app, &id);
        let unknown = send(&mut board, &id, "transfer", &[("unit", "99"), ("reason", "Vì <lý do>")]);
        assert_eq!(unknown.status, 422);
        assert!(unknown.text.contains("href=\"#transfer-unit\""), "{}", unknown.text);
        assert!(unknown.text.contains("id=\"transfer-unit-wrong\"") && unknown.text.contains("value=\"99\""));
        assert!(unknown.text.contains("Vì &lt;lý do&gt;"), "what was written stays: {}", unknown.text);
        let missing = send(&mut board, &id, "reject", &[("reason", " ")]);
        assert!(missing.status == 422 && missing.text.contains("href=\"#reject-reason\""), "{}", missing.text);
        let day =
            send(&mut board, &id, "finding", &[("officer", "CC01"), ("finding", "SUSTAINED"), ("decidedOn", "x")]);
        assert!(day.status == 422 && day.text.contains("href=\"#finding-decidedOn\""), "{}", day.text);
        let impossible = send(&mut board, &id, "close", &[]);
        assert_eq!(impossible.status, 422, "it was not answered");
        assert_eq!(stored(&app, &id), before);

        // Someone else changes the complaint while the form is open.
        let path = format!("/complaints/{id}");
        let old = version(&board.get(&path).text);
        done(&mut board, &id, "classify", &[("category", "TD1")]);
        let fields = [("step", "reject"), ("version", old.as_str()), ("reason", "Không đủ căn cứ")];
        let late = board.post_with_secret(&path, &fields);
        assert_eq!(late.status, 422);
        assert!(late.text.contains("Không đủ căn cứ"), "{}", late.text);
        assert_eq!(stored(&app, &id)["state"], "CLASSIFIED");
        let forged = board.post(&path, &fields);
        assert_eq!(forged.status, 403);
    }
}

#[test]
fn a_head_sees_nothing_of_the_neighbour_and_nothing_confidential_by_any_address() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let id = submitted(&app, "scope");
        let path = format!("/complaints/{id}");
        let secret =
            app.as_role(Role::Board).data("{ complaints(filter: {confidential: {eq: true}}) { nodes { id } } }");
        let secret = format!("/complaints/{}", secret["complaints"]["nodes"][0]["id"].text());
        let mut own = Visitor::signed_in(app.server(), &app.as_head("02CV").token);
        let mut other = Visitor::signed_in(app.server(), &app.as_head("03TG").token);
        assert_eq!(own.get(&path).status, 200);
        assert_eq!(own.get(&secret).status, 404, "confidential");
        assert_eq!(other.get(&path).status, 404, "of another unit");
        let fields = [("step", "respond"), ("version", "1"), ("text", "x"), ("action", "OTHER")];
        assert_eq!(other.post_with_secret(&path, &fields).status, 404);
        // The Board's steps are none of a head's, whatever the form says.
        let fields = [("step", "classify"), ("version", "1"), ("category", "TD1")];
        assert_eq!(own.post_with_secret(&path, &fields).status, 422);
        assert_eq!(stored(&app, &id)["state"], "RECEIVED");
        for role in [Role::DataTeam, Role::Dashboard, Role::Admin] {
            let mut visitor = Visitor::signed_in(app.server(), &app.as_role(role).token);
            assert_eq!(visitor.get(&path).status, 403, "{role}");
            assert_eq!(visitor.get("/complaints/redacted").status, 403, "{role}");
            assert_eq!(visitor.get("/complaints/corrections").status, 403, "{role}");
        }
        for wrong in ["/complaints/nothing", "/complaints/00000000-0000-0000-0000-000000000000"] {
            assert_eq!(own.get(wrong).status, 404, "{wrong}");
        }
    }
}

#[test]
fn a_head_proposes_a_correction_and_the_board_decides() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let id = submitted(&app, "correction");
        let mut board = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
        let mut head = Visitor::signed_in(app.server(), &app.as_head("02CV").token);
        done(&mut head, &id, "propose", &[("reason", "Sai số tiền"), ("costVnd", "2000000")]);
        assert!(stored(&app, &id)["costVnd"].is_null());
        let list = board.get("/complaints/corrections").text;
        assert!(list.contains("Sai số tiền") && list.contains("2000000"), "{list}");
        let subject = list.split("name=\"subject\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let (subject, version) = (subject.expect("a proposal"), version(&list));
        let fields = [("step", "refuse-proposal"), ("version", version.as_str()), ("subject", subject)];
        let refused = board.post_with_secret("/complaints/corrections", &fields);
        assert!(refused.status == 422 && refused.text.contains("href=\"#refuse-proposal-0-reason\""), "{refused:?}");
        let fields = [("step", "accept-proposal"), ("version", version.as_str()), ("subject", subject)];
        assert_eq!(board.post_with_secret("/complaints/corrections", &fields).status, 303);
        assert_eq!(stored(&app, &id)["costVnd"], "2000000");
        assert!(!board.get("/complaints/corrections").text.contains("Sai số tiền"), "it waits no longer");
        // What the Board leaves alone keeps its value.
        done(&mut board, &id, "correct", &[("reason", "Chậm"), ("delayHours", "4.5")]);
        assert_eq!(stored(&app, &id)["costVnd"], "2000000");
    }
}

#[test]
fn a_head_answers_a_redacted_complaint() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let key = files.key_file();
        let server = Program::built().serve(&app.database, &["--no-jobs", "--key-file", &key]);
        let secret =
            app.as_role(Role::Board).data("{ complaints(filter: {confidential: {eq: true}}) { nodes { id } } }");
        let id = secret["complaints"]["nodes"][0]["id"].text().to_owned();
        let mut board = Visitor::signed_in(&server, &app.as_role(Role::Board).token);
        let mut head = Visitor::signed_in(&server, &app.as_head("02CV").token);
        done(&mut board, &id, "redact", &[("text", "Chậm trễ khi thông quan.")]);
        let list = head.get("/complaints/redacted").text;
        assert!(list.contains("Chậm trễ khi thông quan.") && !list.contains("Xin giữ kín"), "{list}");
        let subject = list.split("name=\"subject\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let (subject, version) = (subject.expect("a complaint").to_owned(), version(&list));
        let fields = [
            ("step", "respond"),
            ("version", version.as_str()),
            ("subject", subject.as_str()),
            ("text", "Đã giải quyết."),
        ];
        assert_eq!(head.post_with_secret("/complaints/redacted", &fields).status, 303);
        assert_eq!(stored(&app, &id)["responses"]["nodes"][0]["text"], "Đã giải quyết.");
    }
}

#[test]
fn the_clock_is_stopped_and_duplicates_are_linked_by_forms() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let input = json!({
            "idempotencyKey": "clock", "text": "Khiếu nại quyết định.", "unit": "02CV", "legalForm": "GRIEVANCE",
        });
        let grievance = app.as_role(Role::Intake).done("submitComplaint", "id", &input)["id"].text().to_owned();
        let reason = [("reason", "Theo quy định")];
        for (step, fields) in
            [("accept", &[][..]), ("extend", &reason[..]), ("suspend", &reason[..]), ("resume", &reason[..])]
        {
            done(&mut visitor, &grievance, step, fields);
        }
        let page = visitor.get(&format!("/complaints/{grievance}")).text;
        assert!(!page.contains("id=\"do-accept\"") && page.contains("id=\"table-rounds\""), "{page}");

        let (one, other) = (submitted(&app, "one"), submitted(&app, "other"));
        let reference = board.data(&format!("{{ complaint(id: \"{one}\") {{ reference }} }}"));
        let reference = reference["complaint"]["reference"].text();
        let unknown = send(&mut visitor, &other, "link", &[("of", "PA-20200101-0000000000"), reason[0]]);
        assert!(unknown.status == 422 && unknown.text.contains("href=\"#link-of\""), "{}", unknown.text);
        done(&mut visitor, &other, "link", &[("of", reference), reason[0]]);
        assert!(visitor.get(&format!("/complaints/{other}")).text.contains(reference), "the original is named");
        done(&mut visitor, &other, "unlink", &reason);
        done(&mut visitor, &other, "transfer", &[("unit", "03TG"), reason[0]]);
        assert_eq!(stored(&app, &other)["responsibleUnit"]["code"], "03TG");
        done(&mut visitor, &other, "reject", &reason);
        done(&mut visitor, &one, "withdraw", &[]);
        assert_eq!(
            [stored(&app, &other)["state"].text(), stored(&app, &one)["state"].text()],
            ["REJECTED", "WITHDRAWN"]
        );
    }
}
