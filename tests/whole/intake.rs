//! Complainants follow their complaints by receipts, without a token; and whoever takes a complaint for a caller
//! submits it.

use crate::program;
use diesel::prelude::*;
use schema::tables::complaint_events;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Answer, Client, Database, Json, Role, TestApp, merged};

pub const LONG: &str = "Cán bộ hải quan cố tình kéo dài việc kiểm tra hồ sơ của doanh nghiệp chúng tôi, hàng hư hỏng";

/// Settings under which a test may try as often as it likes.
const OFTEN: &str = "[api.intake]\nrequests_per_minute = 1000000\nattempts_per_minute = 1000000\n";

pub const RECEIPT: &str =
    "id reference created version position receiptCode possibleDuplicates { id reference similarity }";

const STATUS: &str = "{ reference state dueOn satisfied additions reopenUntil unit { code nameVi } \
    answers { text action satisfied unit { code } } }";

pub fn submission(key: &str, more: &Value) -> Value {
    let input =
        json!({ "idempotencyKey": key, "taxCode": "0100233488", "unit": "02CV", "category": "TD1", "text": LONG });
    merged(&input, more)
}

pub fn submitted(client: &Client<'_>, key: &str, more: &Value) -> Value {
    client.done("submitComplaint", RECEIPT, &submission(key, more))
}

/// Sends what the holder of a receipt does; without a token if the client has none.
pub fn by_receipt(client: &Client<'_>, field: &str, code: &str, more: &str) -> Answer {
    let kind = if field == "complaintStatus" { "query" } else { "mutation" };
    let document = format!("{kind} ($receipt: String!) {{ {field}(receipt: $receipt{more}) {STATUS} }}");
    client.request_with(&document, &json!({ "receipt": code }))
}

/// The status after what the holder of a receipt did, which must succeed.
#[track_caller]
pub fn status_after(client: &Client<'_>, field: &str, code: &str, more: &str) -> Value {
    let answer = by_receipt(client, field, code, more).json();
    assert!(answer.get("errors").is_none(), "{field}: {answer}");
    answer["data"][field].clone()
}

/// A unit answers a complaint at its present version.
pub fn answer_it(board: &Client<'_>, head: &Client<'_>, id: &Value, text: &str, visibility: &str) {
    let version = board.data(&format!("{{ complaint(id: {id}) {{ version }} }}"))["complaint"]["version"].clone();
    let input = json!({
        "complaintId": id, "expectedVersion": version, "action": "EXPLANATION", "text": text, "visibility": visibility
    });
    head.done("respondToComplaint", "position", &input);
}

pub fn often(files: &Files) -> [String; 2] {
    files.config("often.toml", OFTEN)
}

