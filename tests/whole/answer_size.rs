//! Limits on the size of answers, errors and patterns, and on the answers that slow readers leave unread.

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tests::fixtures::Files;
use tests::{Json, Role, Server, TestApp, raw_answer, raw_request};

const LETTERS: usize = 45_000;
const COMPLAINTS: usize = 30;

/// Submits complaints of one long text each.
fn submit_long_texts(app: &TestApp) {
    let intake = app.as_role(Role::Intake);
    let submit =
        "mutation($key: String!, $text: String!) { submitComplaint(input: {idempotencyKey: $key, unit: \"02CV\",
        category: \"HT\", legalForm: FEEDBACK, channel: PORTAL, text: $text}) { reference } }";
    for n in 0..COMPLAINTS {
        let text = format!("{n} {}", "a".repeat(LETTERS));
        intake.data_with(submit, &json!({ "key": n.to_string(), "text": text }));
    }
}

/// A selection of one field under a number of aliases.
fn aliases(number: usize, field: &str) -> String {
    (0..number).fold(String::new(), |mut all, n| {
        let _infallible = write!(all, "a{n}: {field} ");
        all
    })
}

/// The kilobytes of memory that the process of a server took at most so far.
fn peak(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn an_answer_has_a_bound() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        submit_long_texts(&app);
        let board = app.as_role(Role::Board);
        let whole = board.data("{ complaints(first: 200) { nodes { text } } }");
        let texts = whole["complaints"]["nodes"].list();
        let long = texts.iter().filter(|node| node["text"].as_str().is_some_and(|text| text.len() > LETTERS)).count();
        assert_eq!(long, COMPLAINTS, "an answer with each text once is complete");
        let before = peak(app.server());
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
            let answer = board.request(document);
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}: {document}", app.database.name);
            assert!(answer.text.contains("answerBytes") && answer.text.len() < 1_000, "{}", answer.text);
        }
        // The operations of a list share the bound: the server answers those that fit.
        let one = json!({ "query": format!("{{ complaints(first: 200) {{ nodes {{ {} }} }} }}", aliases(3, "text")) });
        let headers = [("content-type", "application/json"), ("authorization", &*format!("Bearer {}", board.token))];
        let list = app.server().send("POST", "/graphql", &headers, &Value::from(vec![one; 10]).to_string()).json();
        let answered = (0..10).filter(|n| list[n].get("errors").is_none()).count();
        assert!((1..=4).contains(&answered), "{answered} of ten answers of 4 MB");
        let grown = (peak(app.server()) - before) / 1024;
        assert!(grown < 300, "{}: {grown} MB more than for one page", app.database.name);
    }
}

#[test]
fn entries_of_the_audit_log_and_rows_of_sql_count_too() {
    let files = Files::new();
    let key = files.key_file();
    let config = files.put("phananh.toml", "[api.limits]\nanswer_bytes = 200000\n").display().to_string();
    let arguments = ["--no-jobs", "--key-file", &key, "--config", &config];
    let app = TestApp::sqlite().world().arguments(&arguments).start();
    let (admin, board, team) = (app.as_role(Role::Admin), app.as_role(Role::Board), app.as_role(Role::DataTeam));
    let many: Vec<String> = (0..500).map(|n| format!("{n:0>60}")).collect();
    let ask = "query($names: [String!]) { officers(filter: {code: {in: $names}}) { totalCount } }";
    for _ in 0..5 {
        board.data_with(ask, &json!({ "names": many }));
    }
    let log = |field: &str| format!("{{ auditLog(first: 200) {{ nodes {{ {field} }} }} }}");
    let found = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        let answer = admin.request(&log(&aliases(10, "objects")));
        answer.text.contains("answerBytes").then_some(answer)
    });
    assert_eq!(found.expect("a refusal").codes(), ["BAD_USER_INPUT"]);
    let others = "bcdefg".chars().map(|name| format!("CROSS JOIN categories {name}")).collect::<Vec<_>>().join(" ");
    let sql = format!("SELECT a.code, b.code AS b, c.code AS c FROM categories a {others}");
    for fields in ["rows".to_owned(), aliases(50, "rows")] {
        let ask = format!("query($q: String!) {{ sql(query: $q) {{ {fields} }} }}");
        let answer = team.request_with(&ask, &json!({ "q": sql }));
        assert!(answer.text.contains("more than 200000 bytes"), "{}", &answer.text[..answer.text.len().min(500)]);
    }
    let ask = "query($q: String!) { sql(query: $q) { rows } }";
    let few = team.data_with(ask, &json!({ "q": "SELECT code FROM categories" }));
    assert!(!few["sql"]["rows"].list().is_empty());
}

