//! A register in which everything has happened once, all of it by the program.

use crate::program;
use diesel::prelude::*;
use schema::Conn;
use schema::domain::ids::random_id;
use schema::enums::AlertKind;
use schema::models::Alert;
use schema::register::accounts::{Assertion, account_asserted};
use schema::register::{NewClassifier, store_classifier};
use schema::states::StateTable;
use schema::tables::alerts;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tests::fixtures::{self, Files};
use tests::work::{done, with_headquarters};
use tests::{Database, Json, Server};

/// A name for what is made for no other reason than to be there.
pub const KEY: &str = "key";

/// The key file of a test.
pub fn key_file(files: &Files) -> String {
    let path = files.path().join("phananh.key").display().to_string();
    program().run(&Database::sqlite(), ["key", "create", &path]).ok();
    path
}

/// A register, sealed.
pub struct Prepared {
    pub database: Database,
    pub key: String,
}

impl Prepared {
    pub fn both() -> [Self; 2] {
        Database::both().map(Self::fill)
    }

    pub fn sqlite() -> Self {
        Self::fill(Database::sqlite())
    }

    /// A copy of the one register of its kind, which many tests change: all its seals are of the same key.
    fn fill(database: Database) -> Self {
        static FILES: LazyLock<(Files, String)> = LazyLock::new(|| {
            let files = Files::new();
            let key = key_file(&files);
            (files, key)
        });
        let (files, key) = &*FILES;
        database.fill_once("everything once", |database| everything_once(database, files, key));
        Self { database, key: key.clone() }
    }
}

/// Lets everything happen once.
fn everything_once(database: &Database, kept: &Files, key: &str) {
    with_headquarters(database);
    import_more(database);
    fixtures::run_counting(database, "2024-03-31");
    let run = |args: &[&str]| program().run(database, args).ok();
    let made_folder = |name: &str| {
        let folder = kept.path().join(format!("{name}-{}", database.name));
        std::fs::create_dir_all(&folder).unwrap();
        folder.display().to_string()
    };
    run(&["digest", "subscribe", "--folder", &made_folder("digests"), "--locale", "vi"]);
    run(&["digest", "subscribe", "--email", "chair@example.org", "--locale", "vi"]);
    for job in ["timeliness", "trends", "escalate-overdue", "digest", "deliver-digests"] {
        run(&["jobs", "run", job, "--as-of", "2024-06-30"]);
    }
    run(&["jobs", "run", "classify"]);
    classifier(database);
    run(&["jobs", "pause", "trends"]);
    tokens(database, kept);
    run(&["token", "create", "--name", "reader", "--role", "BOARD"]);
    run(&["digest", "subscribe", "--folder", &made_folder("reader"), "--locale", "en", "--reader", "reader"]);
    run(&["jobs", "run", "reader-digests", "--as-of", "2024-06-30"]);
    let hook = "https://hooks.example.org/phananh";
    run(&["webhook", "add", hook, "--name", "hook", "--key-file", key]);
    run(&["webhook", "test", hook, "--key-file", key]);
    alert(database);
    account(database);
    people_work(database);
    // What a file corrects, and what it says again in other words.
    let corrected = fixtures::COMPLAINTS.replace("1.250.000", "1.300.000").replace("Hộ C", "Hộ kinh doanh C");
    fixtures::import(database, "complaints", corrected, fixtures::COMPLAINTS_MAP);
    run(&["audit", "seal", "--key-file", key]);
}

/// A version of the classifier, as a training stores it: the register is too small for one.
fn classifier(database: &Database) {
    let new = NewClassifier {
        as_of: chrono::NaiveDate::from_ymd_opt(2024, 6, 30).unwrap(),
        position: 1,
        seed: 1,
        examples: 60,
        hash: "0".repeat(64),
        weights: vec![1, 2, 3],
        metrics: json!({ "accuracy": 0.5 }),
        code_version: "0".to_owned(),
    };
    database.open().write("cli", |tx| store_classifier(tx, new)).unwrap();
}

