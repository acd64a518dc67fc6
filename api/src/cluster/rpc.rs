//! The calls of Spark Connect, over HTTP/2.

use super::Address;
use super::failure::{of_status, unreachable};
use super::messages::{
    ConfigOperation, ConfigRequest, ExecutePlanRequest, ExecutePlanResponse, INTERRUPT_OPERATION, Ignored,
    InterruptRequest, KeyValue, ReleaseSessionRequest, SetConfig, UserContext,
};
use crate::sql::QueryError;
use prost::Message;
use std::time::Duration;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

const EXECUTE: &str = "/spark.connect.SparkConnectService/ExecutePlan";
const CONFIG: &str = "/spark.connect.SparkConnectService/Config";
const INTERRUPT: &str = "/spark.connect.SparkConnectService/Interrupt";
const RELEASE: &str = "/spark.connect.SparkConnectService/ReleaseSession";

/// A connection may take this long to be made.
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// The interval and the timeout of keep-alive pings.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Largest message. Spark sends batches of up to 4 MiB, and a wide row may exceed that.
const LARGEST: usize = 256 << 20;

/// A connection to a cluster.
pub struct Connection {
    grpc: Grpc<Channel>,
    address: Address,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When the cluster cannot be reached.
    pub async fn open(address: &Address) -> Result<Self, QueryError> {
        let failed = |error: tonic::transport::Error| unreachable(address, &error);
        let mut endpoint = Endpoint::from_shared(address.uri())
            .map_err(failed)?
            .connect_timeout(CONNECTS_WITHIN)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        if address.tls {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_enabled_roots()).map_err(failed)?;
        }
        let channel = endpoint.connect().await.map_err(failed)?;
        Ok(Self { grpc: Grpc::new(channel).max_decoding_message_size(LARGEST), address: address.clone() })
    }

    /// The user, as each message names it.
    pub fn user(&self) -> UserContext {
        UserContext { user_id: self.address.user.clone() }
    }

    /// Executes a plan.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn execute(&mut self, plan: ExecutePlanRequest) -> Result<Streaming<ExecutePlanResponse>, QueryError> {
        self.ready().await?;
        let request = self.request(plan)?;
        let codec = ProstCodec::<ExecutePlanRequest, ExecutePlanResponse>::default();
        let answered = self.grpc.server_streaming(request, PathAndQuery::from_static(EXECUTE), codec).await;
        answered.map(Response::into_inner).map_err(|status| of_status(&self.address, &status))
    }

    /// Sets the configuration of the session.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn configure(&mut self, session: &str, settings: &[(&str, &str)]) -> Result<(), QueryError> {
        let pair = |(key, value): &(&str, &str)| KeyValue { key: (*key).to_owned(), value: Some((*value).to_owned()) };
        let set = SetConfig { pairs: settings.iter().map(pair).collect() };
        let request = ConfigRequest {
            session_id: session.to_owned(),
            user_context: Some(self.user()),
            operation: Some(ConfigOperation { set: Some(set) }),
        };
        self.unary(request, CONFIG).await
    }

    /// Cancels an operation.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn interrupt(&mut self, session: &str, operation: &str) -> Result<(), QueryError> {
        let request = InterruptRequest {
            session_id: session.to_owned(),
            user_context: Some(self.user()),
            interrupt_type: INTERRUPT_OPERATION,
            operation_id: Some(operation.to_owned()),
        };
        self.unary(request, INTERRUPT).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the cluster refuses it.
    pub async fn release(&mut self, session: &str) -> Result<(), QueryError> {
        let request = ReleaseSessionRequest { session_id: session.to_owned(), user_context: Some(self.user()) };
        self.unary(request, RELEASE).await
    }

    /// The next part of an answer; None at its end.
    ///
    /// # Errors
    /// When the question fails or the connection is lost.
    pub async fn next(
        &self,
        answer: &mut Streaming<ExecutePlanResponse>,
    ) -> Result<Option<ExecutePlanResponse>, QueryError> {
        answer.message().await.map_err(|status| of_status(&self.address, &status))
    }

    async fn unary<M: Message + Send + Sync + 'static>(
        &mut self,
        message: M,
        path: &'static str,
    ) -> Result<(), QueryError> {
        self.ready().await?;
        let request = self.request(message)?;
        let codec = ProstCodec::<M, Ignored>::default();
        let answered: Result<Response<Ignored>, Status> =
            self.grpc.unary(request, PathAndQuery::from_static(path), codec).await;
        answered.map(drop).map_err(|status| of_status(&self.address, &status))
    }

    async fn ready(&mut self) -> Result<(), QueryError> {
        let ready = self.grpc.ready().await;
        ready.map_err(|error| unreachable(&self.address, &error))
    }

    fn request<M>(&self, message: M) -> Result<Request<M>, QueryError> {
        let mut request = Request::new(message);
        if let Some(token) = &self.address.token {
            let value: Result<AsciiMetadataValue, _> = format!("Bearer {token}").parse();
            let value = value.map_err(|_| QueryError::Engine("the token of the cluster is no ASCII text".into()))?;
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}
