//! Addresses of pages and their arguments.

use actix_web::HttpRequest;
use actix_web::web::Query;
use std::fmt::Write as _;

/// The arguments of the address of a request, without empty ones.
pub fn arguments(http: &HttpRequest) -> Vec<(String, String)> {
    let all = Query::<Vec<(String, String)>>::from_query(http.query_string()).map(Query::into_inner);
    let mut all = all.unwrap_or_default();
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// An address with arguments.
pub fn address<'a>(path: &str, arguments: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut address = path.to_owned();
    let mut separator = '?';
    for (name, value) in arguments {
        address.push(separator);
        separator = '&';
        address.push_str(&encoded(name));
        address.push('=');
        address.push_str(&encoded(value));
    }
    address
}

/// A text within the query of an address.
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
