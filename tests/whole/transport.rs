//! GraphQL over HTTP: media types, status codes, lists of operations, persisted and trusted ones, limits.

use crate::program;
use crate::world::{self, Files};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tests::{Answer, Database, Server, node};

const RESPONSE: &str = "application/graphql-response+json";

/// A server with a configuration file.
fn configured(database: &Database, config: &str) -> Server {
    let files = Files::new();
    let path = files.put("phananh.toml", config);
    program().serve(database, &["--config", path.to_str().unwrap()])
}

fn post(server: &Server, token: &str, accept: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("content-type", "application/json"), ("authorization", &*bearer)];
    if !accept.is_empty() {
        headers.push(("accept", accept));
    }
    server.send("POST", "/graphql", &headers, &body.to_string())
}

fn get(server: &Server, token: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let bearer = format!("Bearer {token}");
    let mut all = vec![("authorization", &*bearer)];
    all.extend(headers);
    server.send("GET", &format!("/graphql?{}", query.join("&")), &all, "")
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn every_audit_of_graphql_over_http_is_met() {
    let database = Database::sqlite();
    let token = program().token(&database, "BOARD", None);
    for args in [&[][..], &["--dev"]] {
        let server = program().serve(&database, args);
        let results = node("audit.js", &[&format!("{}/graphql", server.address), &token]);
        let results: Vec<Value> = serde_json::from_str(&results).unwrap();
        assert!(results.len() > 50, "{}", results.len());
        let missed: Vec<&Value> = results.iter().filter(|result| result["status"] != "ok").collect();
        assert!(missed.is_empty(), "{args:?}: {missed:#?}");
    }
}

#[test]
fn the_status_says_what_became_of_a_request_to_those_who_can_read_it() {
    let database = Database::sqlite();
    let token = program().token(&database, "BOARD", None);
    let head = {
        world::fill(&database);
        program().token(&database, "UNIT_HEAD", Some("02CV"))
    };
    let server = program().serve(&database, &[]);
    let ask = |token: &str, accept: &str, query: &str| post(&server, token, accept, &json!({ "query": query }));
    for (query, code, modern, legacy) in [
        ("{ serviceInfo { version } }", None, 200, 200),
        ("{ serviceInfo {", Some("GRAPHQL_PARSE_FAILED"), 400, 200),
        ("{ nothing }", Some("GRAPHQL_VALIDATION_FAILED"), 400, 200),
        ("query($n: Int!) { units(first: $n) { totalCount } }", Some("BAD_USER_INPUT"), 400, 200),
        ("{ unit { code } }", Some("BAD_USER_INPUT"), 200, 200),
    ] {
        for (accept, status) in [(RESPONSE, modern), ("application/json", legacy), ("", legacy), ("*/*", legacy)] {
            let answer = ask(&token, accept, query);
            assert_eq!(answer.status, status, "{accept} {query}: {answer:?}");
            assert_eq!(answer.codes(), code.into_iter().collect::<Vec<_>>(), "{query}");
            let media = if accept == RESPONSE { RESPONSE } else { "application/json" };
            assert_eq!(answer.content_type, format!("{media}; charset=utf-8"), "{accept}");
            // What never ran has no data, not even null.
            let ran = modern == 200;
            assert_eq!(answer.json().get("data").is_some(), ran, "{query}: {answer:?}");
        }
    }
    assert_eq!(ask(&head, RESPONSE, "{ officers { totalCount } }").status, 403);
    assert_eq!(ask("pa_wrong", RESPONSE, "{ __typename }").status, 401);
    assert_eq!(ask("", RESPONSE, "{ __typename }").status, 401);
    let quality = ask(&token, &format!("application/json;q=0.5, {RESPONSE};q=0.9"), "{ __typename }");
    assert_eq!(quality.content_type, format!("{RESPONSE}; charset=utf-8"));
    assert_eq!(ask(&token, "text/html", "{ __typename }").status, 406);
    let bearer = format!("Bearer {token}");
    let form = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &*bearer)];
    assert_eq!(server.send("POST", "/graphql", &form, "query={__typename}").status, 415);
    let plain = [("content-type", "text/plain"), ("authorization", &*bearer)];
    assert_eq!(server.send("POST", "/graphql", &plain, r#"{"query":"{__typename}"}"#).status, 415, "no preflight");
    for body in ["", "{", "[]", "17", "null", r#"{"query": 1}"#, r#"{"query": "{__typename}", "variables": []}"#] {
        let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
        let answer = server.send("POST", "/graphql", &headers, body);
        assert_eq!((answer.status, answer.codes()), (400, vec!["BAD_USER_INPUT".to_owned()]), "{body}: {answer:?}");
    }
}

#[test]
fn get_is_for_queries_and_answers_of_the_snapshot_have_a_tag() {
    let database = Database::sqlite();
    world::fill(&database);
    let (board, head) =
        (program().token(&database, "BOARD", None), program().token(&database, "UNIT_HEAD", Some("02CV")));
    let server = program().serve(&database, &[]);
    let answer = get(
        &server,
        &board,
        &[("query", "query($c: String) { unit(code: $c) { code } }"), ("variables", r#"{"c":"02"}"#)],
        &[],
    );
    assert_eq!(answer.json()["data"]["unit"]["code"], "02", "{answer:?}");
    assert_eq!(answer.header("etag"), "", "a unit comes from the database");
    for wrong in [&[("query", "{__typename}"), ("variables", "{")][..], &[("query", "{")], &[("query", "")], &[]] {
        assert_eq!(get(&server, &board, wrong, &[("accept", RESPONSE)]).status, 400, "{wrong:?}");
    }
    let mutation = "mutation { submitComplaint(input: {}) { reference } }";
    assert!(matches!(get(&server, &board, &[("query", mutation)], &[]).status, 403 | 405));
    let intake = program().token(&database, "INTAKE", None);
    let valid = "mutation A { submitComplaint(input: {text: \"x\"}) { reference } } query B { __typename }";
    let refused = get(&server, &intake, &[("query", valid), ("operationName", "A")], &[]);
    assert_eq!((refused.status, refused.header("allow")), (405, "POST"), "{refused:?}");
    assert_eq!(get(&server, &intake, &[("query", valid), ("operationName", "B")], &[]).status, 200);

    let statistics = [("query", "{ complaintStatistics(groupBy: [CATEGORY]) { rows { complaints } } }")];
    let first = get(&server, &board, &statistics, &[]);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\"") && first.header("cache-control").contains("private"), "{first:?}");
    let again = get(&server, &board, &statistics, &[("if-none-match", &tag)]);
    assert_eq!((again.status, &*again.text), (304, ""));
    let other = get(&server, &head, &statistics, &[("if-none-match", &tag)]);
    assert_eq!(other.status, 200, "another sees other rows");
    let files = Files::new();
    let row = "PN-1;05/01/2024;;;02CV;;TD2;;;;;x;";
    let csv = format!("{}\n{row}\n", world::COMPLAINTS.lines().next().unwrap());
    program().run(&database, files.import("complaints", csv, world::COMPLAINTS_MAP)).ok();
    let changed = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        get(&server, &board, &statistics, &[("if-none-match", &tag)]).status == 200
    });
    assert!(changed, "a new complaint changes the answer");
}

