//! Requests that cost a client little and the server much are refused, or bounded, and others are served meanwhile.

use crate::program;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::{Answer, Beside, Database, Json, Server, raw_request};

/// Brackets around a text, so many times.
fn nested(open: &str, close: &str, levels: usize, inner: &str) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

/// What GraphQL tools ask for to learn a schema, with as many levels of types as they take (graphql-js 16).
fn introspection_of_tools() -> String {
    let of_type = nested("ofType { kind name ", "}", 9, "");
    format!(
        "query IntrospectionQuery {{ __schema {{ queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }}
           types {{ ...FullType }} directives {{ name description locations args {{ ...InputValue }} }} }} }}
         fragment FullType on __Type {{ kind name description
           fields(includeDeprecated: true) {{ name description args {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated
             deprecationReason }}
           inputFields {{ ...InputValue }} interfaces {{ ...TypeRef }}
           enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
           possibleTypes {{ ...TypeRef }} }}
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue }}
         fragment TypeRef on __Type {{ kind name {of_type} }}"
    )
}

/// Fragments of which each spreads the next twice.
fn doubling(on: &str, levels: usize, inner: &str) -> String {
    let fragments = (0..levels).map(|n| format!("fragment A{n} on {on} {{ ...A{} ...A{} }} ", n + 1, n + 1));
    fragments.collect::<String>() + &format!("fragment A{levels} on {on} {{ {inner} }}")
}

#[test]
fn an_introspection_is_counted_and_priced() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let dashboard = program().token(&database, "DASHBOARD", None);
    let production = program().serve(&database, &["--no-jobs"]);
    let development = program().serve(&database, &["--no-jobs", "--dev"]);
    let whole = production.data(&dashboard, &introspection_of_tools());
    assert!(whole["__schema"]["types"].list().len() > 100, "tools learn the schema");
    let implementing = nested("possibleTypes { interfaces { ", "} } ", 6, "name");
    let arguments = nested("inputFields { type { ", "} } ", 9, "name");
    let documents = [
        format!("{{ __type(name: \"Node\") {{ {implementing} }} }}"),
        format!("query($name: String! = \"Node\") {{ __type(name: $name) {{ {implementing} }} }}"),
        format!("{{ __schema {{ types {{ {arguments} }} }} }}"),
        format!("{{ __schema {{ types {{ ...T }} }} }} fragment T on __Type {{ {arguments} }}"),
        format!("{{ __type(name: \"Node\") {{ {} }} }}", nested("ofType { ", "} ", 30, "name")),
        format!("{{ __schema {{ ...A0 }} }} {}", doubling("__Schema", 12, "types { name }")),
    ];
    for document in &documents {
        // Where development needs no token, the limits hold all the same.
        for (server, token) in [(&production, &*dashboard), (&development, &*dashboard), (&development, "")] {
            let began = Instant::now();
            let answer = server.graphql(token, document, &json!({}));
            assert_eq!(answer.status, 400, "{document}: {answer:?}");
            assert!(answer.text.len() < 10_000 && began.elapsed() < Duration::from_secs(5), "{document}");
        }
    }
    let by_url: String = documents[0].bytes().map(|byte| format!("%{byte:02X}")).collect();
    let bearer = format!("Bearer {dashboard}");
    let answer = production.send("GET", &format!("/graphql?query={by_url}"), &[("authorization", &bearer)], "");
    assert!(answer.text.contains("errors"), "{answer:?}");
    // Without a token nothing else may be asked in the same document.
    let beside = development.graphql("", "{ __schema { queryType { name } } serviceInfo { version } }", &json!({}));
    assert_eq!((beside.status, beside.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]));
}

#[test]
fn every_operation_of_a_document_keeps_to_the_limits() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let token = program().token(&database, "DASHBOARD", None);
    let server = program().serve(&database, &["--no-jobs", "--dev"]);
    let cheap = "query A { serviceInfo { version } }";
    let many = "units { nodes { code } } ".repeat(1_000);
    let documents = [
        format!("{cheap} query B {{ ...A0 ...A0 }} {}", doubling("Query", 40, "__typename")),
        format!("{cheap} query B {{ ...A0 }} {}", doubling("Query", 59, "__typename")),
        format!("{cheap} mutation B {{ ...A0 }} {}", doubling("Mutation", 40, "__typename")),
        format!("{cheap} query B {{ units {{ nodes {{ ...A0 }} }} }} {}", doubling("Unit", 40, "code")),
        format!("{cheap} query B {{ {many} }}"),
        format!("{cheap} fragment F on Query {{ ...G }} fragment G on Query {{ ...F }}"),
        format!("{cheap} fragment F on Query {{ {} }}", nested("... on Query { ", "} ", 90, "__typename")),
        format!("{cheap} query B {{ {} }}", nested("units { nodes { parent { ", "} } } ", 30, "code")),
        format!("query A {{ serviceInfo {{ version }} }} query B {{ {} }}", "x".repeat(100_000)),
    ];
    for document in &documents {
        let began = Instant::now();
        for body in
            [json!({ "query": document, "operationName": "A" }), json!([{ "query": document, "operationName": "A" }])]
        {
            let headers = [("content-type", "application/json"), ("authorization", &*format!("Bearer {token}"))];
            let answer = server.send("POST", "/graphql", &headers, &body.to_string());
            let codes = ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"];
            assert!(codes.iter().any(|code| answer.text.contains(code)), "{document}: {answer:?}");
            assert!(answer.text.len() < 10_000);
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{document}");
    }
    let two = format!("{cheap} query B {{ units {{ nodes {{ code }} }} }}");
    let body = json!({ "query": two, "operationName": "A" }).to_string();
    let headers = [("content-type", "application/json"), ("authorization", &*format!("Bearer {token}"))];
    assert_eq!(server.send("POST", "/graphql", &headers, &body).json()["data"]["serviceInfo"]["version"], "0.1.0");
}