/// An account of another issuer, as it signs in.
fn account(database: &Database) {
    let asserted = Assertion {
        id: random_id(),
        issuer: "https://login.example".to_owned(),
        subject: "an".to_owned(),
        role: tests::Role::Board,
        unit_id: None,
        officer_id: None,
        outside: false,
        asserted_at: schema::Timestamp::now(),
    };
    assert!(account_asserted(&database.open(), &asserted).unwrap());
}

/// An alert, as the job raises it.
fn alert(database: &Database) {
    let stored = database.open().write("cli", |tx| {
        let alert = Alert {
            id: random_id(),
            kind: AlertKind::JobFailed,
            subject: "trends".to_owned(),
            day: chrono::NaiveDate::from_ymd_opt(2024, 6, 30).unwrap(),
            details: schema::JsonValue(json!({})),
            raised_at: tx.now,
            cleared_at: None,
            principal_id: None,
            unit_id: None,
        };
        schema::each!(&mut *tx.conn, c => diesel::insert_into(alerts::table).values(&alert).execute(c)?);
        tx.record_state(StateTable::Alerts, &alert.id);
        Ok(())
    });
    stored.unwrap();
}

fn import_more(database: &Database) {
    for (kind, csv, fields) in [
        (
            "enterprises",
            "mst,ten,nhom\n0100233488,Công ty A,G1\n0314409058,Công ty B,G1\n001099012346,Hộ D,\n001099012347,Hộ E,\n",
            "tax_code = \"mst\"\nname = \"ten\"\ngroup = \"nhom\"\n",
        ),
        (
            "workload",
            "dv,cb,thang,so\n02CV,,2024-01-01,900\n02CV,CC01,2024-01-01,120\n",
            "unit = \"dv\"\nofficer = \"cb\"\nmonth = { column = \"thang\", format = \"%Y-%m-%d\" }\ndeclarations = \"so\"\n",
        ),
        (
            "incidents",
            "ma,dv,tu,mo_ta\nSC1,02CV,2024-01-05 08:00:00,Mất kết nối\n",
            "reference = \"ma\"\nunit = \"dv\"\nstarted = \"tu\"\ndescription = \"mo_ta\"\n",
        ),
        (
            "complaints",
            "so,ngay,dv,loai\nND-1,2024-02-20,02CV,TD1\nND-1,2024-02-20,03TG,HT\n",
            "reference = \"so\"\nreceived = \"ngay\"\nunit = \"dv\"\ncategory = \"loai\"\n",
        ),
    ] {
        fixtures::import(database, kind, csv, &format!("source = \"them\"\n[fields]\n{fields}"));
    }
}

fn tokens(database: &Database, files: &Files) {
    let run = |args: &[&str]| program().run(database, args).ok();
    run(&["token", "create", "--name", "gone", "--role", "BOARD", "--expires-in", "90"]);
    run(&["token", "revoke", "--name", "gone"]);
    run(&["token", "create", "--name", "member", "--role", "BOARD", "--officer", "CC03"]);
    run(&["token", "create", "--name", "paper", "--role", "DASHBOARD", "--outside"]);
    let list = files.put("list.graphql", "query Version { serviceInfo { version } }");
    run(&["token", "trust", "--name", "paper", list.to_str().unwrap()]);
}