#[test]
fn a_complainant_follows_adds_reopens_and_withdraws_without_a_token() {
    let files = Files::new();
    let [flag, config] = often(&files);
    for app in TestApp::both().world().arguments(&["--no-jobs", &flag, &config]) {
        let (board, intake, head) = (app.as_role(Role::Board), app.as_role(Role::Intake), app.as_head("02CV"));
        let nobody = app.anonymous();
        let more = json!({ "receivedAt": "2024-03-01T08:00:00+07:00", "officers": ["CC01"], "attachments": [{
            "name": "Biên bản.pdf", "size": 12345, "mediaType": "application/PDF", "sha256": "A".repeat(64),
            "url": "https://files.example.vn/bien-ban.pdf" }] });
        let receipt = submitted(&intake, "follow", &more);
        let (id, code) = (receipt["id"].clone(), receipt["receiptCode"].text().to_owned());
        assert!(code.starts_with("BN-") && code.len() == 27, "{code}");
        let status = status_after(&nobody, "complaintStatus", &code, "");
        assert_eq!(
            (&status["reference"], &status["state"], &status["dueOn"], &status["unit"]["code"]),
            (&receipt["reference"], &json!("RECEIVED"), &json!("2024-03-22"), &json!("02CV"))
        );
        assert_eq!((status["answers"].list().len(), &status["satisfied"]), (0, &Value::Null));
        // Nothing that names an officer, and no internal response.
        answer_it(&board, &head, &id, "Trao đổi nội bộ về CC01.", "INTERNAL");
        let internal = by_receipt(&nobody, "complaintStatus", &code, "");
        assert!(!internal.text.contains("CC01") && internal.json()["data"]["complaintStatus"]["state"] == "ANSWERED");
        answer_it(&board, &head, &id, "Đã giải thích.", "COMPLAINANT");
        let status = status_after(&nobody, "complaintStatus", &code.to_lowercase().replace('-', " "), "");
        assert_eq!(status["answers"][0]["text"], "Đã giải thích.", "{status}");
        assert!(status["reopenUntil"].is_string(), "{status}");
        // A dissatisfied complainant reopens with it, once.
        let unhappy = ", satisfied: false, comment: \"Chưa đúng việc.\"";
        let status = status_after(&nobody, "confirmSatisfaction", &code, unhappy);
        assert_eq!(
            (&status["state"], &status["satisfied"], &status["additions"], &status["reopenUntil"]),
            (&json!("ASSIGNED"), &json!(false), &json!(1), &Value::Null)
        );
        let confirmed = by_receipt(&nobody, "confirmSatisfaction", &code, ", satisfied: true");
        assert_eq!(confirmed.codes(), ["CONFLICT"], "not answered again yet: {}", confirmed.text);
        answer_it(&board, &head, &id, "Đã xin lỗi.", "COMPLAINANT");
        assert_eq!(by_receipt(&nobody, "reopenByReceipt", &code, ", reason: \"Nữa.\"").codes(), ["CONFLICT"], "once");
        let status = status_after(&nobody, "confirmSatisfaction", &code, ", satisfied: true");
        assert_eq!((&status["state"], &status["satisfied"]), (&json!("ANSWERED"), &json!(true)));
        let added = status_after(
            &nobody,
            "addToComplaint",
            &code,
            &format!(
                ", text: \"Gửi thêm ảnh.\", attachments: [{{name: \"a.jpg\", size: 1, mediaType: \"image/jpeg\", \
                 sha256: \"{}\", url: \"s3://anh/a.jpg\"}}]",
                "b".repeat(64)
            ),
        );
        assert_eq!(added["additions"], 2);
        let query = format!(
            "{{ complaint(id: {id}) {{ additions {{ number text }} \
               attachments {{ addition name mediaType sha256 url size }} \
               responses {{ nodes {{ text satisfied visibility }} }} }} }}"
        );
        for client in [&board, &head] {
            let complaint = client.data(&query)["complaint"].clone();
            assert_eq!(
                complaint["additions"],
                json!([{ "number": 1, "text": "Chưa đúng việc." }, { "number": 2, "text": "Gửi thêm ảnh." }])
            );
            let attachments = complaint["attachments"].list();
            assert_eq!(attachments.len(), 2, "{complaint}");
            assert_eq!(
                (&attachments[0]["addition"], &attachments[0]["mediaType"], &attachments[0]["sha256"]),
                (&Value::Null, &json!("application/pdf"), &json!("a".repeat(64)))
            );
            assert_eq!((&attachments[1]["addition"], &attachments[1]["url"]), (&json!(2), &json!("s3://anh/a.jpg")));
            let satisfied: Vec<&Value> =
                complaint["responses"]["nodes"].list().iter().map(|response| &response["satisfied"]).collect();
            assert_eq!(satisfied, [&Value::Null, &json!(false), &json!(true)]);
            assert_eq!(complaint["responses"]["nodes"][0]["visibility"], "INTERNAL");
        }
        let team = app.as_role(Role::DataTeam);
        for field in ["additions { text }", "attachments { name }", "takenBy"] {
            let denied = team.codes(&format!("{{ complaints {{ nodes {{ {field} }} }} }}"));
            assert!(!denied.is_empty() && denied.iter().all(|code| code == "FORBIDDEN"), "{field}: {denied:?}");
        }
        let status = status_after(&nobody, "withdrawByReceipt", &code, ", reason: \"Đã ổn.\"");
        assert_eq!(status["state"], "WITHDRAWN");
        for (field, more) in
            [("withdrawByReceipt", ""), ("addToComplaint", ", text: \"x\""), ("reopenByReceipt", ", reason: \"x\"")]
        {
            assert_eq!(by_receipt(&nobody, field, &code, more).codes(), ["CONFLICT"], "{field}");
        }
        // All of it are events of nobody in particular.
        let actors: Vec<String> = app
            .database
            .open()
            .read(|conn| {
                Ok(complaint_events::table
                    .order((complaint_events::position.desc(), complaint_events::ordinal.desc()))
                    .limit(2)
                    .select(complaint_events::actor)
                    .load(conn)?)
            })
            .unwrap();
        assert_eq!(actors, ["receipt", "receipt"]);
    }
}

