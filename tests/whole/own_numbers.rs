//! The numbers of complaints in other registers: who finds complaints by them, who reads them, and that they do not
//! undo pseudonyms.

use crate::program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Answer, Client, Json, Role, TestApp};

fn texts(data: &Value) -> Vec<String> {
    let nodes = data["complaints"]["nodes"].list();
    let mut texts: Vec<String> = nodes.iter().map(|node| node["text"].text().to_owned()).collect();
    texts.sort();
    texts
}

#[test]
fn a_complaint_is_found_by_the_number_of_its_register() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        // Another register uses one of the numbers as well.
        let other = fixtures::COMPLAINTS_MAP.replace("duong-day-nong", "so-cong-van");
        let header = fixtures::COMPLAINTS.lines().next().unwrap();
        let csv = format!("{header}\nPA-1;01/04/2024;;;02CV;;HT;;;;;Công văn nhắc PA-2;\n");
        app.import("complaints", csv, &other);
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        intake.submitted("khóa 1", &json!({ "text": "Nộp ở đây" }));
        let found =
            |filter: &str| texts(&board.data(&format!("{{ complaints(filter: {filter}) {{ nodes {{ text }} }} }}")));
        let (bribe, letter) = ("Cán bộ đòi tiền", "Công văn nhắc PA-2");
        assert_eq!(found("{sourceReference: {eq: \"PA-1\"}}"), [bribe, letter]);
        assert_eq!(found("{sourceReference: {eq: \"PA-1\"}, source: {eq: \"duong-day-nong\"}}"), [bribe]);
        // Both conditions must hold for one number of one register.
        assert_eq!(found("{sourceReference: {eq: \"PA-5\"}, source: {eq: \"so-cong-van\"}}"), [""; 0]);
        assert_eq!(found("{source: {like: \"so-%\"}}"), [letter]);
        assert_eq!(found("{sourceReference: {in: [\"PA-4\", \"PA-6\", \"PA-99\"]}}"), ["Xin giữ kín", "Ẩn danh"]);
        assert_eq!(found("{sourceReference: {isNull: true}}"), ["Nộp ở đây"]);
        assert_eq!(found("{source: {isNull: false}}").len(), 7);
        assert_eq!(found("{not: {sourceReference: {like: \"PA-%\"}}}"), ["Nộp ở đây"]);
        // No filter finds a complaint by the idempotency key of its sender.
        assert_eq!(found("{sourceReference: {like: \"%\"}, source: {like: \"%:%\"}}"), [""; 0]);
        assert_eq!(found("{sourceReference: {eq: \"khóa 1\"}}"), [""; 0]);
        assert_eq!(found("{search: \"khóa 1\"}"), [""; 0]);
        // A search finds whole numbers, and words in texts.
        assert_eq!(found("{search: \"PA-4\"}"), ["Ẩn danh"]);
        assert_eq!(found("{search: \" PA-4 \"}"), ["Ẩn danh"]);
        assert_eq!(found("{search: \"PA-2\"}"), [letter, "Nói trống không,\nquát doanh nghiệp"]);
        assert_eq!(found("{search: \"PA-\"}"), [letter]);
        let sources = "{ complaints(filter: {search: \"PA-1\"}, orderBy: [{field: RECEIVED_AT, direction: ASC}]) {
            nodes { sources { source reference } } } }";
        let nodes = board.data(sources)["complaints"]["nodes"].clone();
        assert_eq!(nodes[0]["sources"], json!([{ "source": "duong-day-nong", "reference": "PA-1" }]));
        assert_eq!(nodes[1]["sources"], json!([{ "source": "so-cong-van", "reference": "PA-1" }]));
        let submitted = "{ complaints(filter: {search: \"nop o day\"}) { nodes { sources { source } } } }";
        assert_eq!(board.data(submitted)["complaints"]["nodes"][0]["sources"], json!([]));
        let misplaced = board.request("{ complaints(filter: {reference: \"PA-1\"}) { totalCount } }");
        assert!(misplaced.codes() == ["BAD_USER_INPUT"] && misplaced.text.contains("sourceReference"), "{misplaced:?}");
    }
}

#[test]
fn the_numbers_of_a_page_are_read_in_one_statement() {
    for app in TestApp::both().world().arguments(&["--no-jobs", "--dev"]) {
        let board = app.as_role(Role::Board);
        let statements = |fields: &str| {
            app.server()
                .statements(&board.token, &format!("{{ complaints(first: 6) {{ nodes {{ text {fields} }} }} }}"))
        };
        assert_eq!(statements("sources { reference }"), statements("") + 1);
    }
}