fn people_work(database: &Database) {
    let token = |role: &str, unit: Option<&str>| program().token(database, role, unit);
    let (board, hq, head) = (token("BOARD", None), token("UNIT_HEAD", Some("HQ1")), token("UNIT_HEAD", Some("02CV")));
    let (intake, other) = (token("INTAKE", None), token("UNIT_HEAD", Some("02DS")));
    let server = program().serve(database, &["--no-jobs"]);
    let rule = json!({ "category": "HT", "responsibleUnit": "HQ1", "validFrom": "2030-01-01" });
    done(&server, &token("ADMIN", None), "putRoutingRule", "position", &rule);
    let holidays = json!({ "year": 2028, "expectedRevision": 0, "daysOff": ["2028-01-03"], "daysWorked": ["2028-01-08"],
        "reason": "Quyết định số 1." });
    done(&server, &token("ADMIN", None), "setHolidays", "position", &holidays);
    let saved = json!({ "name": "every", "expectedVersion": 0, "text": "SELECT 1 AS one", "roles": ["BOARD"] });
    done(&server, &board, "saveQuery", "query { version }", &saved);
    let draft = json!({ "title": "Hướng dẫn khai báo", "text": "Bước một.", "category": "TD1" });
    let document = done(&server, &hq, "requestOpinion", "document { id }", &draft)["document"]["id"].clone();
    let opinion =
        json!({ "documentId": document, "expectedVersion": 1, "verdict": "NOT_AGREED", "text": "Chưa rõ bước hai." });
    done(&server, &board, "giveOpinion", "position", &opinion);
    let proposal =
        json!({ "title": "Sửa quy trình", "text": "Bỏ bước hai.", "categories": ["TD1", "HT"], "units": ["02"] });
    let proposal = done(&server, &board, "propose", "proposal { id }", &proposal)["proposal"]["id"].clone();
    let accepted = json!({ "proposalId": proposal, "expectedVersion": 1, "state": "ACCEPTED" });
    done(&server, &board, "changeProposalState", "position", &accepted);
    let named = "{ complaints(filter: {officers: {officer: {code: {eq: \"CC02\"}}}}) { nodes { id } } }";
    let named = server.data(&board, named)["complaints"]["nodes"][0]["id"].clone();
    let measure = json!({
        "officer": "CC02", "kind": "FORMAL_REVIEW", "grounds": "Chậm trả lời doanh nghiệp.",
        "decisionMaker": "Chi cục trưởng", "decidedOn": "2024-02-08", "startsOn": "2024-02-10",
        "complaintIds": [named],
    });
    let measure = done(&server, &other, "recordMeasure", "measure { id }", &measure)["measure"]["id"].clone();
    let end = json!({ "measureId": measure, "expectedVersion": 1, "endsOn": "2024-03-01", "reason": "Đã xong." });
    done(&server, &other, "endMeasure", "position", &end);
    let flags = server.data(&board, "{ flags { nodes { id officer { code } } } }")["flags"]["nodes"].clone();
    let flag = flags.list().iter().find(|flag| flag["officer"]["code"] == "CC01").unwrap()["id"].clone();
    let dismiss = json!({ "flagId": flag, "state": "DISMISSED", "reason": "Cùng một vụ việc." });
    done(&server, &board, "reviewFlag", "flag { state }", &dismiss);
    complaints(&server, &board, &head, &intake);
    corrections(&server, &board, &head);
    assert_eq!(server.end_by("TERM"), Some(0));
}