#[test]
fn without_a_token_nothing_but_receipts_is_answered() {
    let files = Files::new();
    let [flag, config] = often(&files);
    let app = TestApp::sqlite().world().arguments(&["--no-jobs", &flag, &config]).start();
    let (intake, nobody) = (app.as_role(Role::Intake), app.anonymous());
    let code = submitted(&intake, "only", &json!({}))["receiptCode"].text().to_owned();
    assert_eq!(by_receipt(&nobody, "complaintStatus", &code, "").codes(), [""; 0]);
    let status = format!("complaintStatus(receipt: \"{code}\") {{ state }}");
    for document in [
        "{ complaints { totalCount } }".to_owned(),
        "{ __schema { types { name } } }".to_owned(),
        "{ __typename }".to_owned(),
        format!("{{ {status} __typename }}"),
        format!("{{ {status} complaints {{ totalCount }} }}"),
        format!("{{ {status} __schema {{ types {{ name }} }} }}"),
        format!("{{ ... {{ {status} }} }}"),
        format!("query A {{ {status} }} query B {{ complaints {{ totalCount }} }}"),
        "# complaintStatus\n{ complaints { totalCount } }".to_owned(),
    ] {
        let answer = nobody.request(&document);
        assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]), "{document}");
    }
    // One operation with one field: a guess is a request.
    let twice = nobody.request(&format!("{{ a: {status} b: {status} }}"));
    assert_eq!((twice.status, twice.codes()), (400, vec!["GRAPHQL_VALIDATION_FAILED".to_owned()]), "{}", twice.text);
    let headers = [("content-type", "application/json"), ("accept", "application/graphql-response+json")];
    let one = json!({ "query": format!("{{ {status} }}") });
    let list = app.server().send("POST", "/graphql", &headers, &json!([one, one]).to_string());
    assert_eq!(list.status, 400, "{}", list.text);
    // A name that is written with escapes is the same name.
    let escaped =
        json!({ "query": format!("{{ {status} }}") }).to_string().replace("complaintStatus", "complaint\\u0053tatus");
    assert_eq!(app.server().send("POST", "/graphql", &headers, &escaped).status, 200);
    // Never in a URL, with or without a token.
    let url = format!("/graphql?query=%7BcomplaintStatus(receipt%3A%22{code}%22)%7Bstate%7D%7D");
    let bearer = format!("Bearer {}", intake.token);
    for headers in [&[][..], &[("authorization", bearer.as_str())]] {
        let answer = app.server().send("GET", &url, headers, "");
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{}", answer.text);
        assert!(answer.text.contains("by POST") && !answer.text.contains(&code), "{}", answer.text);
    }
    // A web site sends the same with its token; other roles do not.
    assert_eq!(by_receipt(&intake, "complaintStatus", &code, "").codes(), [""; 0]);
    for role in [Role::Board, Role::DataTeam, Role::Dashboard, Role::Admin] {
        let codes = by_receipt(&app.as_role(role), "complaintStatus", &code, "").codes();
        assert!(!codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"), "{role}: {codes:?}");
    }
    // A wrong code and one that was replaced get the same answer; a mistyped one is told so.
    let renewed = intake.done("renewReceipt", "receiptCode", &json!({ "idempotencyKey": "only" }));
    let wrong = "BN-0000-0000-0000-0000-0000";
    let [old, unknown] = [code.as_str(), wrong].map(|code| by_receipt(&nobody, "complaintStatus", code, ""));
    assert_eq!(old.codes(), ["NOT_FOUND"], "{}", old.text);
    assert_eq!(old.json(), unknown.json());
    let new = renewed["receiptCode"].text();
    assert_eq!(status_after(&nobody, "complaintStatus", new, "")["state"], "RECEIVED");
    let last = if new.ends_with('0') { "1" } else { "0" };
    let mistyped = by_receipt(&nobody, "complaintStatus", &format!("{}{last}", &new[..new.len() - 1]), "");
    assert_eq!(mistyped.codes(), ["BAD_USER_INPUT"], "{}", mistyped.text);
    assert!(mistyped.text.contains("mistyped"), "{}", mistyped.text);
}

