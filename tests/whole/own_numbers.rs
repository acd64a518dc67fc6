//! The numbers that other registers gave: who finds complaints by them, who reads them, and that they undo no pseudonym.

use crate::program;
use crate::world::{self, Files};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Answer, Database, Server};

fn texts(data: &Value) -> Vec<String> {
    let nodes = data["complaints"]["nodes"].as_array().unwrap();
    let mut texts: Vec<String> = nodes.iter().map(|node| node["text"].as_str().unwrap().to_owned()).collect();
    texts.sort();
    texts
}

fn submit(server: &Server, intake: &str, text: &str) {
    let query = "mutation($input: SubmitComplaintInput!) { submitComplaint(input: $input) { position } }";
    server.data_with(intake, query, &json!({ "input": { "idempotencyKey": "khóa 1", "text": text } }));
}

#[test]
fn a_complaint_is_found_by_the_number_of_its_register() {
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        // Another register has given one of the numbers, too.
        let other = world::COMPLAINTS_MAP.replace("duong-day-nong", "so-cong-van");
        let header = world::COMPLAINTS.lines().next().unwrap();
        let csv = format!("{header}\nPA-1;01/04/2024;;;02CV;;HT;;;;;Công văn nhắc PA-2;\n");
        program().run(&database, files.import("complaints", csv, &other)).ok();
        let [board, intake] = ["BOARD", "INTAKE"].map(|role| program().token(&database, role, None));
        let server = program().serve(&database, &["--no-jobs"]);
        submit(&server, &intake, "Nộp ở đây");
        let found = |filter: &str| {
            texts(&server.data(&board, &format!("{{ complaints(filter: {filter}) {{ nodes {{ text }} }} }}")))
        };
        let (bribe, letter) = ("Cán bộ đòi tiền", "Công văn nhắc PA-2");
        assert_eq!(found("{sourceReference: {eq: \"PA-1\"}}"), [bribe, letter]);
        assert_eq!(found("{sourceReference: {eq: \"PA-1\"}, source: {eq: \"duong-day-nong\"}}"), [bribe]);
        // Both are about one number of one register.
        assert_eq!(found("{sourceReference: {eq: \"PA-5\"}, source: {eq: \"so-cong-van\"}}"), [""; 0]);
        assert_eq!(found("{source: {like: \"so-%\"}}"), [letter]);
        assert_eq!(found("{sourceReference: {in: [\"PA-4\", \"PA-6\", \"PA-99\"]}}"), ["Xin giữ kín", "Ẩn danh"]);
        assert_eq!(found("{sourceReference: {isNull: true}}"), ["Nộp ở đây"]);
        assert_eq!(found("{source: {isNull: false}}").len(), 7);
        assert_eq!(found("{not: {sourceReference: {like: \"PA-%\"}}}"), ["Nộp ở đây"]);
        // The key of who submitted it is nobody's business.
        assert_eq!(found("{sourceReference: {like: \"%\"}, source: {like: \"%:%\"}}"), [""; 0]);
        assert_eq!(found("{sourceReference: {eq: \"khóa 1\"}}"), [""; 0]);
        assert_eq!(found("{search: \"khóa 1\"}"), [""; 0]);
        // A search finds a whole number beside what stands in texts.
        assert_eq!(found("{search: \"PA-4\"}"), ["Ẩn danh"]);
        assert_eq!(found("{search: \" PA-4 \"}"), ["Ẩn danh"]);
        assert_eq!(found("{search: \"PA-2\"}"), [letter, "Nói trống không,\nquát doanh nghiệp"]);
        assert_eq!(found("{search: \"PA-\"}"), [letter]);
        let sources = "{ complaints(filter: {search: \"PA-1\"}, orderBy: [{field: RECEIVED_AT, direction: ASC}]) { nodes { sources { source reference } } } }";
        let nodes = server.data(&board, sources)["complaints"]["nodes"].clone();
        assert_eq!(nodes[0]["sources"], json!([{ "source": "duong-day-nong", "reference": "PA-1" }]));
        assert_eq!(nodes[1]["sources"], json!([{ "source": "so-cong-van", "reference": "PA-1" }]));
        let submitted = "{ complaints(filter: {search: \"nop o day\"}) { nodes { sources { source } } } }";
        assert_eq!(server.data(&board, submitted)["complaints"]["nodes"][0]["sources"], json!([]));
        let misplaced =
            server.graphql(&board, "{ complaints(filter: {reference: \"PA-1\"}) { totalCount } }", &json!({}));
        assert!(misplaced.codes() == ["BAD_USER_INPUT"] && misplaced.text.contains("sourceReference"), "{misplaced:?}");
    }
}

