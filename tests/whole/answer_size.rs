//! Answers have a bound, however few bytes ask for them, and so have errors, patterns, and what slow readers hold.

use crate::denial_of_service::raw_answer;
use crate::program;
use crate::world;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tests::{Database, Server};

const LETTERS: usize = 45_000;
const COMPLAINTS: usize = 30;

/// A register with complaints of one long text each.
fn with_long_texts(database: &Database) -> Server {
    world::fill(database);
    let intake = program().token(database, "INTAKE", None);
    let server = program().serve(database, &["--no-jobs"]);
    let submit =
        "mutation($key: String!, $text: String!) { submitComplaint(input: {idempotencyKey: $key, unit: \"02CV\",
        category: \"HT\", legalForm: FEEDBACK, channel: PORTAL, text: $text}) { reference } }";
    for n in 0..COMPLAINTS {
        let text = format!("{n} {}", "a".repeat(LETTERS));
        server.data_with(&intake, submit, &json!({ "key": n.to_string(), "text": text }));
    }
    server
}

/// So many aliases of a field.
fn aliases(number: usize, field: &str) -> String {
    (0..number).fold(String::new(), |mut all, n| {
        let _infallible = write!(all, "a{n}: {field} ");
        all
    })
}

/// Kilobytes of memory that a process had at most.
fn peak(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn an_answer_has_a_bound() {
    for database in Database::both() {
        let server = with_long_texts(&database);
        let board = program().token(&database, "BOARD", None);
        let whole = server.data(&board, "{ complaints(first: 200) { nodes { text } } }");
        let texts = whole["complaints"]["nodes"].as_array().unwrap();
        let long = texts.iter().filter(|node| node["text"].as_str().is_some_and(|text| text.len() > LETTERS)).count();
        assert_eq!(long, COMPLAINTS, "what is asked for once comes as a whole");
        let before = peak(&server);
        let of_each = aliases(50, "text");
        let documents = [
            format!("{{ complaints(first: 200) {{ nodes {{ {of_each} }} }} }}"),
            format!("{{ complaints(first: 200) {{ edges {{ node {{ {of_each} }} }} }} }}"),
            format!("{{ complaints(first: 200) {{ nodes {{ id @include(if: true) {of_each} }} }} }}"),
            format!("{{ complaints(first: 200) {{ nodes {{ ... on Node {{ id }} {of_each} }} }} }}"),
            format!("{{ {} }}", aliases(20, "complaints(first: 200) { nodes { text } }")),
            format!(
                "{{ complaints(first: 30) {{ nodes {{ unit {{ {} }} }} }} }}",
                aliases(10, "complaints(first: 30) { nodes { text } }")
            ),
        ];
        for document in &documents {
            let answer = server.graphql(&board, document, &json!({}));
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}: {document}", database.name);
            assert!(answer.text.contains("answerBytes") && answer.text.len() < 1_000, "{}", answer.text);
        }
        // The operations of a list share the bound: those that fit are answered.
        let one = json!({ "query": format!("{{ complaints(first: 200) {{ nodes {{ {} }} }} }}", aliases(3, "text")) });
        let headers = [("content-type", "application/json"), ("authorization", &*format!("Bearer {board}"))];
        let list = server.send("POST", "/graphql", &headers, &Value::from(vec![one; 10]).to_string()).json();
        let answered = (0..10).filter(|n| list[n].get("errors").is_none()).count();
        assert!((1..=4).contains(&answered), "{answered} of ten answers of 4 MB");
        let grown = (peak(&server) - before) / 1024;
        assert!(grown < 300, "{}: {grown} MB more than for one page", database.name);
    }
}

#[test]
fn entries_of_the_audit_log_and_rows_of_sql_count_too() {
    let database = Database::sqlite();
    world::fill(&database);
    let files = world::Files::new();
    let key = files.path().join("key").display().to_string();
    program().run(&database, ["key", "create", &key]).ok();
    let admin = program().token(&database, "ADMIN", None);
    let board = program().token(&database, "BOARD", None);
    let team = program().token(&database, "DATA_TEAM", None);
    let config = files.put("phananh.toml", "[api.limits]\nanswer_bytes = 200000\n");
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key, "--config", config.to_str().unwrap()]);
    let many: Vec<String> = (0..500).map(|n| format!("{n:0>60}")).collect();
    let ask = "query($names: [String!]) { officers(filter: {code: {in: $names}}) { totalCount } }";
    for _ in 0..5 {
        server.data_with(&board, ask, &json!({ "names": many }));
    }
    let log = |field: &str| format!("{{ auditLog(first: 200) {{ nodes {{ {field} }} }} }}");
    let found = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        let answer = server.graphql(&admin, &log(&aliases(10, "objects")), &json!({}));
        answer.text.contains("answerBytes").then_some(answer)
    });
    assert_eq!(found.expect("a refusal").codes(), ["BAD_USER_INPUT"]);
    let others = "bcdefg".chars().map(|name| format!("CROSS JOIN categories {name}")).collect::<Vec<_>>().join(" ");
    let sql = format!("SELECT a.code, b.code AS b, c.code AS c FROM categories a {others}");
    for fields in ["rows".to_owned(), aliases(50, "rows")] {
        let ask = format!("query($q: String!) {{ sql(query: $q) {{ {fields} }} }}");
        let answer = server.graphql(&team, &ask, &json!({ "q": sql }));
        assert!(answer.text.contains("more than 200000 bytes"), "{}", &answer.text[..answer.text.len().min(500)]);
    }
    let few = server.data_with(
        &team,
        "query($q: String!) { sql(query: $q) { rows } }",
        &json!({ "q": "SELECT code FROM categories" }),
    );
    assert!(!few["sql"]["rows"].as_array().unwrap().is_empty());
}

