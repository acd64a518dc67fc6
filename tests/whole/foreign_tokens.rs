//! JSON Web Tokens of others: whatever is not exactly understood is refused, and the log says which part it was.

use crate::program;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::sign;
use serde_json::{Value, json};
use tests::fixtures;
use tests::foreign_tokens::{Issuer, header, now, payload};
use tests::{Database, Json, Server};

fn ask(server: &Server, token: &str) -> (u16, Value) {
    let answer = server.graphql(token, "{ complaints { totalCount } }", &json!({}));
    (answer.status, answer.json())
}

#[test]
fn a_claim_or_header_that_is_not_exactly_understood_is_refused() {
    let issuer = Issuer::ours();
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = issuer.serve(&database);
    let total = |token: &str| ask(&server, token).1["data"]["complaints"]["totalCount"].clone();
    let plain = header(&json!({}));
    let claims = |changed: Value| issuer.signed("ours", &plain, &payload(&changed));
    let headers = |changed: Value| issuer.signed("ours", &header(&changed), &payload(&json!({})));

    for (why, token, expected) in [
        ("a member of the Board", claims(json!({})), 6),
        ("who is an officer", claims(json!({ "officer": "CC01" })), 3),
        ("who is none, said so", claims(json!({ "officer": null, "unit": null, "outside": null })), 6),
        ("for several", claims(json!({ "aud": ["other", "phananh"] })), 6),
        ("a head", claims(json!({ "role": "UNIT_HEAD", "unit": "02CV" })), 3),
        ("a head who is an officer", claims(json!({ "role": "UNIT_HEAD", "unit": "02CV", "officer": "CC01" })), 1),
        ("issued just now", claims(json!({ "iat": now() + 10, "nbf": now() })), 6),
        ("with claims of others", claims(json!({ "scope": ["a"], "name": 5, "roles": ["ADMIN"] })), 6),
        ("an access token", headers(json!({ "typ": "at+jwt" })), 6),
        ("without a type", headers(json!({ "typ": "(gone)" })), 6),
        ("with a fingerprint", headers(json!({ "x5t": "abc", "nonce": "x" })), 6),
    ] {
        assert_eq!(total(&token), expected, "{why}");
    }

    // One that was made a moment ago is known all the same, and blinds.
    let officers = format!("{}CC77,Mới\n", fixtures::OFFICERS);
    fixtures::import(&database, "officers", officers, fixtures::OFFICERS_MAP);
    assert_eq!(total(&claims(json!({ "officer": "CC77" }))), 6);

    let twice = |name: &str| {
        let payload = payload(&json!({}));
        issuer.signed("ours", &plain, &format!("{},\"{name}\":\"BOARD\"}}", &payload[..payload.len() - 1]))
    };
    let refused = [
        ("claim officer", claims(json!({ "officer": 7 }))),
        ("claim officer", claims(json!({ "officer": ["CC01"] }))),
        ("claim officer", claims(json!({ "officer": { "code": "CC01" } }))),
        ("claim officer", claims(json!({ "officer": true }))),
        ("claim officer", claims(json!({ "officer": "cc01" }))),
        ("claim officer", claims(json!({ "officer": " CC01" }))),
        ("claim officer", claims(json!({ "officer": "CC01\n" }))),
        ("claim officer", claims(json!({ "officer": "CC\u{200b}01" }))),
        ("claim officer", claims(json!({ "officer": "CC99" }))),
        ("claim officer", claims(json!({ "officer": "" }))),
        ("claim unit", claims(json!({ "role": "UNIT_HEAD", "unit": "02cv" }))),
        ("claim unit", claims(json!({ "role": "UNIT_HEAD", "unit": "02CV " }))),
        ("claim officer", claims(json!({ "Officer": "CC01" }))),
        ("claim outside", claims(json!({ "role": "DASHBOARD", "outside": "yes" }))),
        ("claim role", claims(json!({ "role": "board" }))),
        ("header crit", headers(json!({ "crit": ["exp"] }))),
        ("header b64", headers(json!({ "b64": false }))),
        ("payload", twice("role")),
        ("header jku", headers(json!({ "jku": "https://login.example/keys" }))),
        // Of the following tokens the log gives only the number within this minute.
        ("claim officer", claims(json!({ "role": "DATA_TEAM", "officer": 5 }))),
        ("claim unit", claims(json!({ "role": "UNIT_HEAD", "unit": 2 }))),
        ("claim unit", claims(json!({ "role": "UNIT_HEAD", "unit": ["02CV"] }))),
        ("claim unit", claims(json!({ "role": "UNIT_HEAD", "unit": "zz" }))),
        ("claim unit", claims(json!({ "role": "UNIT_HEAD" }))),
        ("claim unit", claims(json!({ "unit": "02CV" }))),
        ("claim outside", claims(json!({ "role": "DASHBOARD", "outside": 1 }))),
        ("claim outside", claims(json!({ "outside": true }))),
        ("claim role", claims(json!({ "role": ["BOARD"] }))),
        ("claim role", claims(json!({ "role": "BOARD " }))),
        ("claim role", claims(json!({ "role": 1 }))),
        ("claim role", claims(json!({ "role": "(gone)" }))),
        ("claim sub", claims(json!({ "sub": "" }))),
        ("claim sub", claims(json!({ "sub": " an" }))),
        ("claim sub", claims(json!({ "sub": "an\u{1b}[31m" }))),
        ("claim sub", claims(json!({ "sub": "a".repeat(5_000) }))),
        ("claim sub", claims(json!({ "sub": 7 }))),
        ("claim sub", claims(json!({ "sub": null }))),
        ("claim exp", claims(json!({ "exp": now() - 60 }))),
        ("claim exp", claims(json!({ "exp": now() + 400 * 86_400 }))),
        ("claim exp", claims(json!({ "exp": 9_999_999_999_999_i64 }))),
        ("claim exp", claims(json!({ "exp": u64::MAX }))),
        ("claim exp", claims(json!({ "exp": (now() + 600) as f64 + 0.5 }))),
        ("claim exp", claims(json!({ "exp": (now() + 600).to_string() }))),
        ("claim exp", claims(json!({ "exp": "(gone)" }))),
        ("claim iat", claims(json!({ "iat": now() + 300 }))),
        ("claim iat", claims(json!({ "iat": "now" }))),
        ("claim nbf", claims(json!({ "nbf": now() + 300 }))),
        ("claim nbf", claims(json!({ "nbf": -1 }))),
        ("claim iss", claims(json!({ "iss": ["https://login.example"] }))),
        ("claim iss", claims(json!({ "iss": "https://login.example/" }))),
        ("claim aud", claims(json!({ "aud": "Phananh" }))),
        ("claim aud", claims(json!({ "aud": ["phananh", 5] }))),
        ("payload", twice("sub")),
        ("payload", twice("scope\",\"scope\":\"x\",\"a")),
        ("payload", issuer.signed("ours", &plain, "[]")),
        ("payload", issuer.signed("ours", &plain, "")),
        ("header crit", headers(json!({ "crit": [] }))),
        ("header crit", headers(json!({ "crit": null }))),
        ("header b64", headers(json!({ "b64": true }))),
        ("header typ", headers(json!({ "typ": "logout+jwt" }))),
        ("header typ", headers(json!({ "typ": 5 }))),
        ("header cty", headers(json!({ "cty": "JWT" }))),
        ("header zip", headers(json!({ "zip": "DEF" }))),
        ("header alg", headers(json!({ "alg": "none" }))),
        ("header alg", headers(json!({ "alg": "HS256" }))),
        ("header alg", headers(json!({ "alg": "ES384" }))),
        ("header alg", headers(json!({ "alg": "es256" }))),
        ("header kid", headers(json!({ "kid": "(gone)" }))),
        ("header kid", headers(json!({ "kid": "OURS" }))),
        ("header kid", headers(json!({ "kid": ["ours"] }))),
        (
            "header",
            issuer.signed("ours", "{\"alg\":\"ES256\",\"kid\":\"ours\",\"kid\":\"ours\"}", &payload(&json!({}))),
        ),
        ("token", format!("{}=", claims(json!({})))),
    ];
    for (why, token) in &refused {
        let (status, answer) = ask(&server, token);
        assert_eq!(
            (status, &answer["errors"][0]["extensions"]["code"]),
            (401, &json!("UNAUTHENTICATED")),
            "{why} {answer}"
        );
    }
    // A valid one is taken after all of these.
    assert_eq!(total(&claims(json!({}))), 6);
    // Whoever submits a complaint makes up a code, and makes nobody of it.
    let intake = program().token(&database, "INTAKE", None);
    let submit = "mutation($input: SubmitComplaintInput!) { submitComplaint(input: $input) { created } }";
    for code in ["cc01", "CC 01", "CC88"] {
        let input = json!({ "idempotencyKey": code, "text": "Đòi tiền", "officers": [code], "unit": "02CV", "category": "TD1" });
        assert_eq!(server.data_with(&intake, submit, &json!({ "input": input }))["submitComplaint"]["created"], true);
        let token = claims(json!({ "officer": code }));
        assert_eq!(ask(&server, &token).0, 401, "{code}");
        let create = ["token", "create", "--name", "x", "--role", "BOARD", "--officer", code];
        let made = program().run(&database, create);
        assert!(made.status == 1 && made.err.contains("there is no officer"), "{made:?}");
    }
    let alike = program().run(&database, ["token", "create", "--name", "JWT:an", "--role", "BOARD"]);
    assert!(alike.status == 1 && alike.err.contains("must not begin with jwt:"), "{alike:?}");
    let log = server.log_after("TERM");
    let told: Vec<&str> = log.lines().filter(|line| line.contains("an external token was refused")).collect();
    assert!((17..=22).contains(&told.len()), "{} of {}", told.len(), refused.len());
    for ((part, _), line) in refused.iter().zip(&told) {
        assert!(line.contains(&format!("part=\"{part}\"")), "{part}: {line}");
    }
    for (_, token) in &refused {
        assert!(
            token.split('.').all(|part| part.is_empty() || part.len() < 20 || !log.contains(part)),
            "the log has no token"
        );
    }
    assert!(!log.contains("CC01") && !log.contains("02cv"), "{log}");
}

