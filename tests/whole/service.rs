//! The service around GraphQL: other sites, metrics, traces, TLS, and tokens of others.

use crate::program;
use serde_json::{Value, json};
use std::time::Duration;
use tests::fixtures::{self, Files};
use tests::{Database, Role, TestApp, merged};

#[test]
fn pages_of_other_sites_ask_only_where_the_configuration_names_them() {
    let database = Database::sqlite();
    let token = program().token(&database, "BOARD", None);
    let server = program().serve_configured(&database, "[api]\ncors_origins = [\"https://bang.example\"]\n");
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
    let app = TestApp::sqlite().world().start();
    let board = app.as_role(Role::Board);
    board.data("query Overview { units { totalCount } }");
    board.request("query Broken { unit { code } }");
    let metrics = app.server().metrics(&board.token);
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
    let (certificate, config) = files.certificate();
    let server = program().serve_configured(&database, &config);
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
fn traces_go_to_the_configured_collector() {
    use std::io::{Read, Write};
    let collector = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in collector.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut got = Vec::new();
            let mut part = [0; 65536];
            // The head of a request says how long its body is.
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
    fixtures::fill(&database);
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
fn external_tokens_are_accepted_by_their_claims() {
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
    fixtures::fill(&database);
    let limits = "[api.limits]\nsmallest_group = 2\nsmallest_group_enterprises = 2\nsmallest_group_outside = 7\n";
    program().run(&database, ["token", "create", "--name", "lists", "--role", "ADMIN"]).ok();
    let list = files.put("list.graphql", "query Version { serviceInfo { version } }");
    program().run(&database, ["token", "trust", "--name", "lists", list.to_str().unwrap()]).ok();
    let config = format!(
        "[api]\ntrusted_operations = [\"ADMIN\"]\n{limits}[api.jwt]\njwks = {set:?}\nissuer = \"https://login.example\"\n\
         audience = \"phananh\"\noperations_of = \"lists\"\n"
    );
    let server = program().serve_configured(&database, &config);
    let now = chrono::Utc::now().timestamp();
    let claims = |changed: Value| {
        let claims =
            json!({ "sub": "an", "iss": "https://login.example", "aud": "phananh", "exp": now + 600, "role": "BOARD" });
        merged(&claims, &changed)
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
    // Where a role needs a list of operations, such a token follows the list of one of our own tokens.
    let admin = token(&ours, "ours", &claims(json!({ "role": "ADMIN" })));
    let ask = |query: &str| server.graphql(&admin, query, &json!({}));
    assert_eq!(ask("{ serviceInfo { version } }").status, 200);
    assert_eq!(ask("{ principals { totalCount } }").codes(), ["FORBIDDEN"]);
    let bearer = format!("Bearer {admin}");
    assert_eq!(server.send("GET", "/schema.graphql", &[("authorization", &bearer)], "").status, 200);
    // Clients outside the house see larger groups only.
    for (outside, shown) in [(json!(false), json!(6)), (json!(true), Value::Null)] {
        let public = token(&ours, "ours", &claims(json!({ "role": "DASHBOARD", "outside": outside })));
        let answer = server.graphql(&public, "{ complaintStatistics { totals { complaints } } }", &json!({})).json();
        assert_eq!(answer["data"]["complaintStatistics"]["totals"]["complaints"], shown, "{outside}: {answer}");
    }
    for (why, wrong) in [
        ("expired", token(&ours, "ours", &claims(json!({ "exp": now - 60 })))),
        ("another issuer", token(&ours, "ours", &claims(json!({ "iss": "https://evil.example" })))),
        ("another audience", token(&ours, "ours", &claims(json!({ "aud": "other" })))),
        ("no such role", token(&ours, "ours", &claims(json!({ "role": "KING" })))),
        ("a head of nothing", token(&ours, "ours", &claims(json!({ "role": "UNIT_HEAD" })))),
        ("a head of no such unit", token(&ours, "ours", &claims(json!({ "role": "UNIT_HEAD", "unit": "zz" })))),
        ("a member of the Board outside", token(&ours, "ours", &claims(json!({ "outside": true })))),
        ("not valid yet", token(&ours, "ours", &claims(json!({ "nbf": now + 300 })))),
        ("another's key", token(&theirs, "ours", &claims(json!({})))),
        ("an unknown key", token(&theirs, "theirs", &claims(json!({})))),
    ] {
        assert_eq!((total(&wrong).status, total(&wrong).codes()), (401, vec!["UNAUTHENTICATED".to_owned()]), "{why}");
    }
    // One token is signed with a shared secret, here the path of the public keys; the other is not signed.
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
