//! Connections that clients on many threads share.

use crate::{Answer, Server};
use serde_json::Value;
use std::time::Duration;

/// Connections to servers, each of which is kept for the next request, whichever thread sends it.
#[derive(Clone)]
pub struct Connections(ureq::Agent);

impl Connections {
    /// At most so many connections are kept.
    pub fn keeping(number: usize) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(number)
            .max_idle_connections_per_host(number)
            // The client closes them before the server does.
            .max_idle_age(Duration::from_secs(2))
            .build();
        Self(config.into())
    }

    /// Sends a GraphQL request.
    pub fn graphql(&self, server: &Server, token: &str, query: &str, variables: &Value) -> Answer {
        server.graphql_by(&self.0, token, query, variables)
    }
}