#[test]
fn codes_cannot_be_tried_at_will() {
    let files = Files::new();
    let [flag, config] = files.config("rare.toml", "[api.intake]\nrequests_per_minute = 5\nattempts_per_minute = 3\n");
    let app = TestApp::sqlite().world().arguments(&["--no-jobs", &flag, &config]).start();
    let (intake, nobody) = (app.as_role(Role::Intake), app.anonymous());
    let unknown = "BN-0000-0000-0000-0000-0000";
    // Attempts at codes with one beginning are counted whoever makes them; a client with a token has no address here.
    for _ in 0..3 {
        assert_eq!(by_receipt(&intake, "complaintStatus", unknown, "").codes(), ["NOT_FOUND"]);
    }
    assert_eq!(by_receipt(&intake, "complaintStatus", unknown, "").codes(), ["RATE_LIMITED"]);
    let code = submitted(&intake, "rare", &json!({}))["receiptCode"].text().to_owned();
    assert_eq!(by_receipt(&intake, "complaintStatus", &code, "").codes(), [""; 0], "another beginning");
    // Requests of an address without a token are counted, also mistyped ones.
    for _ in 0..5 {
        assert_eq!(by_receipt(&nobody, "complaintStatus", "BN-X", "").codes(), ["BAD_USER_INPUT"]);
    }
    let refused = by_receipt(&nobody, "complaintStatus", &code, "");
    assert_eq!((refused.status, refused.codes()), (429, vec!["RATE_LIMITED".to_owned()]), "{}", refused.text);
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(nobody.request("{ complaints { totalCount } }").status, 401, "not counted, not answered");
    assert_eq!(by_receipt(&intake, "complaintStatus", &code, "").codes(), [""; 0], "a token has limits of its own");
}

