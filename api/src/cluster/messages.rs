//! The messages of Spark Connect that a question needs, with the numbers of their fields in Spark's `base.proto`,
//! `relations.proto` and `commands.proto`. A message skips the fields that it does not declare. They are declared by
//! hand: generated code would need `protoc` in each build, for a hundred messages that this client never sends.

use prost::Message;
use std::collections::HashMap;

#[derive(Clone, PartialEq, Message)]
pub struct UserContext {
    #[prost(string, tag = "1")]
    pub user_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ExecutePlanRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub plan: Option<Plan>,
    #[prost(string, optional, tag = "4")]
    pub client_type: Option<String>,
    #[prost(string, optional, tag = "6")]
    pub operation_id: Option<String>,
}

/// One of its fields is set.
#[derive(Clone, PartialEq, Message)]
pub struct Plan {
    #[prost(message, optional, tag = "1")]
    pub root: Option<Relation>,
    #[prost(message, optional, tag = "2")]
    pub command: Option<Command>,
}

/// One of its fields is set.
#[derive(Clone, PartialEq, Message)]
pub struct Relation {
    #[prost(message, optional, tag = "2")]
    pub read: Option<Read>,
    #[prost(message, optional, boxed, tag = "8")]
    pub limit: Option<Box<Limit>>,
    #[prost(message, optional, tag = "10")]
    pub sql: Option<Sql>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Limit {
    #[prost(message, optional, boxed, tag = "1")]
    pub input: Option<Box<Relation>>,
    #[prost(int32, tag = "2")]
    pub limit: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct Sql {
    #[prost(string, tag = "1")]
    pub query: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Read {
    #[prost(message, optional, tag = "2")]
    pub data_source: Option<DataSource>,
}

#[derive(Clone, PartialEq, Message)]
pub struct DataSource {
    #[prost(string, optional, tag = "1")]
    pub format: Option<String>,
    #[prost(map = "string, string", tag = "3")]
    pub options: HashMap<String, String>,
    #[prost(string, repeated, tag = "4")]
    pub paths: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Command {
    #[prost(message, optional, tag = "3")]
    pub create_view: Option<CreateView>,
}

/// `CreateDataFrameViewCommand`.
#[derive(Clone, PartialEq, Message)]
pub struct CreateView {
    #[prost(message, optional, tag = "1")]
    pub input: Option<Relation>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(bool, tag = "4")]
    pub replace: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct ExecutePlanResponse {
    #[prost(message, optional, tag = "2")]
    pub arrow_batch: Option<ArrowBatch>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ArrowBatch {
    #[prost(int64, tag = "1")]
    pub row_count: i64,
    /// An Arrow stream of one batch.
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub operation: Option<ConfigOperation>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ConfigOperation {
    #[prost(message, optional, tag = "1")]
    pub set: Option<SetConfig>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SetConfig {
    #[prost(message, repeated, tag = "1")]
    pub pairs: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub struct KeyValue {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct InterruptRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(int32, tag = "4")]
    pub interrupt_type: i32,
    #[prost(string, optional, tag = "6")]
    pub operation_id: Option<String>,
}

/// `INTERRUPT_TYPE_OPERATION_ID`.
pub const INTERRUPT_OPERATION: i32 = 3;

#[derive(Clone, PartialEq, Message)]
pub struct ReleaseSessionRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
}

/// An answer whose fields are ignored.
#[derive(Clone, PartialEq, Message)]
pub struct Ignored {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares a request with what Spark's own client for Python encodes for `SELECT 1`, limited to two rows.
    #[test]
    fn a_plan_has_the_numbers_of_spark() {
        let sql = Relation { sql: Some(Sql { query: "SELECT 1".into() }), ..Relation::default() };
        let limit = Limit { input: Some(Box::new(sql)), limit: 2 };
        let root = Relation { limit: Some(Box::new(limit)), ..Relation::default() };
        let plan = Plan { root: Some(root), command: None };
        let request = ExecutePlanRequest { session_id: "s".into(), plan: Some(plan), ..ExecutePlanRequest::default() };
        let text: String = request.encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, EXPECTED);
    }

    const EXPECTED: &str = "0a01731a140a1242100a0c520a0a0853454c45435420311002";
}
