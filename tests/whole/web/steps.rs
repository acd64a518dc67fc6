//! Forms that change what was recorded before: a draft is revised and withdrawn, a measure is extended and lifted, a
//! proposal is withdrawn and refused, a redacted complaint is transferred.

use super::Visitor;
use chrono::Days;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::{DOCUMENT, MEASURE, Mutations, with_headquarters};
use tests::{Client, Json, Program, Role, TestApp, merged};

/// Sends a form, which the page offers and accepts, and shows what was done.
#[track_caller]
fn accepted(visitor: &mut Visitor<'_>, path: &str, fields: &[(&str, &str)], to: &str) {
    let (_, step) = fields[0];
    let page = visitor.get(path);
    assert!(page.text.contains(&format!("name=\"step\" value=\"{step}\"")), "{step}: {page:?}");
    let answer = visitor.post_with_secret(path, fields);
    assert_eq!((answer.status, answer.header("location")), (303, to), "{step}: {answer:?}");
    let shown = visitor.get(to);
    assert!(shown.status == 200 && shown.text.contains("class=\"done\""), "{step}: {shown:?}");
}

/// Sends a form that the page refuses at a field.
#[track_caller]
fn refused(visitor: &mut Visitor<'_>, path: &str, fields: &[(&str, &str)], field: &str) {
    let answer = visitor.post_with_secret(path, fields);
    assert!(answer.status == 422 && answer.text.contains(&format!("href=\"#{field}\"")), "{fields:?}: {answer:?}");
}

#[test]
fn a_draft_is_revised_and_withdrawn() {
    for app in TestApp::both().filled(with_headquarters).arguments(&["--no-jobs"]) {
        let head = app.as_head("HQ1");
        let draft = json!({ "title": "Thông quan khi lỗi", "text": "Làm trên giấy.", "category": "TD1" });
        let made = head.done("requestOpinion", DOCUMENT, &draft)["document"].clone();
        let path = format!("/guidance/{}", made["id"].text());
        let stored = || {
            let data = head.data("{ guidanceDocuments { nodes { title text state version } } }");
            data["guidanceDocuments"]["nodes"][0].clone()
        };
        let mut unit = Visitor::signed_in(app.server(), &head.token);
        let revised = |title: &'static str, text: &'static str| {
            [("step", "revise"), ("version", "1"), ("title", title), ("text", text)]
        };
        refused(&mut unit, &path, &revised("Thông quan", " "), "revise-text");
        assert_eq!(stored()["text"], "Làm trên giấy.");
        let to = format!("{path}?done=done-guidance-revise");
        accepted(&mut unit, &path, &revised("Thông quan", "Làm trên giấy, ghi nhận sau."), &to);
        let now = stored();
        assert_eq!((&now["title"], &now["text"]), (&json!("Thông quan"), &json!("Làm trên giấy, ghi nhận sau.")));
        let version = now["version"].to_string();
        let withdraw = [("step", "withdraw"), ("version", version.as_str()), ("reason", "Đã có văn bản khác.")];
        accepted(&mut unit, &path, &withdraw, &format!("{path}?done=done-guidance-withdraw"));
        assert_eq!(stored()["state"], "WITHDRAWN");
        assert!(!unit.get(&path).text.contains("name=\"step\""), "what is withdrawn no longer changes");
    }
}

#[test]
fn a_suspension_is_extended_and_a_measure_is_lifted() {
    let today = local_date(Timestamp::now());
    let before = |days: u64| (today - Days::new(days)).to_string();
    let (start, day, later) = (before(2), before(1), (today + Days::new(30)).to_string());
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let head = app.as_head("02DS");
        let record = |more: Value| {
            let input = json!({
                "officer": "CC02", "grounds": "Gây phiền hà.", "decisionMaker": "Chi cục trưởng", "decidedOn": start,
                "startsOn": start, "noBasisReason": "Theo kết luận kiểm tra nội bộ.",
            });
            let made = head.done("recordMeasure", MEASURE, &merged(&input, &more))["measure"].clone();
            assert_eq!(made["state"], "IN_FORCE", "{made}");
            format!("/measures/{}", made["id"].text())
        };
        let suspension = record(json!({
            "kind": "SUSPENSION", "ground": "HARASSMENT_OF_ENTERPRISES", "explanation": "Tôi nhận khuyết điểm.",
        }));
        let review = record(json!({ "kind": "FORMAL_REVIEW", "endsOn": later }));
        let state = |path: &str| {
            let id = path.rsplit('/').next().expect("an id").to_owned();
            let data = head.data("{ measures { nodes { id state liftedOn workingDays extension { reason } } } }");
            data["measures"]["nodes"].list().iter().find(|one| one["id"] == id.as_str()).expect("a measure").clone()
        };
        let mut own = Visitor::signed_in(app.server(), &head.token);
        let days = state(&suspension)["workingDays"].integer();
        let extend = [("step", "extend"), ("version", "1"), ("decidedOn", day.as_str()), ("reason", "Cần xác minh.")];
        refused(&mut own, &suspension, &extend[..3], "extend-reason");
        accepted(&mut own, &suspension, &extend, &format!("{suspension}?done=done-measures-extend"));
        let extended = state(&suspension);
        assert_eq!(extended["extension"]["reason"], "Cần xác minh.", "{extended}");
        assert!(extended["workingDays"].integer() > days, "{extended}");

        let lift = [("step", "lift"), ("version", "1"), ("liftedOn", day.as_str()), ("reason", "Đã rõ.")];
        refused(&mut own, &review, &lift[..3], "lift-reason");
        accepted(&mut own, &review, &lift, &format!("{review}?done=done-measures-lift"));
        let lifted = state(&review);
        assert_eq!((&lifted["state"], &lifted["liftedOn"]), (&json!("LIFTED"), &json!(day)), "{lifted}");
    }
}