#[test]
fn texts_that_are_compared_have_a_bound() {
    for database in Database::both() {
        fixtures::fill(&database);
        let board = program().token(&database, "BOARD", None);
        let intake = program().token(&database, "INTAKE", None);
        let server = program().serve(&database, &["--no-jobs"]);
        let text = "a".repeat(45_000);
        let submit = "mutation($text: String!) { submitComplaint(input: {idempotencyKey: \"1\", unit: \"02CV\", category: \"HT\",
            legalForm: FEEDBACK, channel: PORTAL, text: $text}) { reference } }";
        let made = server.graphql(&intake, submit, &json!({ "text": text }));
        assert!(made.json().get("errors").is_none(), "{made:?}");
        let pattern = "%a".repeat(25_000);
        let long = "a".repeat(5_000);
        let documents = [
            ("query($p: String) { complaints(filter: {text: {like: $p}}) { totalCount } }", json!({ "p": pattern })),
            (
                "query($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }",
                json!({ "f": { "text": { "like": pattern } } }),
            ),
            (
                "query($p: String) { complaints(filter: {not: {or: [{text: {like: $p}}]}}) { totalCount } }",
                json!({ "p": pattern }),
            ),
            ("query($p: String) { complaints(filter: {search: $p}) { totalCount } }", json!({ "p": long })),
            ("query($p: String!) { complaints(filter: {text: {in: [$p]}}) { totalCount } }", json!({ "p": long })),
            (
                "query($p: String) { complaints(filter: {unit: {nameVi: {like: $p}}}) { totalCount } }",
                json!({ "p": pattern }),
            ),
            ("query($p: String) { officers(filter: {name: {like: $p}}) { totalCount } }", json!({ "p": pattern })),
            (
                "query($p: String!) { complaintStatistics(filter: {unitWithin: [$p]}) { position } }",
                json!({ "p": long }),
            ),
        ];
        for (document, variables) in documents {
            let answer = server.graphql(&board, document, &variables);
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}: {document}: {answer:?}", database.name);
            assert!(answer.text.contains("longer than"), "{answer:?}");
        }
        // The longest that may be asked for is answered, over the long text.
        let longest = "%a".repeat(500);
        let found = server.data_with(&board, documents_like(), &json!({ "p": longest }));
        assert_eq!(found["complaints"]["totalCount"], 1, "{}", database.name);
        let sql =
            |sql: &str| server.graphql(&board, "query($q: String!) { sql(query: $q) { rows } }", &json!({ "q": sql }));
        for deep in ["1+".repeat(24_000), "NOT ".repeat(12_000), "- ".repeat(24_000)] {
            assert!(sql(&format!("SELECT {deep}1")).text.contains("errors"), "{}", database.name);
        }
        assert!(sql(&format!("{}SELECT 1", "SELECT 1 UNION ".repeat(3_000))).text.contains("errors"));
        // Very many conditions are wide and not deep.
        let one = json!({ "state": { "eq": "CLOSED" } });
        for of in [json!({ "or": vec![&one; 600] }), json!({ "and": vec![&one; 600] })] {
            server.data_with(
                &board,
                "query($f: ComplaintFilter) { complaints(filter: $f) { totalCount } }",
                &json!({ "f": of }),
            );
        }
        assert_eq!(server.get("/healthz").status, 200, "it still runs");
    }
}

fn documents_like() -> &'static str {
    "query($p: String) { complaints(filter: {text: {like: $p}}) { totalCount } }"
}