#[test]
fn the_numbers_of_a_page_are_read_in_one_statement() {
    for database in Database::both() {
        world::fill(&database);
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs", "--dev"]);
        let statements = |fields: &str| {
            server.statements(&board, &format!("{{ complaints(first: 6) {{ nodes {{ text {fields} }} }} }}"))
        };
        assert_eq!(statements("sources { reference }"), statements("") + 1);
    }
}

#[test]
fn a_head_reads_the_numbers_of_what_it_sees_and_looks_are_on_record() {
    for database in Database::both() {
        world::fill(&database);
        let head = program().token(&database, "UNIT_HEAD", Some("02CV"));
        let named = ["token", "create", "--name", "named", "--role", "BOARD", "--officer", "CC03"];
        let named = program().json(&database, &named)["token"].as_str().unwrap().to_owned();
        let [team, dashboard, admin] =
            ["DATA_TEAM", "DASHBOARD", "ADMIN"].map(|role| program().token(&database, role, None));
        let server = program().serve(&database, &["--no-jobs"]);
        let number = |token: &str, filter: &str| {
            let query = format!(
                "query Looked {{ complaints(filter: {filter}) {{ totalCount nodes {{ sources {{ reference }} }} }} }}"
            );
            server.graphql(token, &query, &json!({}))
        };
        let found = |token: &str, reference: &str| {
            let answer = number(token, &format!("{{sourceReference: {{eq: \"{reference}\"}}}}"));
            let searched = number(token, &format!("{{search: \"{reference}\"}}"));
            let [by_number, by_search] =
                [answer, searched].map(|answer| answer.json()["data"]["complaints"]["totalCount"].clone());
            assert_eq!(by_number, by_search, "{reference}");
            by_number.as_i64().unwrap()
        };
        // PA-3 and PA-4 are of other units, and PA-6 is confidential.
        assert_eq!(["PA-1", "PA-2", "PA-3", "PA-4", "PA-5", "PA-6"].map(|one| found(&head, one)), [1, 1, 0, 0, 1, 0]);
        assert_eq!(["PA-2", "PA-3", "PA-4", "PA-6"].map(|one| found(&named, one)), [1, 0, 0, 1]);
        for (token, role) in [(&team, "DATA_TEAM"), (&dashboard, "DASHBOARD"), (&admin, "ADMIN")] {
            for query in [
                "{ complaints { nodes { sources { source } } } }",
                "{ complaints(filter: {sourceReference: {eq: \"PA-1\"}}) { totalCount } }",
                "{ complaints(filter: {not: {source: {isNull: true}}}) { totalCount } }",
            ] {
                let codes = server.graphql(token, query, &json!({})).codes();
                assert!(
                    !codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"),
                    "{role}: {query}: {codes:?}"
                );
            }
        }
        let log = "{ auditLog(first: 100, filter: {action: {eq: LOOK}}) { nodes { actor operation objects } } }";
        let noted = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let all = server.data(&admin, log)["auditLog"]["nodes"].clone();
            all.as_array().unwrap().iter().any(|entry| {
                let asked = json!([{ "path": "query.complaints.filter.sourceReference", "value": { "eq": "PA-6" } }]);
                entry["actor"] == "token:UNIT_HEAD-02CV" && entry["objects"]["asked"] == asked
            })
        });
        assert!(noted, "{}", server.data(&admin, log));
    }
}