#[test]
fn who_leaves_large_answers_unread_holds_up_no_other() {
    let database = Database::sqlite();
    let server = with_long_texts(&database);
    let greedy = program().token(&database, "BOARD", None);
    let other = program().token(&database, "BOARD", None);
    let host = server.address.strip_prefix("http://").unwrap();
    let large = format!("{{ complaints(first: 200) {{ nodes {{ {} }} }} }}", aliases(10, "text"));
    let unread: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(host).expect("a connection");
            stream.write_all(crate::broken_off::request(host, &greedy, &large, "").as_bytes()).expect("sent");
            stream.read_exact(&mut [0; 12]).expect("the answer begins");
            stream
        })
        .collect();
    let refused = server.graphql(&greedy, &large, &json!({}));
    assert_eq!((refused.status, refused.codes()), (429, vec!["RATE_LIMITED".to_owned()]), "17 are unread");
    assert_eq!(server.graphql(&other, &large, &json!({})).status, 200, "another token has places of its own");
    // What is small is answered all the same.
    assert_eq!(server.data(&greedy, "{ serviceInfo { version } }")["serviceInfo"]["version"], "0.1.0");
    drop(unread);
    let again = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        server.graphql(&greedy, &large, &json!({})).status == 200
    });
    assert!(again, "whoever is gone gives the place back");
}

#[test]
fn errors_do_not_repeat_long_texts() {
    let database = Database::sqlite();
    world::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &["--no-jobs"]);
    let long = "x".repeat(48_000);
    for document in [
        "query($x: ID!) { node(id: $x) { id } }",
        "query($x: ID!) { complaint(id: $x) { id } }",
        "query($x: String) { complaints(after: $x) { totalCount } }",
        "query($x: NaiveDate!) { complaints(filter: {receivedOn: {eq: $x}}) { totalCount } }",
        "query($x: Int) { complaints(first: $x) { totalCount } }",
    ] {
        let answer = server.graphql(&board, document, &json!({ "x": long }));
        assert!(!answer.codes().is_empty() && answer.text.len() < 5_000, "{document}: {} bytes", answer.text.len());
    }
}

#[test]
fn patterns_have_a_bound_together() {
    for database in Database::both() {
        let server = with_long_texts(&database);
        let board = program().token(&database, "BOARD", None);
        let ask = "query($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }";
        let (like, search) = (json!({ "text": { "like": "%ab%".repeat(50) } }), json!({ "search": "ab".repeat(100) }));
        for one in [&like, &search, &json!({ "unit": { "nameVi": { "like": "%a".repeat(100) } } })] {
            for filter in [json!({ "or": vec![one; 200] }), json!({ "not": { "and": vec![one; 6] } })] {
                let began = Instant::now();
                let answer = server.graphql(&board, ask, &json!({ "f": filter }));
                assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}: {}", database.name, answer.text);
                assert!(answer.text.contains("patterns") && began.elapsed() < Duration::from_secs(2));
            }
        }
        // Conditions of several lists of one operation count together, too.
        let several =
            format!("query($f: ComplaintFilter) {{ {} }}", aliases(6, "complaints(filter: $f) { totalCount }"));
        assert_eq!(server.graphql(&board, &several, &json!({ "f": like })).codes(), ["BAD_USER_INPUT"]);
        let five = json!({ "f": { "or": vec![&like; 5] } });
        assert_eq!(server.data_with(&board, ask, &five)["complaints"]["totalCount"], 0, "{}", database.name);
    }
}

#[test]
fn a_header_that_another_parser_may_read_otherwise_is_refused() {
    let database = Database::sqlite();
    world::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &["--no-jobs"]);
    let host = server.address.strip_prefix("http://").unwrap();
    let query = "{ serviceInfo { version } }";
    for (more, status) in [
        ("authorization: Bearer other\r\n", "400"),
        ("content-type: application/json\r\n", "400"),
        ("expect: 200-maybe\r\n", "417"),
        ("accept: application/json\r\n", "200"),
    ] {
        let answer =
            raw_answer(host, &crate::broken_off::request(host, &board, query, &format!("{more}connection: close\r\n")));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{more}: {answer}");
    }
}
