//! The query `serviceInfo`.

use crate::config::Limits;
use crate::graphql::context::{request, snapshot};
use async_graphql::{Context, Object, Result, SimpleObject};

/// Information about this server.
#[derive(SimpleObject)]
pub struct ServiceInfo {
    /// The version of the program.
    pub version: &'static str,
    /// Whether the register holds demonstration data, which is invented.
    pub demonstration: bool,
    /// The limits of your role.
    pub limits: Limits,
}

#[derive(Default)]
pub struct ServiceQueries;

#[Object]
impl ServiceQueries {
    /// Information about this server.
    async fn service_info(&self, ctx: &Context<'_>) -> Result<ServiceInfo> {
        Ok(ServiceInfo {
            version: env!("CARGO_PKG_VERSION"),
            demonstration: snapshot(ctx)?.demonstration,
            limits: request(ctx)?.limits.as_ref().clone(),
        })
    }
}