fn complaints(server: &Server, board: &str, head: &str, intake: &str) {
    let rows = server.data(board, "{ complaints { nodes { id version text } } }")["complaints"]["nodes"].clone();
    let of = |text: &str| -> Value { rows.list().iter().find(|row| row["text"] == text).expect("a complaint").clone() };
    let (silent, open) = (of("Xin giữ kín"), of("Ẩn danh"));
    let redacted =
        json!({ "complaintId": silent["id"], "expectedVersion": silent["version"], "text": "Cán bộ hách dịch." });
    done(server, board, "redactComplaint", "position", &redacted);
    let classified = json!({ "complaintId": open["id"], "expectedVersion": open["version"], "category": "TD1",
        "attributions": [{ "officer": "CC03", "attribution": "ASSERTED" }] });
    let classified = done(server, board, "classifyComplaint", "complaint { version }", &classified);
    let version = classified["complaint"]["version"].clone();
    let found = json!({ "complaintId": open["id"], "expectedVersion": version, "officer": "CC03", "finding": "SUSTAINED",
        "decidedOn": "2024-05-01" });
    done(server, board, "recordFinding", "position", &found);
    // Officers in an order other than that of their ids.
    let submission = json!({ "idempotencyKey": "mới", "text": "Hồ sơ bị trả lại nhiều lần.", "delayHours": 0.1,
        "officers": ["CC03", "CC01", "CC02"], "taxCode": "0100233488", "declarationNumber": "103456789012",
        "attachments": [{ "name": "Ảnh.jpg", "size": 1, "mediaType": "image/jpeg", "sha256": "a".repeat(64),
            "url": "https://files.example.vn/a" }] });
    let query =
        "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { id version receiptCode } }";
    let receipt = server.data_with(intake, query, &json!({ "input": submission }))["submitComplaint"].clone();
    let classified = json!({ "complaintId": receipt["id"], "expectedVersion": receipt["version"], "category": "TD1" });
    let version =
        done(server, board, "classifyComplaint", "complaint { version }", &classified)["complaint"]["version"].clone();
    let assigned = json!({ "complaintId": receipt["id"], "expectedVersion": version, "unit": "02CV" });
    let version =
        done(server, board, "assignComplaint", "complaint { version }", &assigned)["complaint"]["version"].clone();
    let answer = json!({ "complaintId": receipt["id"], "expectedVersion": version, "action": "EXPLANATION",
        "text": "Đã giải thích.", "outcome": "Doanh nghiệp đồng ý." });
    done(server, head, "respondToComplaint", "position", &answer);
    // The complainant adds and says that the answer satisfies; a second complaint says the same as the first.
    let by_receipt = |step: &str| {
        let query = format!("mutation ($receipt: String!) {{ {step} {{ state }} }}");
        server.data_with("", &query, &json!({ "receipt": receipt["receiptCode"] }));
    };
    by_receipt("addToComplaint(receipt: $receipt, text: \"Gửi thêm.\")");
    by_receipt("confirmSatisfaction(receipt: $receipt, satisfied: true)");
    let again = json!({ "idempotencyKey": "lại", "text": "Hồ sơ bị trả lại.", "taxCode": "0100233488" });
    let again = server.data_with(intake, query, &json!({ "input": again }))["submitComplaint"].clone();
    let link =
        json!({ "complaintId": again["id"], "expectedVersion": 1, "of": receipt["id"], "reason": "Gửi hai lần." });
    done(server, board, "linkDuplicate", "position", &link);
}

fn corrections(server: &Server, board: &str, head: &str) {
    let rows = server.data(board, "{ complaints { nodes { id version text } } }")["complaints"]["nodes"].clone();
    let input = |text: &str| -> Value {
        let row = rows.list().iter().find(|row| row["text"] == text).expect("a complaint");
        json!({ "complaintId": row["id"], "expectedVersion": row["version"], "reason": "Ghi nhầm." })
    };
    let mut form = input("Chậm trả lời");
    form["legalForm"] = json!("GRIEVANCE");
    let correct = "mutation ($input: CorrectComplaintInput!) { correctComplaint(input: $input) { position } }";
    server.data_with(board, correct, &json!({ "input": form }));
    let mut officer = input("Cán bộ đòi tiền");
    officer["addOfficers"] = json!([{ "officer": "CC02" }]);
    let propose = "mutation ($input: CorrectComplaintInput!) { proposeCorrection(input: $input) { position } }";
    server.data_with(head, propose, &json!({ "input": officer }));
    let merge = json!({ "from": "001099012346", "into": "001099012347", "reason": "Một chủ." });
    done(server, board, "mergeEnterprises", "position", &merge);
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// The tables that are there.
pub fn tables(database: &Database) -> Vec<String> {
    let names: Vec<Name> = database
        .open()
        .read(|conn| {
            Ok(match conn {
                Conn::Sqlite(c) => {
                    // Verification leaves out the index of searches: it holds no facts.
                    diesel::sql_query(
                        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
                         AND name NOT LIKE 'search\\_%' ESCAPE '\\'",
                    )
                    .load(c)?
                }
                Conn::Pg(c) => diesel::sql_query(
                    "SELECT table_name::text AS name FROM information_schema.tables \
                     WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
                )
                .load(c)?,
            })
        })
        .unwrap();
    names.into_iter().map(|name| name.name).collect()
}
