//! Signing in with OpenID Connect, at an issuer of the test.

use super::{Visitor, form};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use tests::foreign_tokens::{Issuer, header, payload};
use tests::{Program, TestApp};

/// What the issuer answers at its token endpoint, and the forms that it was sent.
struct TokenEndpoint {
    address: String,
    answers: Sender<String>,
    sent: Receiver<String>,
}

/// Starts the endpoints of an issuer; its thread ends with the test.
fn endpoints() -> TokenEndpoint {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (answers, to_give) = channel::<String>();
    let (note, sent) = channel::<String>();
    let metadata = json!({
        "issuer": address,
        "authorization_endpoint": format!("{address}/authorize"),
        "token_endpoint": format!("{address}/token"),
    })
    .to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (path, body) = request(&stream);
            let answer = match path.as_str() {
                "/token" => {
                    let _ended = note.send(body);
                    to_give.recv().unwrap_or_default()
                }
                _ => metadata.clone(),
            };
            let mut stream = stream;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length:";
            let _gone = write!(stream, "{head} {}\r\n\r\n{answer}", answer.len());
        }
    });
    TokenEndpoint { address, answers, sent }
}

/// The path and the body of a request.
fn request(stream: &TcpStream) -> (String, String) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    (first.split(' ').nth(1).unwrap_or_default().to_owned(), String::from_utf8_lossy(&body).into_owned())
}

/// The arguments of an address or the fields of a form, as they are written.
fn fields(text: &str) -> HashMap<String, String> {
    let pairs = text.rsplit('?').next().unwrap_or_default().split('&');
    pairs.filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn an_account_of_the_issuer_signs_in_once_for_its_own_request() {
    for app in TestApp::both().world() {
        let issuer = Issuer::ours();
        let keys = issuer.files.put("keys.json", json!({ "keys": issuer.set }).to_string());
        let at = endpoints();
        let config = format!(
            "[api.jwt]\njwks = {keys:?}\nissuer = \"{}\"\naudience = \"page\"\n[web]\naddress = \"http://127.0.0.1\"\n\
             [web.oidc]\nclient_id = \"page\"\n",
            at.address
        );
        let server = Program::built().serve_configured(&app.database, &config);
        let token = |nonce: &str| {
            let claims = json!({ "iss": at.address, "aud": "page", "nonce": nonce });
            json!({ "id_token": issuer.signed("ours", &header(&json!({})), &payload(&claims)) }).to_string()
        };
        let begin = || {
            let mut visitor = Visitor::of(&server);
            let led = visitor.get("/sign-in/oidc?next=/complaints");
            assert_eq!(led.status, 303, "{led:?}");
            let to = led.header("location").to_owned();
            assert!(to.starts_with(&format!("{}/authorize?", at.address)), "{to}");
            let cookie = led.header("set-cookie").split(';').next().expect("a cookie").to_owned();
            (fields(&to), cookie)
        };
        let back = |cookie: &str, state: &str| {
            let path = format!("/sign-in/oidc/back?{}", form(&[("code", "c0de"), ("state", state)]));
            server.send("GET", &path, &[("cookie", cookie), ("sec-fetch-site", "cross-site")], "")
        };

        let (asked, cookie) = begin();
        assert_eq!((asked["response_type"].as_str(), asked["code_challenge_method"].as_str()), ("code", "S256"));
        at.answers.send(token(&asked["nonce"])).expect("the issuer");
        let signed_in = back(&cookie, &asked["state"]);
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        assert!(signed_in.text.contains("http-equiv=\"refresh\""), "a page of ours leads on: {}", signed_in.text);
        let session = signed_in.header("set-cookie").split(';').next().expect("a cookie").to_owned();
        assert!(session.starts_with("phananh=") && session.len() > 40, "{session}");
        assert_eq!(server.send("GET", "/complaints", &[("cookie", &session)], "").status, 200);
        let accounts = Program::built().json(&app.database, &["account", "list"]);
        assert_eq!(
            (&accounts[0]["name"], &accounts[0]["issuer"]),
            (&json!("jwt:an"), &json!(at.address)),
            "{accounts}"
        );
        let sent = fields(&at.sent.recv().expect("a form"));
        assert_eq!((sent["grant_type"].as_str(), sent["code"].as_str()), ("authorization_code", "c0de"));
        let proof = BASE64URL_NOPAD.encode(&Sha256::digest(sent["code_verifier"].as_bytes()));
        assert_eq!(proof, asked["code_challenge"], "the verifier is that of the challenge");

        // The state of another browser, and the token of another request.
        let (other, cookie) = begin();
        let refused = back(&cookie, &asked["state"]);
        assert_eq!(refused.status, 401);
        // The message is about the account of the issuer, not about the field for tokens.
        assert!(
            refused.text.contains("tài khoản của cơ quan: ") && !refused.text.contains("href=\"#token\""),
            "{refused:?}"
        );
        assert_eq!(back("phananh-oidc=x", &other["state"]).status, 401);
        at.answers.send(token("another")).expect("the issuer");
        let refused = back(&cookie, &other["state"]);
        assert_eq!((refused.status, refused.header("set-cookie")), (401, ""));

        // Answers without a token: each asks the issuer, so their number is limited.
        let mut statuses = Vec::new();
        for _ in 0..40 {
            at.answers.send("{}".into()).expect("the issuer");
            statuses.push(back(&cookie, &other["state"]).status);
        }
        assert!(statuses[..20].iter().all(|status| *status == 401) && statuses.contains(&429), "{statuses:?}");
    }
}