#[test]
fn operations_come_in_lists_and_by_their_hash() {
    let database = Database::sqlite();
    let token = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &[]);
    let list = json!([{ "query": "{ __typename }" }, { "query": "{ nothing }" }, { "query": 7 }, { "query": "{ serviceInfo { version } }" }]);
    let answers = post(&server, &token, RESPONSE, &list);
    let all = answers.json();
    assert_eq!((answers.status, all.as_array().unwrap().len()), (200, 4), "{answers:?}");
    assert_eq!(all[0]["data"]["__typename"], "Query");
    assert_eq!(all[1]["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(all[2]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert!(all[3]["data"]["serviceInfo"]["version"].is_string());
    let many = Value::Array(vec![json!({ "query": "{ __typename }" }); 11]);
    assert_eq!(post(&server, &token, RESPONSE, &many).status, 400, "more than a list may have");

    let query = "query Named { serviceInfo { version } }";
    let hash: String = Sha256::digest(query.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let by_hash = json!({ "extensions": extensions });
    let unknown = post(&server, &token, "", &by_hash);
    assert_eq!((unknown.status, unknown.codes()), (200, vec!["PERSISTED_QUERY_NOT_FOUND".to_owned()]));
    assert_eq!(unknown.json()["errors"][0]["message"], "PersistedQueryNotFound");
    let wrong = post(&server, &token, "", &json!({ "query": "{ __typename }", "extensions": extensions }));
    assert_eq!(wrong.codes(), ["BAD_USER_INPUT"], "the hash of another text");
    let taught = post(&server, &token, "", &json!({ "query": query, "extensions": extensions }));
    assert!(taught.json()["data"]["serviceInfo"]["version"].is_string());
    assert_eq!(post(&server, &token, "", &by_hash).json()["data"], taught.json()["data"]);
    let by_url = get(&server, &token, &[("extensions", &extensions.to_string())], &[]);
    assert_eq!(by_url.json()["data"], taught.json()["data"], "{by_url:?}");
}

#[test]
fn each_limit_is_told_and_holds() {
    let database = Database::sqlite();
    world::fill(&database);
    let token = program().token(&database, "BOARD", None);
    let dashboard = program().token(&database, "INTAKE", None);
    let server = configured(
        &database,
        "[api.limits]\nbody_bytes = 3000\ntokens = 120\ndepth = 4\nfields = 20\naliases = 3\nroot_fields = 4\n\
         directives = 2\nargument_values = 20\ncost = 300\npage_size = 50\n[api.roles.INTAKE]\nbatch = 2\n",
    );
    let told = server.data(&token, "{ serviceInfo { limits { bodyBytes tokens depth cost pageSize batch } } }");
    let expected = json!({ "bodyBytes": 3000, "tokens": 120, "depth": 4, "cost": 300, "pageSize": 50, "batch": 10 });
    assert_eq!(told["serviceInfo"]["limits"], expected);
    assert_eq!(server.data(&dashboard, "{ serviceInfo { limits { batch } } }")["serviceInfo"]["limits"]["batch"], 2);
    let spread = "fragment A on Unit { code ...B ...B } fragment B on Unit { code ...C ...C } fragment C on Unit { code code code }";
    for (query, word) in [
        (format!("{{ units {{ nodes {{ {} }} }} }}", "code ".repeat(130)), "words"),
        ("{ units { nodes { parents { unit { code } } } } }".into(), "levels"),
        (format!("{{ units {{ nodes {{ ...A }} }} }} {spread}"), "fields"),
        (
            "{ a: units { totalCount } b: units { totalCount } c: units { totalCount } d: units { totalCount } }"
                .into(),
            "renames",
        ),
        (format!("{{ {} }}", "serviceInfo { version } ".repeat(5)), "operation itself"),
        (
            "{ units { totalCount @skip(if: false) @include(if: true) nodes @skip(if: false) { code } } }".into(),
            "directives",
        ),
        (format!("{{ units(filter: {{code: {{in: [{}]}}}}) {{ totalCount }} }}", "\"a\",".repeat(25)), "values"),
        ("{ complaints(first: 50) { nodes { responses(first: 10) { totalCount } } } }".into(), "rows"),
        ("{ units(first: 51) { totalCount } }".into(), "50"),
    ] {
        let answer = server.graphql(&token, &query, &json!({}));
        assert!(answer.text.contains(word), "{word}: {answer:?}");
        assert!(matches!(answer.codes()[0].as_str(), "GRAPHQL_VALIDATION_FAILED" | "BAD_USER_INPUT"), "{answer:?}");
    }
    // A page size in a variable counts as well.
    let sized = "query($n: Int) { complaints(first: $n) { nodes { responses(first: $n) { totalCount } } } }";
    assert_eq!(server.graphql(&token, sized, &json!({ "n": 10 })).status, 200);
    assert_eq!(server.graphql(&token, sized, &json!({ "n": 40 })).codes(), ["BAD_USER_INPUT"]);
    let large = server.graphql(&token, &format!("{{ __typename }} #{}", "x".repeat(3000)), &json!({}));
    assert_eq!((large.status, large.codes()), (413, vec!["BAD_USER_INPUT".to_owned()]));
    // Fragments that multiply are refused before they are walked through.
    let names: Vec<String> = (0..40).map(|n| format!("fragment F{n} on Unit {{ ...F{0} ...F{0} }}", n + 1)).collect();
    let bomb = format!("{{ units {{ nodes {{ ...F0 }} }} }} {} fragment F40 on Unit {{ code }}", names.join(" "));
    let roomy = program().serve(&database, &[]);
    assert_eq!(roomy.graphql(&token, &bomb, &json!({})).status, 400);
    assert_eq!(roomy.graphql(&token, "{ __typename }", &json!({})).status, 200);
}

#[test]
fn a_deadline_ends_an_operation_and_rates_are_kept_for_each_token() {
    for database in Database::both() {
        program().run(&database, ["generate", "--complaints", "3000", "--seed", "3"]).ok();
        let token = program().token(&database, "BOARD", None);
        let other = program().token(&database, "ADMIN", None);
        let server = configured(
            &database,
            "[api.limits]\ndeadline_ms = 1\n[api.roles.ADMIN]\nrequests_per_minute = 5\ndeadline_ms = 10000\n",
        );
        let slow = "{ complaints(first: 200) { totalCount nodes { text officers { officer { name } } } } }";
        let answer = server.graphql(&token, slow, &json!({}));
        assert_eq!((answer.status, answer.codes()), (504, vec!["TIMEOUT".to_owned()]), "{answer:?}");
        for _ in 0..5 {
            assert_eq!(server.graphql(&other, "{ __typename }", &json!({})).status, 200);
        }
        let refused = server.graphql(&other, "{ __typename }", &json!({}));
        assert_eq!((refused.status, refused.codes()), (429, vec!["RATE_LIMITED".to_owned()]), "{refused:?}");
        assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|wait| (1..=60).contains(&wait)), "{refused:?}");
        assert_ne!(server.graphql(&token, "{ __typename }", &json!({})).status, 429, "another token");
    }
}