/// The newest proposal of a correction that a client reads.
fn proposal(client: &Client<'_>) -> Value {
    let data = client.data("{ correctionProposals(first: 50) { nodes { id version state decisionReason } } }");
    let all = data["correctionProposals"]["nodes"].list();
    let waits = |one: &&Value| one["state"] == "PROPOSED";
    all.iter().find(waits).or(all.first()).expect("a proposal").clone()
}

#[test]
fn a_proposal_is_withdrawn_by_its_head_and_another_one_refused_by_the_board() {
    const LIST: &str = "/complaints/corrections";
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("03TG"));
        let propose = |cost: &str| {
            let data = board.data("{ complaints(first: 50) { nodes { id version text } } }");
            let all = data["complaints"]["nodes"].list();
            let one = all.iter().find(|one| one["text"] == "Ẩn danh").expect("a complaint about 03TG");
            let input = json!({
                "complaintId": one["id"], "expectedVersion": one["version"], "reason": "Ghi nhầm.", "costVnd": cost,
            });
            let query = "mutation ($input: CorrectComplaintInput!) { proposeCorrection(input: $input) \
                         { proposal { id } } }";
            head.data_with(query, &json!({ "input": input }));
        };
        let state = || {
            let one = proposal(&board);
            (one["id"].text().to_owned(), one["version"].to_string())
        };
        let mut own = Visitor::signed_in(app.server(), &head.token);
        let mut decides = Visitor::signed_in(app.server(), &board.token);

        propose("777");
        let (id, version) = state();
        let form = |step, reason| [("step", step), ("version", &*version), ("subject", &*id), ("reason", reason)];
        let to = format!("{LIST}?done=done-complaints-withdraw-proposal");
        accepted(&mut own, LIST, &form("withdraw-proposal", "Đã rõ."), &to);
        assert_eq!(proposal(&board)["state"], "WITHDRAWN");

        propose("888");
        let (id, version) = state();
        let form = |step, reason| [("step", step), ("version", &*version), ("subject", &*id), ("reason", reason)];
        refused(&mut decides, LIST, &form("refuse-proposal", " "), "refuse-proposal-0-reason");
        let to = format!("{LIST}?done=done-complaints-decide");
        accepted(&mut decides, LIST, &form("refuse-proposal", "Không có hóa đơn."), &to);
        let data = board.data("{ correctionProposals(first: 50) { nodes { state decisionReason } } }");
        let told = json!({ "state": "REFUSED", "decisionReason": "Không có hóa đơn." });
        assert!(data["correctionProposals"]["nodes"].list().contains(&told), "{data}");
        let data = board.data("{ complaints(first: 50) { nodes { text costVnd } } }");
        let unchanged = json!({ "text": "Ẩn danh", "costVnd": null });
        assert!(data["complaints"]["nodes"].list().contains(&unchanged), "what was refused changed nothing: {data}");
    }
}

#[test]
fn a_head_transfers_a_redacted_complaint() {
    const LIST: &str = "/complaints/redacted";
    for app in TestApp::both().world() {
        let files = Files::new();
        let key = files.key_file();
        let server = Program::built().serve(&app.database, &["--no-jobs", "--key-file", &key]);
        let board = Client { server: &server, token: app.as_role(Role::Board).token };
        let head = Client { server: &server, token: app.as_head("02CV").token };
        let secret = board.data("{ complaints(filter: {confidential: {eq: true}}) { nodes { id version } } }");
        let secret = secret["complaints"]["nodes"][0].clone();
        let input = json!({ "complaintId": secret["id"], "expectedVersion": secret["version"], "text": "Chậm trễ." });
        board.done("redactComplaint", "complaint { id }", &input);
        let read = head.data("{ redactedComplaints { nodes { pseudonym version } } }");
        let one = read["redactedComplaints"]["nodes"][0].clone();
        let version = one["version"].to_string();
        let transfer = [
            ("step", "transfer"),
            ("version", version.as_str()),
            ("subject", one["pseudonym"].text()),
            ("unit", "03TG"),
            ("reason", "Việc của 03TG."),
        ];
        let mut visitor = Visitor::signed_in(&server, &head.token);
        refused(&mut visitor, LIST, &transfer[..4], "transfer-0-reason");
        accepted(&mut visitor, LIST, &transfer, &format!("{LIST}?done=done-complaints-transfer"));
        let query = format!("{{ complaint(id: {}) {{ responsibleUnit {{ code }} }} }}", secret["id"]);
        assert_eq!(board.data(&query)["complaint"]["responsibleUnit"]["code"], "03TG");
    }
}
