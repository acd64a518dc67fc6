//! JSON Web Tokens of another issuer.

use crate::fixtures::Files;
use crate::{Database, Json, Program, Server, merged};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use std::process::Command;

/// An issuer with a key set of several keys.
pub struct Issuer {
    pub files: Files,
    pub keys: Vec<(String, EncodingKey)>,
    pub set: Vec<Value>,
}

impl Default for Issuer {
    fn default() -> Self {
        Self::new()
    }
}

impl Issuer {
    pub fn new() -> Self {
        Self { files: Files::new(), keys: Vec::new(), set: Vec::new() }
    }

    /// One with the key that [`header`] names.
    pub fn ours() -> Self {
        let mut issuer = Self::new();
        issuer.key("ours", &json!({ "alg": "ES256" }));
        issuer
    }

    /// Makes a key; `about` has the other members of its entry in the set.
    pub fn key(&mut self, kid: &str, about: &Value) {
        let openssl = |args: &[&str]| {
            let output =
                Command::new("openssl").args(args).current_dir(self.files.path()).output().expect("openssl runs");
            assert!(output.status.success(), "{output:?}");
            output.stdout
        };
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "pem"]);
        let public = openssl(&["pkey", "-in", "pem", "-pubout", "-outform", "DER"]);
        let point = &public[public.len() - 64..];
        let [x, y] = [&point[..32], &point[32..]].map(|bytes| BASE64URL_NOPAD.encode(bytes));
        let jwk = merged(&json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y }), about);
        let pem = std::fs::read(self.files.path().join("pem")).expect("a key");
        self.keys.push((kid.to_owned(), EncodingKey::from_ec_pem(&pem).expect("a key")));
        self.set.push(jwk);
    }

    /// The table `[api.jwt]` of a configuration that takes its tokens.
    pub fn table(&self) -> String {
        let set = self.files.put("keys.json", json!({ "keys": self.set }).to_string());
        format!("[api.jwt]\njwks = {set:?}\nissuer = \"https://login.example\"\naudience = \"phananh\"\n")
    }

    /// A server that takes its tokens.
    pub fn serve(&self, database: &Database) -> Server {
        Program::built().serve_configured(database, &self.table())
    }

    /// A token of a member of the Board, with other claims.
    pub fn token(&self, claims: &Value) -> String {
        self.signed("ours", &header(&json!({})), &payload(claims))
    }

    /// Signs a header and a payload without changing them.
    pub fn signed(&self, kid: &str, header: &str, payload: &str) -> String {
        let message =
            format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(payload.as_bytes()));
        let (_, key) = self.keys.iter().find(|(name, _)| name == kid).expect("a key of that name");
        format!("{message}.{}", sign(message.as_bytes(), key, Algorithm::ES256).expect("a signature"))
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    schema::Timestamp::now().micros() / 1_000_000
}

/// The header of a token, with other members.
pub fn header(changed: &Value) -> String {
    changed_object(&json!({ "alg": "ES256", "typ": "JWT", "kid": "ours" }), changed)
}

/// The claims of a member of the Board, with other members.
pub fn payload(changed: &Value) -> String {
    let claims =
        json!({ "sub": "an", "iss": "https://login.example", "aud": "phananh", "exp": now() + 600, "role": "BOARD" });
    changed_object(&claims, changed)
}

/// With other members; what is changed to "(gone)" is left out.
fn changed_object(object: &Value, changed: &Value) -> String {
    let mut members = merged(object, changed).object().clone();
    members.retain(|_, value| *value != "(gone)");
    Value::Object(members).to_string()
}