#[test]
fn a_role_can_be_held_to_its_allow_list() {
    for database in Database::both() {
        world::fill(&database);
        let token = program().token(&database, "UNIT_HEAD", Some("02CV"));
        let board = program().token(&database, "BOARD", None);
        let files = Files::new();
        let listed = files.put(
            "list.graphql",
            "query Count($u: String!) { unit(code: $u) { code, kind } }\nquery All { units { totalCount } }",
        );
        let trust = |name: &str, file: &str| {
            program().run(&database, ["token", "trust", "--name", name, file, "--format", "json"])
        };
        assert_eq!(trust("UNIT_HEAD-02CV", listed.to_str().unwrap()).ok().json(), json!({ "added": 2, "known": 0 }));
        assert_eq!(trust("UNIT_HEAD-02CV", listed.to_str().unwrap()).ok().json(), json!({ "added": 0, "known": 2 }));
        assert_eq!(trust("nobody", listed.to_str().unwrap()).status, 1);
        let wrong = trust("UNIT_HEAD-02CV", files.put("x.graphql", "{ a").to_str().unwrap());
        assert!(wrong.status == 1 && wrong.err.contains("x.graphql"), "{wrong:?}");
        let server = configured(&database, "[api]\ntrusted_operations = [\"UNIT_HEAD\"]\n");
        let ask = |token: &str, query: &str| server.graphql(token, query, &json!({ "u": "02" }));
        assert_eq!(
            ask(&token, "query Other ($u:String!) {unit(code:$u){kind code}}").json()["data"]["unit"]["code"],
            "02"
        );
        let refused = ask(&token, "query Count($u: String!) { unit(code: $u) { code kind nameVi } }");
        assert_eq!((refused.status, refused.codes()), (403, vec!["FORBIDDEN".to_owned()]));
        assert_eq!(ask(&token, "{ __schema { queryType { name } } }").status, 403);
        assert_eq!(ask(&board, "{ units { totalCount } }").status, 200);
    }
}

