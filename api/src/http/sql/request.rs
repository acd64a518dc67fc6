//! The question of a request to `/sql`: its body and the query of its URL.

use crate::sql::{Parameter, SqlSource};
use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Query;
use serde::Deserialize;
use serde_json::Value;

/// A question as a client writes it, in JSON.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    pub query: String,
    #[serde(default)]
    parameters: Vec<Value>,
    /// Rows of the answer: further ones are cut off.
    pub rows: Option<u32>,
    #[serde(default)]
    pub source: SourceName,
}

/// The question, as clients write it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SourceName {
    #[default]
    Register,
    Lake,
}

impl From<SourceName> for SqlSource {
    fn from(name: SourceName) -> Self {
        match name {
            SourceName::Register => Self::Register,
            SourceName::Lake => Self::Lake,
        }
    }
}

impl SqlRequest {
    /// The values of `$1`, `$2`, ….
    ///
    /// # Errors
    /// Names the parameter that is no value.
    pub fn parameters(&self) -> Result<Vec<Parameter>, String> {
        let parsed = self.parameters.iter().enumerate().map(|(nth, value)| {
            Parameter::of_json(value).map_err(|message| format!("parameters, ${}: {message}", nth + 1))
        });
        parsed.collect()
    }
}

/// The query of the URL.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlPart {
    /// The SQL, for GET.
    query: Option<String>,
    /// A JSON list.
    parameters: Option<String>,
    rows: Option<u32>,
    /// The source of the question's rows: the register or the lake.
    source: Option<SourceName>,
    /// The format of the answer, for readers that send no `Accept` of their choice.
    pub format: Option<String>,
}

/// Syntax in which a body holds a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Sql,
    Json,
}

/// The content of a body. A web page can post `text/plain` to any server without asking it, but not with the header
/// `authorization`, and the cookie of our own page counts only where that page sends it.
///
/// # Errors
/// If the content type is none of ours.
pub fn content(http: &HttpRequest) -> Result<Content, String> {
    let given = http.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/sql" | "text/plain" => Ok(Content::Sql),
        "application/json" => Ok(Content::Json),
        _ => Err("send SQL with Content-Type: application/sql, or JSON ({\"query\": …, \"parameters\": […]}) with \
                  Content-Type: application/json"
            .into()),
    }
}

impl UrlPart {
    /// # Errors
    /// Names the part that is wrong.
    pub fn parse(http: &HttpRequest) -> Result<Self, String> {
        Query::<Self>::from_query(http.query_string())
            .map(Query::into_inner)
            .map_err(|e| format!("the query of the URL: {e}"))
    }

    /// The question of a request without a body.
    ///
    /// # Errors
    /// If there is none.
    pub fn alone(self) -> Result<SqlRequest, String> {
        let query = self.query.clone().ok_or("the URL has no query: write ?query=SELECT…")?;
        self.with(query)
    }

    /// The question of a body.
    ///
    /// # Errors
    /// If the body is no question, or the URL says something else than the body.
    pub fn with_body(self, content: Content, body: &[u8]) -> Result<SqlRequest, String> {
        if self.query.is_some() {
            return Err("the question is in the body: leave `query` out of the URL".into());
        }
        match content {
            Content::Sql => {
                let query = std::str::from_utf8(body).map_err(|e| format!("the body is not UTF-8: {e}"))?.to_owned();
                self.with(query)
            }
            Content::Json if self.parameters.is_some() || self.rows.is_some() || self.source.is_some() => {
                Err("the body is JSON: write `parameters`, `rows` and `source` there, not in the URL".into())
            }
            Content::Json => serde_json::from_slice(body).map_err(|e| {
                format!("the body is not {{\"query\": …, \"parameters\": […], \"rows\": …, \"source\": …}}: {e}")
            }),
        }
    }

    fn with(self, query: String) -> Result<SqlRequest, String> {
        let parameters = match &self.parameters {
            None => Vec::new(),
            Some(text) => serde_json::from_str(text).map_err(|e| format!("parameters is not a JSON list: {e}"))?,
        };
        Ok(SqlRequest { query, parameters, rows: self.rows, source: self.source.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn url(query: &str) -> Result<UrlPart, String> {
        UrlPart::parse(&TestRequest::with_uri(&format!("/sql?{query}")).to_http_request())
    }

    #[test]
    fn a_question_is_sql_or_json_or_in_the_url() {
        let asked = url("rows=5").unwrap().with_body(Content::Sql, b"SELECT 1").unwrap();
        assert_eq!((asked.query.as_str(), asked.rows), ("SELECT 1", Some(5)));
        let body = br#"{"query": "SELECT $1", "parameters": ["a"]}"#;
        let asked = url("format=csv").unwrap().with_body(Content::Json, body).unwrap();
        assert_eq!(asked.parameters().unwrap(), [Parameter::Text("a".into())]);
        let asked = url("query=SELECT+%241&parameters=%5B1%5D").unwrap().alone().unwrap();
        assert_eq!((asked.query.as_str(), asked.parameters().unwrap()), ("SELECT $1", vec![Parameter::Whole(1)]));
    }

    #[test]
    fn a_mistake_says_where() {
        for (query, content, body, said) in [
            ("query=SELECT", Content::Sql, "SELECT 1", "leave `query` out"),
            ("rows=1", Content::Json, r#"{"query": ""}"#, "not in the URL"),
            ("", Content::Json, r#"{"query": "SELECT 1", "row": 1}"#, "unknown field"),
            ("", Content::Json, "SELECT 1", "the body is not"),
            ("parameters=1", Content::Sql, "SELECT 1", "not a JSON list"),
        ] {
            let message = url(query).unwrap().with_body(content, body.as_bytes()).unwrap_err();
            assert!(message.contains(said), "{message}");
        }
        assert!(url("rows=-1").unwrap_err().contains("the query of the URL"));
        assert!(url("").unwrap().alone().unwrap_err().contains("?query="));
        let asked = url("parameters=%5B1%2C%5B%5D%5D").unwrap().with_body(Content::Sql, b"").unwrap();
        assert!(asked.parameters().unwrap_err().starts_with("parameters, $2"));
    }

    #[test]
    fn a_form_is_no_question() {
        let of = |given: &str| content(&TestRequest::default().insert_header((CONTENT_TYPE, given)).to_http_request());
        assert_eq!(of("text/plain; charset=utf-8"), Ok(Content::Sql));
        assert_eq!(of("Application/JSON"), Ok(Content::Json));
        assert!(of("application/x-www-form-urlencoded").is_err());
        assert!(content(&TestRequest::default().to_http_request()).is_err());
    }
}