#[test]
fn who_leaves_large_answers_unread_holds_up_no_other() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    submit_long_texts(&app);
    // The limit counts for each token, so the clients may be of one role.
    let (greedy, other) = (app.as_role(Role::Board), app.as_role(Role::Board));
    let host = app.server().address.strip_prefix("http://").unwrap();
    let large = format!("{{ complaints(first: 200) {{ nodes {{ {} }} }} }}", aliases(10, "text"));
    let unread: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(host).expect("a connection");
            stream.write_all(raw_request(host, &greedy.token, &large, "").as_bytes()).expect("sent");
            stream.read_exact(&mut [0; 12]).expect("the answer begins");
            stream
        })
        .collect();
    let refused = greedy.request(&large);
    assert_eq!((refused.status, refused.codes()), (429, vec!["RATE_LIMITED".to_owned()]), "17 are unread");
    assert_eq!(other.request(&large).status, 200, "another token has places of its own");
    // The server still answers what is small.
    assert_eq!(greedy.data("{ serviceInfo { version } }")["serviceInfo"]["version"], "0.1.0");
    drop(unread);
    let again = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        greedy.request(&large).status == 200
    });
    assert!(again, "whoever is gone gives the place back");
}

#[test]
fn errors_do_not_repeat_long_texts() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let long = "x".repeat(48_000);
    for document in [
        "query($x: ID!) { node(id: $x) { id } }",
        "query($x: ID!) { complaint(id: $x) { id } }",
        "query($x: String) { complaints(after: $x) { totalCount } }",
        "query($x: NaiveDate!) { complaints(filter: {receivedOn: {eq: $x}}) { totalCount } }",
        "query($x: Int) { complaints(first: $x) { totalCount } }",
    ] {
        let answer = board.request_with(document, &json!({ "x": long }));
        assert!(!answer.codes().is_empty() && answer.text.len() < 5_000, "{document}: {} bytes", answer.text.len());
    }
}

#[test]
fn patterns_have_a_bound_together() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        submit_long_texts(&app);
        let board = app.as_role(Role::Board);
        let ask = "query($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }";
        let (like, search) = (json!({ "text": { "like": "%ab%".repeat(50) } }), json!({ "search": "ab".repeat(100) }));
        for one in [&like, &search, &json!({ "unit": { "nameVi": { "like": "%a".repeat(100) } } })] {
            for filter in [json!({ "or": vec![one; 200] }), json!({ "not": { "and": vec![one; 6] } })] {
                let began = Instant::now();
                let answer = board.request_with(ask, &json!({ "f": filter }));
                assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}: {}", app.database.name, answer.text);
                assert!(answer.text.contains("patterns") && began.elapsed() < Duration::from_secs(2));
            }
        }
        // The conditions of all lists of an operation count together, too.
        let several =
            format!("query($f: ComplaintFilter) {{ {} }}", aliases(6, "complaints(filter: $f) { totalCount }"));
        assert_eq!(board.request_with(&several, &json!({ "f": like })).codes(), ["BAD_USER_INPUT"]);
        let five = json!({ "f": { "or": vec![&like; 5] } });
        assert_eq!(board.data_with(ask, &five)["complaints"]["totalCount"], 0, "{}", app.database.name);
    }
}

#[test]
fn a_header_that_another_parser_may_read_otherwise_is_refused() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let host = app.server().address.strip_prefix("http://").unwrap();
    let query = "{ serviceInfo { version } }";
    for (more, status) in [
        ("authorization: Bearer other\r\n", "400"),
        ("content-type: application/json\r\n", "400"),
        ("expect: 200-maybe\r\n", "417"),
        ("accept: application/json\r\n", "200"),
    ] {
        let answer = raw_answer(host, &raw_request(host, &board.token, query, &format!("{more}connection: close\r\n")));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{more}: {answer}");
    }
}