#[test]
fn pages_of_other_sites_ask_only_where_the_configuration_names_them() {
    let database = Database::sqlite();
    let token = program().token(&database, "BOARD", None);
    let server = configured(&database, "[api]\ncors_origins = [\"https://bang.example\"]\n");
    let preflight = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,authorization"),
        ];
        server.send("OPTIONS", "/graphql", &headers, "")
    };
    assert_eq!(preflight("https://bang.example").header("access-control-allow-origin"), "https://bang.example");
    assert_eq!(preflight("https://evil.example").header("access-control-allow-origin"), "");
    let bearer = format!("Bearer {token}");
    let headers = [
        ("origin", "https://bang.example"),
        ("authorization", &*bearer),
        ("content-type", "application/json"),
        ("x-request-id", "thu-17"),
    ];
    let answer = server.send("POST", "/graphql", &headers, r#"{"query": "{ __typename }"}"#);
    assert_eq!(answer.header("access-control-allow-origin"), "https://bang.example");
    assert_eq!(answer.header("x-request-id"), "thu-17");
    let made = server.graphql(&token, "{ __typename }", &json!({}));
    assert_eq!(made.header("x-request-id").len(), 36, "one is made where none was sent");
}

#[test]
fn metrics_say_what_was_asked_and_not_by_whom() {
    let database = Database::sqlite();
    world::fill(&database);
    let token = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &[]);
    server.data(&token, "query Overview { units { totalCount } }");
    server.graphql(&token, "query Broken { unit { code } }", &json!({}));
    let metrics = server.get("/metrics").text;
    for line in [
        r#"phananh_operations_total{operation="Overview",role="BOARD",outcome="OK"} 1"#,
        r#"phananh_operations_total{operation="Broken",role="BOARD",outcome="ERROR"} 1"#,
        r#"phananh_operation_seconds_count{role="BOARD"} 2"#,
        r#"phananh_http_requests_total{route="/graphql",status="200"} 2"#,
        "phananh_snapshot_rows 6",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(metrics.contains("phananh_pool_connections{state=\"idle\"}"), "{metrics}");
    assert!(!metrics.contains("BOARD-all"), "no names: {metrics}");
}