#[test]
fn a_head_reads_the_numbers_of_what_it_sees_and_looks_are_on_record() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (head, named) = (app.as_head("02CV"), app.as_member("named", "CC03"));
        let [team, dashboard, admin] = [Role::DataTeam, Role::Dashboard, Role::Admin].map(|role| app.as_role(role));
        let number = |client: &Client, filter: &str| {
            client.request(&format!(
                "query Looked {{ complaints(filter: {filter}) {{ totalCount nodes {{ sources {{ reference }} }} }} }}"
            ))
        };
        let found = |client: &Client, reference: &str| {
            let answer = number(client, &format!("{{sourceReference: {{eq: \"{reference}\"}}}}"));
            let searched = number(client, &format!("{{search: \"{reference}\"}}"));
            let [by_number, by_search] =
                [answer, searched].map(|answer| answer.json()["data"]["complaints"]["totalCount"].clone());
            assert_eq!(by_number, by_search, "{reference}");
            by_number.integer()
        };
        // PA-3 and PA-4 belong to other units. PA-6 is confidential.
        assert_eq!(["PA-1", "PA-2", "PA-3", "PA-4", "PA-5", "PA-6"].map(|one| found(&head, one)), [1, 1, 0, 0, 1, 0]);
        assert_eq!(["PA-2", "PA-3", "PA-4", "PA-6"].map(|one| found(&named, one)), [1, 0, 0, 1]);
        for (client, role) in [(&team, Role::DataTeam), (&dashboard, Role::Dashboard), (&admin, Role::Admin)] {
            for query in [
                "{ complaints { nodes { sources { source } } } }",
                "{ complaints(filter: {sourceReference: {eq: \"PA-1\"}}) { totalCount } }",
                "{ complaints(filter: {not: {source: {isNull: true}}}) { totalCount } }",
            ] {
                let codes = client.codes(query);
                assert!(
                    !codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"),
                    "{role}: {query}: {codes:?}"
                );
            }
        }
        let log = "{ auditLog(first: 100, filter: {action: {eq: LOOK}}) { nodes { actor operation objects } } }";
        let noted = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let all = admin.data(log)["auditLog"]["nodes"].clone();
            all.list().iter().any(|entry| {
                let asked = json!([{ "path": "query.complaints.filter.sourceReference", "value": { "eq": "PA-6" } }]);
                entry["actor"] == "token:UNIT_HEAD-02CV" && entry["objects"]["asked"] == asked
            })
        });
        assert!(noted, "{}", admin.data(log));
    }
}

#[test]
fn the_board_alone_asks_for_numbers_in_sql() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = builder.world().keyed(&files).arguments(&["--no-jobs"]).start();
        let (board, team, named) =
            (app.as_role(Role::Board), app.as_role(Role::DataTeam), app.as_member("named", "CC03"));
        let rows = |client: &Client, sql: &str| json!(client.rows(sql));
        let joined = "SELECT s.reference, c.category FROM sources s JOIN complaints c ON s.complaint = c.complaint \
                      WHERE s.source = 'duong-day-nong' ORDER BY s.reference LIMIT 2";
        let expected = json!([{ "reference": "PA-1", "category": "TD2" }, { "reference": "PA-2", "category": "TD1" }]);
        assert_eq!(rows(&board, joined), expected);
        assert_eq!(rows(&board, "SELECT COUNT(*) AS n FROM sources"), json!([{ "n": 6 }]));
        // Two of the six complaints name this officer.
        assert_eq!(rows(&named, "SELECT COUNT(*) AS n FROM sources"), json!([{ "n": 4 }]));
        for sql in ["SELECT * FROM sources", joined] {
            let refused = team.sql(sql);
            assert!(refused.codes() == ["BAD_USER_INPUT"] && !refused.text.contains("PA-1"), "{refused:?}");
        }
        // A query may define a `sources` of its own.
        let own = "WITH sources AS (SELECT unit FROM complaints) SELECT COUNT(*) AS n FROM sources";
        assert_eq!([&board, &team].map(|client| rows(client, own)), [json!([{ "n": 6 }]), json!([{ "n": 6 }])]);
        let count = "SELECT COUNT(*) AS n FROM sources";
        let cli = |args: &[&str]| program().run(&app.database, [&["sql", count, "--format", "json"], args].concat());
        assert_eq!(cli(&["--for", "BOARD"]).ok().json()["rows"], json!([{ "n": 6 }]));
        assert_eq!(cli(&[]).status, 1);
    }
}

fn download(client: &Client, query: &str) -> Answer {
    let bearer = format!("Bearer {}", client.token);
    client.server.send("GET", &format!("/export/complaints.csv{query}"), &[("authorization", &bearer)], "")
}

