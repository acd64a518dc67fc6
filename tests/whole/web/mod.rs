//! The web page: signing in and out, its views, and what protects its sessions.

mod again;
mod alerts;
pub mod browser;
mod categories;
mod complaints;
mod documents;
mod empty;
mod explore;
mod external;
pub mod files;
mod filters;
mod flags;
mod guidance;
mod measures;
mod oidc;
mod operations;
mod overdue;
mod readers;
mod refusals;
mod scope;
mod sessions;
mod sockets;
mod steps;
mod subscriptions;
mod today;
mod units;
mod views;
mod walk;
mod webhooks;

use serde_json::{Value, json};
use tests::{Answer, Server, chromium, node};

/// What a script of `tests/clients` finds that drives Chromium at a server. Whatever it does, nothing leaves the server,
/// no script fails, and nothing offends against the content security policy.
#[track_caller]
pub fn in_browser(script: &str, server: &Server, arguments: &[&str]) -> Value {
    let said = node(script, &[&[chromium(), server.address.as_str()][..], arguments].concat());
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(found["elsewhere"], json!([]), "requests that leave the server");
    assert_eq!(found["errors"], json!([]), "errors of scripts, and what the policy blocked");
    found
}

/// Walks through pages in a browser by `page.js`: each answers as it must, everyone can read it, and it brings along the
/// letters that it needs.
#[track_caller]
pub fn accessible(server: &Server, plan: &Value) -> Value {
    let found = in_browser("page.js", server, &[&plan.to_string()]);
    assert_eq!(found["unexpected"], json!([]), "pages that answer otherwise");
    assert_eq!(found["violations"], json!([]), "what is not accessible");
    found
}

/// A browser without a screen: it keeps the cookie of the session, and sends what a browser sends.
pub struct Visitor<'s> {
    server: &'s Server,
    cookie: Option<String>,
}

impl<'s> Visitor<'s> {
    pub fn of(server: &'s Server) -> Self {
        Self { server, cookie: None }
    }

    /// Signs in with a token; it must succeed.
    #[track_caller]
    pub fn signed_in(server: &'s Server, token: &str) -> Self {
        let mut visitor = Self::of(server);
        let answer = visitor.post("/sign-in", &[("token", token)]);
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(visitor.cookie.is_some(), "{answer:?}");
        visitor
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[("sec-fetch-site", "none"), ("accept", "text/html")], "")
    }

    /// Sends a form from a page of the server.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.server.address.clone();
        self.send("POST", path, &[("origin", origin.as_str()), ("sec-fetch-site", "same-origin")], &form(fields))
    }

    /// Sends a form with the secret of the session.
    pub fn post_with_secret(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let secret = self.secret();
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("csrf", secret.as_str())]).collect();
        self.post(path, &fields)
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut all: Vec<(&str, &str)> = headers.to_vec();
        if method == "POST" && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let cookie = self.cookie.clone().unwrap_or_default();
        if !cookie.is_empty() {
            all.push(("cookie", cookie.as_str()));
        }
        let answer = self.server.send(method, path, &all, body);
        let set = answer.header("set-cookie");
        if let Some(pair) = set.split(';').next().filter(|pair| pair.starts_with("phananh=")) {
            self.cookie = Some(pair.to_owned()).filter(|pair| pair != "phananh=");
        }
        answer
    }

    /// The secret of the forms of the session.
    #[track_caller]
    pub fn secret(&mut self) -> String {
        let page = self.get("/").text;
        let rest = page.split("name=\"csrf\" value=\"").nth(1).unwrap_or_else(|| panic!("no form: {page}"));
        rest.split('"').next().expect("a secret").to_owned()
    }

    /// Whether the session is accepted.
    pub fn is_signed_in(&mut self) -> bool {
        let answer = self.get("/");
        assert!(answer.status == 200 || answer.status == 303, "{answer:?}");
        answer.status == 200
    }

    /// Asks GraphQL with the cookie and some headers.
    pub fn graphql(&mut self, headers: &[(&str, &str)], query: &str) -> (u16, Value) {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        let answer = self.send("POST", "/graphql", &all, &json!({ "query": query }).to_string());
        (answer.status, answer.json())
    }
}

/// A form as its body.
fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}