#[test]
fn a_key_verifies_only_what_it_is_for() {
    let mut issuer = Issuer::new();
    for (kid, about) in [
        ("signing", json!({ "use": "sig", "key_ops": ["verify"], "alg": "ES256" })),
        ("plain", json!({})),
        ("encrypting", json!({ "use": "enc" })),
        ("other", json!({ "use": "tls" })),
        ("capital", json!({ "use": "SIG" })),
        ("wrapping", json!({ "key_ops": ["wrapKey", "deriveKey"] })),
        ("nothing", json!({ "key_ops": [] })),
        ("both", json!({ "use": "enc", "key_ops": ["verify"] })),
        ("another-algorithm", json!({ "alg": "ES384" })),
        ("twice", json!({})),
        ("twice", json!({})),
        ("pair", json!({ "use": "enc" })),
    ] {
        issuer.key(kid, &about);
    }
    // One name for a key that encrypts and another that signs is usual.
    issuer.key("pair", &json!({ "use": "sig" }));
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = issuer.serve(&database);
    let status = |kid: &str| ask(&server, &issuer.signed(kid, &header(&json!({ "kid": kid })), &payload(&json!({})))).0;
    for kid in ["signing", "plain"] {
        assert_eq!(status(kid), 200, "{kid}");
    }
    for kid in ["encrypting", "other", "capital", "wrapping", "nothing", "both", "another-algorithm", "twice"] {
        assert_eq!(status(kid), 401, "{kid}");
    }
    let (_, signing) = issuer.keys.last().unwrap();
    let message = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header(&json!({ "kid": "pair" })).as_bytes()),
        BASE64URL_NOPAD.encode(payload(&json!({})).as_bytes())
    );
    let token = format!("{message}.{}", sign(message.as_bytes(), signing, Algorithm::ES256).unwrap());
    assert_eq!(ask(&server, &token).0, 200);
    let log = server.log_after("TERM");
    for part in ["key use", "key key_ops", "header alg", "header kid"] {
        assert!(log.contains(&format!("part=\"{part}\"")), "{part}: {log}");
    }
}

