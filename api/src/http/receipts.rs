//! Clients without a token. They are holders of receipts, and may send nothing but documents for these: by POST,
//! because a code must not be in a URL, and only so many a minute.

use super::Service;
use super::connections::network;
use super::protocol::{Media, OperationResult, coded, refusal, respond};
use crate::access::{Reader, Viewer, rows, takes_receipt};
use crate::config::Limits;
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse};
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection};
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

/// The root fields for holders of receipts.
static ROOTS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let roots =
        rows().filter(|(of, _, readers, _)| ["Query", "Mutation"].contains(of) && readers.contains(&Reader::Receipt));
    roots.map(|(_, field, ..)| field).collect()
});

/// Whether a text names a root field for holders of receipts. It costs less than to parse the text, which a client
/// without a token must not cause at will.
pub fn mentions_receipt(text: &str) -> bool {
    ROOTS.iter().any(|root| text.contains(root))
}

/// Whether all operations of a document consist of root fields for holders of receipts.
pub fn is_for_receipts(document: &ExecutableDocument) -> bool {
    document.operations.iter().all(|(_, operation)| {
        let root = match operation.node.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => return false,
        };
        operation.node.selection_set.node.items.iter().all(|selection| {
            matches!(&selection.node, Selection::Field(field) if takes_receipt(root, field.node.name.node.as_str()))
        })
    })
}

impl Service {
    /// The limits of a client. In development mode a client without a token may introspect, which takes more.
    pub fn limits_of(&self, viewer: Option<&Viewer>) -> &Arc<Limits> {
        match viewer {
            None if !self.dev => self.settings.limits_without_token(),
            viewer => self.settings.limits(viewer.map(|viewer| viewer.role)),
        }
    }
}

pub fn no_token() -> OperationResult {
    OperationResult::refused(
        StatusCode::UNAUTHORIZED,
        Code::Unauthenticated,
        "send a token: Authorization: Bearer … (create one with `phananh token create`)",
    )
}

/// Counts the operations of a client without a token; Some with the refusal if its address sent too many. What is not
/// for holders of receipts is refused later, without being counted.
pub fn counted_without_token(
    service: &Service,
    http: &HttpRequest,
    media: Media,
    operations: &[serde_json::Value],
) -> Option<HttpResponse> {
    // The text as it is parsed: a name may be written with escapes in JSON.
    let text =
        |operation: &serde_json::Value| operation.get("query").and_then(|text| text.as_str().map(mentions_receipt));
    let number = operations.iter().filter(|operation| text(operation) == Some(true)).count();
    let address = http.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), network);
    let wait = (0..number).find_map(|_| service.app.receipt_limits.count_request(address).err())?;
    let seconds = wait.as_secs() + 1;
    let limit = service.settings.intake.requests_per_minute;
    let message = format!("more than {limit} operations per minute without a token: try again in {seconds} s");
    let outcome = OperationResult::refused_for(StatusCode::TOO_MANY_REQUESTS, vec![coded(Code::RateLimited, message)]);
    let mut response = respond(media, outcome);
    if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    Some(response)
}

/// The refusal of a receipt in a URL: logs and histories keep addresses.
pub fn refused_in_url(http: &HttpRequest) -> HttpResponse {
    let message =
        "a receipt code must not be in a URL, because logs and histories keep URLs: send the operation by POST";
    let mut response = refusal(http, StatusCode::METHOD_NOT_ALLOWED, Code::BadUserInput, message);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    #[test]
    fn a_document_for_receipts_has_no_other_root() {
        let is_one = |text: &str| is_for_receipts(&parse_query(text).expect("a document"));
        for text in [
            "query($r: String!) { complaintStatus(receipt: $r) { state unit { __typename code } } }",
            "mutation { a: reopenByReceipt(receipt: \"x\", reason: \"y\") { state } }",
            "query A { complaintStatus(receipt: \"x\") { ...F } } fragment F on ComplaintStatus { state }",
        ] {
            assert!(is_one(text) && mentions_receipt(text), "{text}");
        }
        for text in [
            "{ complaintStatus(receipt: \"x\") { state } complaints { totalCount } }",
            "{ complaintStatus(receipt: \"x\") { state } __schema { types { name } } }",
            "{ complaintStatus(receipt: \"x\") { state } __typename }",
            "{ ... { complaintStatus(receipt: \"x\") { state } } }",
            "{ ...F } fragment F on Query { complaints { totalCount } }",
            "query A { complaintStatus(receipt: \"x\") { state } } query B { complaints { totalCount } }",
            "mutation { complaintStatus(receipt: \"x\") { state } }",
            "subscription { complaintReceived { reference } }",
        ] {
            assert!(!is_one(text), "{text}");
        }
        assert!(!mentions_receipt("{ receipt(idempotencyKey: \"x\") { state } }"));
    }
}