#[test]
fn the_board_alone_asks_for_numbers_in_sql() {
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        let [board, team] = ["BOARD", "DATA_TEAM"].map(|role| program().token(&database, role, None));
        let named = ["token", "create", "--name", "named", "--role", "BOARD", "--officer", "CC03"];
        let named = program().json(&database, &named)["token"].as_str().unwrap().to_owned();
        let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
        let ask = |token: &str, sql: &str| {
            server.graphql(token, "query($sql: String!) { sql(query: $sql) { rows } }", &json!({ "sql": sql }))
        };
        let rows = |token: &str, sql: &str| ask(token, sql).json()["data"]["sql"]["rows"].clone();
        let joined = "SELECT s.reference, c.category FROM sources s JOIN complaints c ON s.complaint = c.complaint \
                      WHERE s.source = 'duong-day-nong' ORDER BY s.reference LIMIT 2";
        let expected = json!([{ "reference": "PA-1", "category": "TD2" }, { "reference": "PA-2", "category": "TD1" }]);
        assert_eq!(rows(&board, joined), expected);
        assert_eq!(rows(&board, "SELECT COUNT(*) AS n FROM sources"), json!([{ "n": 6 }]));
        // Two of the six name this officer.
        assert_eq!(rows(&named, "SELECT COUNT(*) AS n FROM sources"), json!([{ "n": 4 }]));
        for sql in ["SELECT * FROM sources", joined] {
            let refused = ask(&team, sql);
            assert!(refused.codes() == ["BAD_USER_INPUT"] && !refused.text.contains("PA-1"), "{refused:?}");
        }
        // A name of one's own is one's own.
        let own = "WITH sources AS (SELECT unit FROM complaints) SELECT COUNT(*) AS n FROM sources";
        assert_eq!([&board, &team].map(|token| rows(token, own)), [json!([{ "n": 6 }]), json!([{ "n": 6 }])]);
        let count = "SELECT COUNT(*) AS n FROM sources";
        let cli = |args: &[&str]| program().run(&database, [&["sql", count, "--format", "json"], args].concat());
        assert_eq!(cli(&["--for", "BOARD"]).ok().json()["rows"], json!([{ "n": 6 }]));
        assert_eq!(cli(&[]).status, 1);
    }
}

fn download(server: &Server, token: &str, query: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    server.send("GET", &format!("/export/complaints.csv{query}"), &[("authorization", &bearer)], "")
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
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        let [board, team, admin] = ["BOARD", "DATA_TEAM", "ADMIN"].map(|role| program().token(&database, role, None));
        let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
        let plain = download(&server, &board, "");
        assert_eq!(plain.status, 200);
        assert!(!plain.text.contains("PA-") && !plain.text.contains("source"), "{}", plain.text);
        let numbered = download(&server, &board, "?references=true");
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
        let shown = server.data(&board, list)["complaints"]["nodes"].clone();
        let shown: BTreeSet<String> =
            shown.as_array().unwrap().iter().map(|one| one["pseudonym"].as_str().unwrap().to_owned()).collect();
        assert!(column(&numbered.text, "complaint").is_disjoint(&shown));
        let refused = download(&server, &team, "?references=true");
        assert_eq!((refused.status, refused.codes()), (403, vec!["FORBIDDEN".to_owned()]), "{refused:?}");
        let filtered = download(&server, &team, "?filter=%7B%22sourceReference%22%3A%7B%22eq%22%3A%22PA-1%22%7D%7D");
        assert_eq!(filtered.status, 403, "{filtered:?}");
        assert_eq!(download(&server, &board, "?references=yes").status, 400);
        let log = "{ auditLog(filter: {action: {eq: EXPORT}}) { nodes { objects } } }";
        let noted = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let all = server.data(&admin, log)["auditLog"]["nodes"].clone();
            all.as_array().unwrap().iter().any(|entry| entry["objects"]["references"] == true)
        });
        assert!(noted);
        let to = files.path().join("so.csv").display().to_string();
        let export = |args: &[&str]| program().run(&database, [&["export", &to, "--key-file", &key], args].concat());
        export(&["--for", "BOARD", "--references"]).ok();
        assert_eq!(column(&std::fs::read_to_string(&to).unwrap(), "source_references").len(), 6);
        let parquet = files.path().join("so.parquet").display().to_string();
        program().run(&database, ["export", &parquet, "--for", "BOARD", "--references", "--key-file", &key]).ok();
        let refused = export(&["--references"]);
        assert!(refused.status != 0 && refused.err.contains("--for BOARD"), "{refused:?}");
    }
}

#[test]
fn evidence_is_shown_as_people_read_it() {
    for database in Database::both() {
        world::fill(&database);
        world::run_counting(&database, "2024-03-31");
        let shown = program().run(&database, ["flags", "show", "CC01"]).ok().out;
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
        let document = program().json(&database, &["flags", "show", "CC01"]);
        let complaints = document["complaints"].as_array().unwrap();
        assert_eq!(complaints.len(), document["evidence"].as_array().unwrap().len());
        assert_eq!(complaints[2]["sources"], json!([{ "source": "duong-day-nong", "reference": "PA-1" }]));
        assert_eq!((&complaints[2]["findings"], &complaints[2]["unit"]), (&json!(["SUSTAINED"]), &json!("02CV")));
    }
}
