//! Questions to a server: `POST /sql`, answered as an Arrow stream, which keeps the types.

use super::Args;
use super::answer::{Answer, ServerAnswer, Whole};
use crate::sql::formats::{AnswerFormat, AnswerMetadata};
use anyhow::Context;
use arrow_ipc::reader::StreamReader;
use chrono::{DateTime, Utc};
use schema::Timestamp;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;
use ureq::Body;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};

pub struct Server {
    url: String,
    graphql: String,
    token: String,
    is_here: bool,
    rows: u32,
    time: Duration,
}

/// The variable that holds the token: an option would show it in the list of processes.
const TOKEN: &str = "PHANANH_TOKEN";
/// Longest message of a refusal that is read, in bytes.
const LONGEST_REFUSAL: u64 = 64 * 1024;
/// Longest description of a saved question that is read, in bytes.
const LONGEST_DOCUMENT: u64 = 1024 * 1024;
/// Asks for a saved question.
const SAVED_QUERY: &str = "query ($name: String!, $version: Int) { savedQuery(name: $name, version: $version) \
    { text parameters { name type required default } } }";

impl Server {
    /// Prepares questions to the server at `address`.
    ///
    /// # Errors
    /// If the address is wrong, or there is no token.
    pub fn new(address: &str, args: &Args) -> anyhow::Result<Self> {
        let is_here = is_here(address)?;
        let token = match &args.token_file {
            Some(file) => std::fs::read_to_string(file).with_context(|| format!("--token-file {}", file.display()))?,
            None => std::env::var(TOKEN).ok().with_context(|| {
                format!("a server wants a token: put it into {TOKEN}, or name a file with --token-file")
            })?,
        };
        let address = address.trim_end_matches('/');
        let (url, graphql) = (format!("{address}/sql"), format!("{address}/graphql"));
        let time = Duration::from_secs(u64::from(args.seconds));
        Ok(Self { url, graphql, token: token.trim().to_owned(), is_here, rows: args.rows, time })
    }

    /// A client for one question: to cancel the question shuts it down.
    pub fn agent(&self) -> ureq::Agent {
        // The system's trust store: a closed network has its own certificate authority.
        let trust = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // The token is for this server only.
            .max_redirects(0)
            .timeout_global(Some(self.time))
            .tls_config(trust);
        if self.is_here {
            config = config.proxy(None);
        }
        config.build().into()
    }

    /// Sends a question. Blocks until the first rows.
    ///
    /// # Errors
    /// If the server cannot be reached, refuses the question, or answers in another form.
    pub fn ask(&self, agent: &ureq::Agent, sql: &str, parameters: &[Value]) -> anyhow::Result<Answer> {
        let body = json!({ "query": sql, "parameters": parameters, "rows": self.rows });
        let response = self.post(agent, &self.url, AnswerFormat::Arrow.media_type(), &body)?;
        let metadata = metadata(response.headers()).with_context(|| format!("{}: no answer to SQL", self.url))?;
        let truncated = header(response.headers(), "phananh-truncated");
        let reader = StreamReader::try_new_buffered(Whole(response.into_body().into_reader()), None)?;
        Ok(Answer::of_server(ServerAnswer { reader, truncated }, metadata, u64::from(self.rows)))
    }
}

impl Server {
    /// A saved question that the token may run, as a version says it; JSON null if there is none.
    ///
    /// # Errors
    /// If the server cannot be reached, refuses the request, or answers in another form.
    pub fn saved(&self, name: &str, version: Option<i32>) -> anyhow::Result<Value> {
        let body = json!({ "query": SAVED_QUERY, "variables": { "name": name, "version": version } });
        let mut response = self.post(&self.agent(), &self.graphql, "application/json", &body)?;
        let text = response.body_mut().with_config().limit(LONGEST_DOCUMENT).read_to_string()?;
        let document: Value = serde_json::from_str(&text).with_context(|| format!("{}: no JSON", self.graphql))?;
        match document["errors"][0]["message"].as_str() {
            Some(message) => anyhow::bail!("{}: {message}", self.graphql),
            None => Ok(document["data"]["savedQuery"].clone()),
        }
    }

    /// Sends JSON. Fails where the server refuses.
    fn post(&self, agent: &ureq::Agent, url: &str, accept: &str, body: &Value) -> anyhow::Result<Response<Body>> {
        let mut response = agent
            .post(url)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("accept", accept)
            .send(body.to_string())
            .with_context(|| url.to_owned())?;
        let status = response.status();
        if status != StatusCode::OK {
            let body = response.body_mut().with_config().limit(LONGEST_REFUSAL).read_to_string().unwrap_or_default();
            anyhow::bail!("{url}: {}", refusal(status, &body));
        }
        Ok(response)
    }
}

/// Whether the server runs on this machine. Another one must be asked over TLS, which protects the token.
fn is_here(address: &str) -> anyhow::Result<bool> {
    let uri: Uri = address.parse().with_context(|| format!("--server {address:?}"))?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(is_here),
        Some("http") if is_here => Ok(true),
        Some("http") => anyhow::bail!("--server {address}: the token is not protected in transit: use https"),
        _ => anyhow::bail!("--server {address:?}: write https://HOST:PORT, or http://127.0.0.1:PORT"),
    }
}

/// The reason of a refusal by the server.
fn refusal(status: StatusCode, body: &str) -> String {
    let document: Value = serde_json::from_str(body).unwrap_or_default();
    match document["errors"][0]["message"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("the server answers {status}: is this the address of `phananh serve`?"),
    }
}

fn header<T: std::str::FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn metadata(headers: &HeaderMap) -> Option<AnswerMetadata> {
    let as_of: DateTime<Utc> = header(headers, "phananh-as-of")?;
    Some(AnswerMetadata {
        position: header(headers, "phananh-position")?,
        key_version: header(headers, "phananh-key-version"),
        as_of: Timestamp::from(as_of),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leaves_the_machine_only_over_tls() {
        for (address, here) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080/", true),
            ("http://[::1]:8080", true),
            ("https://127.0.0.1", true),
            ("https://phananh.example", false),
        ] {
            assert_eq!(is_here(address).unwrap(), here, "{address}");
        }
        for address in ["http://phananh.example", "http://10.0.0.1:8080", "phananh.example", "ftp://localhost", ""] {
            assert!(is_here(address).unwrap_err().to_string().contains("--server"), "{address}");
        }
    }

    #[test]
    fn a_refusal_gives_the_message_of_the_server() {
        let body = r#"{"errors": [{"message": "no such table", "extensions": {"code": "BAD_USER_INPUT"}}]}"#;
        assert_eq!(refusal(StatusCode::BAD_REQUEST, body), "no such table");
        assert!(refusal(StatusCode::NOT_FOUND, "<html>").contains("404"));
    }
}