#[test]
fn external_and_own_tokens_of_a_role_share_pseudonyms() {
    let mut issuer = Issuer::new();
    issuer.key("ours", &json!({}));
    let set = issuer.files.put("keys.json", json!({ "keys": issuer.set }).to_string());
    let jwt = format!("[api.jwt]\njwks = {set:?}\nissuer = \"https://login.example\"\naudience = \"phananh\"\n");
    let config = issuer.files.put("phananh.toml", jwt).display().to_string();
    let key = issuer.files.key();
    let database = Database::sqlite();
    fixtures::fill(&database);
    program().run(&database, ["key", "create", &key]).ok();
    let server = program().serve(&database, &["--config", &config, "--key-file", &key]);
    let foreign = |changed: Value| issuer.signed("ours", &header(&json!({})), &payload(&changed));
    let list = "{ complaints { edges { cursor node { pseudonym } } } }";
    let data_team = server.data(&program().token(&database, "DATA_TEAM", None), list);
    assert_eq!(server.data(&foreign(json!({ "role": "DATA_TEAM" })), list), data_team);
    let [board, head, above] =
        [json!({}), json!({ "role": "UNIT_HEAD", "unit": "02CV" }), json!({ "role": "UNIT_HEAD", "unit": "02" })]
            .map(|claims| server.data(&foreign(claims), list));
    assert_eq!(server.data(&program().token(&database, "UNIT_HEAD", Some("02CV")), list), head);
    let marks = |answer: &Value| -> Vec<String> {
        let edges = answer["complaints"]["edges"].list().to_vec();
        let both = |edge: Value| [edge["cursor"].clone(), edge["node"]["pseudonym"].clone()];
        edges.into_iter().flat_map(both).map(|mark| mark.text().to_owned()).collect()
    };
    let audiences = [data_team, board, head, above];
    for (at, one) in audiences.iter().enumerate() {
        for other in &audiences[at + 1..] {
            assert!(marks(one).iter().all(|mark| !marks(other).contains(mark)), "{one} {other}");
        }
    }
}