/// The values of a column of a CSV without quoted cells.
fn column(csv: &str, name: &str) -> BTreeSet<String> {
    let mut lines = csv.lines();
    let at =
        lines.next().unwrap().split(',').position(|column| column == name).unwrap_or_else(|| panic!("{name}: {csv}"));
    lines.map(|line| line.split(',').nth(at).unwrap().to_owned()).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn a_file_with_numbers_is_the_board_s_and_joins_with_no_other() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        let app = builder.world().arguments(&["--no-jobs", "--key-file", &key]).start();
        let [board, team, admin] = [Role::Board, Role::DataTeam, Role::Admin].map(|role| app.as_role(role));
        let plain = download(&board, "");
        assert_eq!(plain.status, 200);
        assert!(!plain.text.contains("PA-") && !plain.text.contains("source"), "{}", plain.text);
        let numbered = download(&board, "?references=true");
        assert_eq!(numbered.status, 200, "{numbered:?}");
        let expected = ["PA-1", "PA-2", "PA-3", "PA-4", "PA-5", "PA-6"].map(str::to_owned);
        assert_eq!(column(&numbered.text, "source_references"), BTreeSet::from(expected));
        assert_eq!(column(&numbered.text, "sources"), BTreeSet::from(["duong-day-nong".to_owned()]));
        for name in ["complaint", "enterprise", "officers"] {
            let [with, without] = [&numbered, &plain].map(|file| column(&file.text, name));
            assert!(
                with.is_disjoint(&without) && !with.is_empty(),
                "{name}: a number would tell who stands behind the other"
            );
        }
        let list = "{ complaints { nodes { pseudonym } } }";
        let shown = board.data(list)["complaints"]["nodes"].clone();
        let shown: BTreeSet<String> = shown.list().iter().map(|one| one["pseudonym"].text().to_owned()).collect();
        assert!(column(&numbered.text, "complaint").is_disjoint(&shown));
        let refused = download(&team, "?references=true");
        assert_eq!((refused.status, refused.codes()), (403, vec!["FORBIDDEN".to_owned()]), "{refused:?}");
        let filtered = download(&team, "?filter=%7B%22sourceReference%22%3A%7B%22eq%22%3A%22PA-1%22%7D%7D");
        assert_eq!(filtered.status, 403, "{filtered:?}");
        assert_eq!(download(&board, "?references=yes").status, 400);
        let log = "{ auditLog(filter: {action: {eq: EXPORT}}) { nodes { objects } } }";
        let noted = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let all = admin.data(log)["auditLog"]["nodes"].clone();
            all.list().iter().any(|entry| entry["objects"]["references"] == true)
        });
        assert!(noted);
        let to = files.path().join("so.csv").display().to_string();
        let export =
            |args: &[&str]| program().run(&app.database, [&["export", &to, "--key-file", &key], args].concat());
        export(&["--for", "BOARD", "--references"]).ok();
        assert_eq!(column(&std::fs::read_to_string(&to).unwrap(), "source_references").len(), 6);
        let parquet = files.path().join("so.parquet").display().to_string();
        app.run(&["export", &parquet, "--for", "BOARD", "--references", "--key-file", &key]);
        let refused = export(&["--references"]);
        assert!(refused.status != 0 && refused.err.contains("--for BOARD"), "{refused:?}");
    }
}

#[test]
fn evidence_is_shown_as_people_read_it() {
    for app in TestApp::both().world_with_flags("2024-03-31") {
        let shown = app.run(&["flags", "show", "CC01"]);
        let line =
            |words: &str| shown.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {shown}"));
        for words in ["2024-01-05", "duong-day-nong", "02CV", "0100233488", "Công ty A", "SUSTAINED", "Cán bộ đòi tiền"]
        {
            assert!(line("PA-1 ").contains(words), "{words}: {shown}");
        }
        assert!(line("PA-2 ").contains("Nói trống không, quát doanh nghiệp"), "on one line: {shown}");
        assert!(line("PA-2 ").contains("0314409058-002") && line("PA-2 ").contains("PENDING"), "{shown}");
        let order = ["PA-6 ", "PA-2 ", "PA-1 "].map(|one| shown.find(one).unwrap());
        assert!(order.is_sorted(), "the latest first: {shown}");
        let document = program().json(&app.database, &["flags", "show", "CC01"]);
        let complaints = document["complaints"].list();
        assert_eq!(complaints.len(), document["evidence"].list().len());
        assert_eq!(complaints[2]["sources"], json!([{ "source": "duong-day-nong", "reference": "PA-1" }]));
        assert_eq!((&complaints[2]["findings"], &complaints[2]["unit"]), (&json!(["SUSTAINED"]), &json!("02CV")));
    }
}