#[test]
fn the_operations_of_a_list_share_a_deadline() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program()
        .serve_configured(&database, "[api.roles.BOARD]\ndeadline_ms = 1500\n[api.limits]\ndeadline_ms = 60000\n");
    let mut beside = Beside::new(&database);
    beside.lock("complaint_officers");
    let one = json!({ "query": "{ complaints { nodes { officers { finding } } } }" });
    let headers = [("content-type", "application/json"), ("authorization", &*format!("Bearer {board}"))];
    let began = Instant::now();
    let answer = server.send("POST", "/graphql", &headers, &Value::from(vec![one; 10]).to_string());
    let took = began.elapsed();
    beside.unlock();
    let answers = answer.json();
    let codes: Vec<&str> = (0..10).filter_map(|n| answers[n]["errors"][0]["extensions"]["code"].as_str()).collect();
    assert_eq!(codes, ["TIMEOUT"; 10], "{answers}");
    assert!(took < Duration::from_millis(2 * 1_500), "ten deadlines are fifteen seconds: {took:?}");
}

#[test]
fn one_token_leaves_places_for_the_others() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let greedy = program().token(&database, "UNIT_HEAD", Some("02"));
    let board = program().token(&database, "BOARD", None);
    let server = program().serve_patiently(&database);
    let mut beside = Beside::new(&database);
    beside.lock("complaint_officers");
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..60)
            .map(|_| {
                scope.spawn(|| server.graphql(&greedy, "{ complaints { nodes { officers { finding } } } }", &json!({})))
            })
            .collect();
        sleep(Duration::from_secs(2));
        for _ in 0..5 {
            let other = server.data(&board, "{ issueCategories { nodes { code } } }");
            assert!(!other["issueCategories"]["nodes"].list().is_empty());
        }
        beside.unlock();
        for answer in waiting {
            let answer: Answer = answer.join().unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    });
}

#[test]
fn who_reads_an_export_slowly_holds_up_no_other() {
    let database = Database::sqlite();
    fixtures::generate(&database, 40_000, 3);
    let files = Files::new();
    let key = files.key_file();
    let board = program().token(&database, "BOARD", None);
    let team = program().token(&database, "DATA_TEAM", None);
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
    let host = server.address.strip_prefix("http://").unwrap();
    let begin = |token: &str| {
        let mut stream = TcpStream::connect(host).expect("a connection");
        write!(stream, "GET /export/complaints.csv HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n")
            .expect("sent");
        let mut first = [0; 200];
        stream.read_exact(&mut first).expect("it begins");
        assert!(first.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&first));
        stream
    };
    let slow: Vec<TcpStream> = [&team, &board, &team, &board].map(|token| begin(token)).into();
    let answer = server.send("GET", "/export/complaints.csv", &[("authorization", &format!("Bearer {team}"))], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text.lines().count() > 40_000 && answer.text.len() > 4 << 20, "{} bytes", answer.text.len());
    drop(slow);
}

/// The processes whose parent is this one, by their command line.
fn children(parent: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").expect("the processes").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let Some((_, after)) = stat.rsplit_once(')') else { continue };
        if after.split_whitespace().nth(1).and_then(|ppid| ppid.parse().ok()) == Some(parent) {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&line).replace('\0', " ")));
        }
    }
    found
}

#[test]
fn the_worker_of_a_question_ends_with_its_server() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let key = files.key_file();
    let team = program().token(&database, "DATA_TEAM", None);
    let config = files.put("phananh.toml", "[api.limits]\ndeadline_ms = 100000\n");
    let server: Server =
        program().serve(&database, &["--no-jobs", "--key-file", &key, "--config", config.to_str().unwrap()]);
    let pid = server.pid();
    let host = server.address.strip_prefix("http://").unwrap().to_owned();
    let long = "SELECT SUM(value % 7) AS n FROM generate_series(1, 1000000000000)";
    let query = format!("{{ sql(query: \"{long}\") {{ rows }} }}");
    let mut asking = TcpStream::connect(&host).expect("a connection");
    asking.write_all(raw_request(&host, &team, &query, "").as_bytes()).expect("sent");
    let worker = (0..200).find_map(|_| {
        sleep(Duration::from_millis(50));
        children(pid).into_iter().find(|(_, line)| line.contains("phananh-engine"))
    });
    let (worker, _) = worker.expect("an engine");
    // Its limit of processor time is that of the deadline, whatever becomes of the server.
    let is_limited = (0..200).any(|_| {
        sleep(Duration::from_millis(50));
        let limits = std::fs::read_to_string(format!("/proc/{worker}/limits")).expect("its limits");
        let cpu = limits.lines().find(|line| line.starts_with("Max cpu time")).expect("a limit").to_owned();
        // The soft limit: the hard one is for later questions.
        cpu.split_whitespace().nth(3).is_some_and(|soft| soft != "unlimited")
    });
    assert!(is_limited);
    assert!(server.end_by("KILL").is_none());
    let ends = (0..100).any(|_| {
        sleep(Duration::from_millis(50));
        let state = std::fs::read_to_string(format!("/proc/{worker}/stat")).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    });
    assert!(ends, "the engine {worker} lives on");
}