#[test]
fn a_code_stands_in_no_log_no_metric_no_audit_and_no_table() {
    for database in Database::both() {
        fixtures::fill(&database);
        let files = Files::new();
        let [_, config] = files.config("slow.toml", &format!("[api]\nslow_ms = 0\n{OFTEN}"));
        let environment = [("PHANANH_LOG", "json"), ("RUST_LOG", "info")];
        let server = program().serve_with(&database, &["--no-jobs", "--config", &config], &environment);
        let client = |role: &str| Client { server: &server, token: program().token(&database, role, None) };
        let (intake, admin) = (client("INTAKE"), client("ADMIN"));
        let nobody = Client { server: &server, token: String::new() };
        let receipt = submitted(&intake, "secret", &json!({}));
        let code = receipt["receiptCode"].text().to_owned();
        let document =
            format!("query Named{} {{ complaintStatus(receipt: \"{code}\") {{ state }} }}", code.replace('-', ""));
        assert_eq!(nobody.request(&document).status, 200);
        status_after(&intake, "complaintStatus", &code, "");
        status_after(&nobody, "addToComplaint", &code, ", text: \"Thêm.\"");
        let looks = "{ auditLog(first: 100) { nodes { actor role operation objects } } }";
        tests::wait_until(10, "the audit log notes whose complaint was shown", || {
            let entries = admin.data(looks)["auditLog"]["nodes"].clone();
            entries.list().iter().any(|entry| entry["actor"] == "receipt")
        });
        let bare = code.replace('-', "");
        let mut told = vec![admin.data(looks).to_string(), server.metrics(&admin.token)];
        let rows: Vec<String> = database
            .open()
            .read(|conn| {
                let events: Vec<(String, Option<schema::JsonValue>)> =
                    complaint_events::table.select((complaint_events::actor, complaint_events::after)).load(conn)?;
                Ok(events.into_iter().map(|(actor, after)| format!("{actor} {after:?}")).collect())
            })
            .unwrap();
        told.extend(rows);
        // SQLite: everything that is stored.
        if let Some(folder) = database.folder() {
            let files =
                std::fs::read_dir(folder).unwrap().filter_map(|entry| std::fs::read(entry.unwrap().path()).ok());
            told.extend(files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
        }
        told.push(server.log_after("TERM"));
        for text in &told {
            assert!(!text.contains(&code) && !text.contains(&bare), "{}", database.name);
        }
    }
}

#[test]
fn many_who_reopen_at_once_reopen_once_and_not_too_late() {
    let files = Files::new();
    let [flag, config] = often(&files);
    for app in TestApp::both().world().arguments(&["--no-jobs", &flag, &config]) {
        let (board, intake, head) = (app.as_role(Role::Board), app.as_role(Role::Intake), app.as_head("02CV"));
        let (database, nobody) = (&app.database, app.anonymous());
        let receipt = submitted(&intake, "once", &json!({}));
        let code = receipt["receiptCode"].text();
        answer_it(&board, &head, &receipt["id"], "Đã giải thích.", "COMPLAINANT");
        let reopened: Vec<Vec<String>> = std::thread::scope(|scope| {
            let reopen = || by_receipt(&nobody, "reopenByReceipt", code, ", reason: \"Chưa xong.\"").codes();
            let sent: Vec<_> = (0..8).map(|_| scope.spawn(reopen)).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!(reopened.iter().filter(|codes| codes.is_empty()).count(), 1, "{reopened:?}");
        assert!(reopened.iter().all(|codes| codes.is_empty() || *codes == ["CONFLICT"]), "{reopened:?}");
        let events: i64 = database
            .open()
            .read(|conn| {
                let by_receipt = complaint_events::table.filter(complaint_events::actor.eq("receipt"));
                Ok(by_receipt.count().get_result(conn)?)
            })
            .unwrap();
        assert_eq!(events, 1);
        // Another complaint, answered long ago.
        let receipt = submitted(&intake, "late", &json!({ "text": "Một việc khác." }));
        let code = receipt["receiptCode"].text();
        answer_it(&board, &head, &receipt["id"], "Trả lời cũ.", "COMPLAINANT");
        let days = if database.folder().is_some() { "2764800000000" } else { "interval '32 days'" };
        database.tamper(&format!(
            "UPDATE unit_responses SET responded_at = responded_at - {days} WHERE text = 'Trả lời cũ.'; \
             UPDATE complaints SET state_since = state_since - {days} WHERE text = 'Một việc khác.'"
        ));
        let late = by_receipt(&nobody, "reopenByReceipt", code, ", reason: \"Muộn.\"");
        assert_eq!(late.codes(), ["CONFLICT"], "{}", late.text);
        assert!(late.text.contains("could be reopened until"), "{}", late.text);
        let status = status_after(&nobody, "confirmSatisfaction", code, ", satisfied: false");
        assert_eq!((&status["state"], &status["satisfied"]), (&json!("ANSWERED"), &json!(false)), "said, not reopened");
    }
}

#[test]
fn board_and_heads_submit_complaints_of_callers() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake, express) = (app.as_role(Role::Board), app.as_role(Role::Intake), app.as_head("02DS"));
        let other = app.as_holder(&["--name", "khac", "--role", "INTAKE"]);
        for taker in [&board, &express] {
            let silent = taker.send("submitComplaint", RECEIPT, &submission("call", &json!({})));
            assert_eq!(silent.codes(), ["BAD_USER_INPUT"], "{}", silent.text);
            assert!(silent.text.contains("channel"), "{}", silent.text);
        }
        let call = json!({ "channel": "HOTLINE", "confidential": true });
        let taken = submitted(&express, "call", &call);
        assert!(taken["receiptCode"].is_string(), "{taken}");
        // The head does not gain sight of what it took about another unit.
        let one = format!("{{ complaint(id: {}) {{ channel }} }}", taken["id"]);
        assert_eq!(express.data(&one)["complaint"], Value::Null);
        let taken_by = board.data(&format!("{{ complaint(id: {}) {{ takenBy channel }} }}", taken["id"]));
        assert_eq!(taken_by["complaint"], json!({ "takenBy": "UNIT_HEAD-02DS", "channel": "HOTLINE" }));
        let again = submitted(&express, "call", &call);
        assert_eq!(
            (&again["created"], &again["receiptCode"], &again["id"]),
            (&json!(false), &Value::Null, &taken["id"])
        );
        // A new code: for who submitted the complaint, and for the Board.
        let by_id = json!({ "complaintId": taken["id"] });
        assert_eq!(intake.send("renewReceipt", "reference", &by_id).codes(), ["NOT_FOUND"]);
        assert_eq!(
            other.send("renewReceipt", "reference", &json!({ "idempotencyKey": "call" })).codes(),
            ["BAD_USER_INPUT"]
        );
        assert_eq!(express.send("renewReceipt", "reference", &json!({})).codes(), ["BAD_USER_INPUT"]);
        for client in [&express, &board] {
            let renewed = client.done("renewReceipt", "receiptCode reference", &by_id);
            assert_eq!(renewed["reference"], taken["reference"]);
            let status = status_after(&app.anonymous(), "complaintStatus", renewed["receiptCode"].text(), "");
            assert_eq!(status["reference"], taken["reference"]);
        }
        for (url, what) in
            [("http://x.vn/a", "https://"), ("https://u:p@x.vn/a", "password"), ("https://x.vn/a?key=1", "query")]
        {
            let attachment =
                json!({ "name": "a", "size": 1, "mediaType": "text/plain", "sha256": "a".repeat(64), "url": url });
            let input = submission("attached", &json!({ "attachments": [attachment] }));
            let answer = intake.send("submitComplaint", RECEIPT, &input);
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}", answer.text);
            assert!(
                answer.text.contains("attachments: number 1: url") && answer.text.contains(what),
                "{}",
                answer.text
            );
        }
    }
}