#[test]
fn tls_is_served_with_the_certificate_of_the_configuration() {
    let database = Database::sqlite();
    let files = Files::new();
    let (key, certificate) = (files.path().join("key.pem"), files.path().join("cert.pem"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let config = format!("[api.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n");
    let server = configured(&database, &config);
    assert!(server.address.starts_with("https://127.0.0.1:"), "{}", server.address);
    let health = std::process::Command::new("curl")
        .args(["-sS", "--cacert", certificate.to_str().unwrap(), &format!("{}/healthz", server.address)])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&health.stdout).contains("ok"), "{health:?}");
    let path = files.put("phananh.toml", format!("[api.tls]\ncertificate = {certificate:?}\nkey = \"nowhere.pem\"\n"));
    let result = program().run(&database, ["serve", "--config", path.to_str().unwrap()]);
    assert!(result.status == 1 && result.err.contains("api.tls.key"), "{result:?}");
}

#[test]
fn traces_go_to_whoever_collects_them() {
    use std::io::{Read, Write};
    let collector = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in collector.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut got = Vec::new();
            let mut part = [0; 65536];
            // A whole request: its head says how long its body is.
            loop {
                let text = String::from_utf8_lossy(&got).to_lowercase();
                let length = text
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
                let body = text.find("\r\n\r\n").map(|at| got.len() - at - 4);
                if length.zip(body).is_some_and(|(length, body)| body >= length) {
                    break;
                }
                match stream.read(&mut part) {
                    Ok(0) | Err(_) => break,
                    Ok(n) => got.extend(&part[..n]),
                }
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok();
            sender.send(got).ok();
        }
    });
    let database = Database::sqlite();
    world::fill(&database);
    let token = program().token(&database, "BOARD", None);
    let server = program().serve_with(&database, &[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let bearer = format!("Bearer {token}");
    let headers = [
        ("content-type", "application/json"),
        ("authorization", &*bearer),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    let body = json!({ "query": "query Traced { complaints { nodes { text } } }" }).to_string();
    assert_eq!(server.send("POST", "/graphql", &headers, &body).status, 200);
    assert_eq!(server.end_by("TERM"), Some(0), "what waits is sent at the end");
    let sent: Vec<u8> =
        std::iter::from_fn(|| receiver.recv_timeout(Duration::from_secs(10)).ok()).take(1).flatten().collect();
    let text = String::from_utf8_lossy(&sent);
    assert!(text.starts_with("POST /v1/traces"), "{}", &text[..text.len().min(200)]);
    for part in ["phananh", "Traced", "operation", "database", "request"] {
        assert!(text.contains(part), "{part}");
    }
    let trace = (0..16)
        .map(|n| u8::from_str_radix(&"4bf92f3577b34da6a3ce929d0e0e4736"[n * 2..n * 2 + 2], 16).unwrap())
        .collect::<Vec<u8>>();
    assert!(sent.windows(16).any(|window| window == trace), "it is part of the client's trace");
    assert!(!text.contains("PA-1") && !text.contains("tiền") && !text.contains(&token));
}

#[test]
fn tokens_of_others_are_taken_by_their_claims() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let files = Files::new();
    let openssl = |args: &[&str]| {
        let output = std::process::Command::new("openssl").args(args).current_dir(files.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    };
    let key = |name: &str| {
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", name]);
        let public = openssl(&["pkey", "-in", name, "-pubout", "-outform", "DER"]);
        let point = &public[public.len() - 64..];
        let coordinate = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": name, "alg": "ES256", "x": coordinate(&point[..32]), "y": coordinate(&point[32..]) });
        (EncodingKey::from_ec_pem(&std::fs::read(files.path().join(name)).unwrap()).unwrap(), jwk)
    };
    let ((ours, ours_public), (theirs, _)) = (key("ours"), key("theirs"));
    let set = files.put("keys.json", json!({ "keys": [ours_public] }).to_string());
    let database = Database::sqlite();
    world::fill(&database);
    let config = format!("[api.jwt]\njwks = {set:?}\nissuer = \"https://login.example\"\naudience = \"phananh\"\n");
    let server = configured(&database, &config);
    let now = chrono::Utc::now().timestamp();
    let claims = |changed: Value| {
        let mut claims =
            json!({ "sub": "an", "iss": "https://login.example", "aud": "phananh", "exp": now + 600, "role": "BOARD" });
        claims.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        claims
    };
    let token = |key: &EncodingKey, kid: &str, claims: &Value| {
        let header = Header { kid: Some(kid.into()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, key).unwrap()
    };
    let count = "{ complaints { totalCount } }";
    let total = |token: &str| server.graphql(token, count, &json!({}));
    assert_eq!(total(&token(&ours, "ours", &claims(json!({})))).json()["data"]["complaints"]["totalCount"], 6);
    let head = claims(json!({ "role": "UNIT_HEAD", "unit": "02CV" }));
    assert_eq!(total(&token(&ours, "ours", &head)).json()["data"]["complaints"]["totalCount"], 3);
    let named = claims(json!({ "officer": "CC01" }));
    assert_eq!(
        total(&token(&ours, "ours", &named)).json()["data"]["complaints"]["totalCount"],
        3,
        "not what names the member"
    );
    for (why, wrong) in [
        ("expired", token(&ours, "ours", &claims(json!({ "exp": now - 60 })))),
        ("another issuer", token(&ours, "ours", &claims(json!({ "iss": "https://evil.example" })))),
        ("another audience", token(&ours, "ours", &claims(json!({ "aud": "other" })))),
        ("no such role", token(&ours, "ours", &claims(json!({ "role": "KING" })))),
        ("a head of nothing", token(&ours, "ours", &claims(json!({ "role": "UNIT_HEAD" })))),
        ("a head of no such unit", token(&ours, "ours", &claims(json!({ "role": "UNIT_HEAD", "unit": "zz" })))),
        ("not valid yet", token(&ours, "ours", &claims(json!({ "nbf": now + 300 })))),
        ("another's key", token(&theirs, "ours", &claims(json!({})))),
        ("an unknown key", token(&theirs, "theirs", &claims(json!({})))),
    ] {
        assert_eq!((total(&wrong).status, total(&wrong).codes()), (401, vec!["UNAUTHENTICATED".to_owned()]), "{why}");
    }
    // A signature by a shared secret, the public key say, and none at all.
    let secret = Header { kid: Some("ours".into()), ..Header::new(Algorithm::HS256) };
    let forged =
        encode(&secret, &claims(json!({})), &EncodingKey::from_secret(set.display().to_string().as_bytes())).unwrap();
    let none = format!(
        "{}.{}.",
        data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","kid":"ours"}"#),
        forged.split('.').nth(1).unwrap()
    );
    assert_eq!((total(&forged).status, total(&none).status), (401, 401));
    let path = files.put("wrong.toml", "[api.jwt]\njwks = \"nowhere.json\"\nissuer = \"x\"\naudience = \"x\"\n");
    let result = program().run(&database, ["serve", "--config", path.to_str().unwrap()]);
    assert!(result.status == 1 && result.err.contains("nowhere.json"), "{result:?}");
}
