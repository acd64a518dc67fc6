use crate::graphql::scalars::{Json, Moment};
use async_graphql::SimpleObject;
use jobs::snapshot::Snapshot;
use jobs::sql::Answer;
use serde_json::{Map, Value};

/// What a question in SQL came to.
#[derive(SimpleObject)]
pub struct SqlAnswer {
    columns: Vec<SqlColumn>,
    /// The rows: objects by the names of the columns. Days are `YYYY-MM-DD`; what JSON has no number for is null.
    rows: Vec<Json<Map<String, Value>>>,
    /// Whether there are more rows than may be answered.
    truncated: bool,
    /// When the snapshot was read.
    as_of: Moment,
    /// The position of the register that the snapshot knows.
    position: i64,
    /// The version of the key of the pseudonyms.
    key_version: u32,
}

/// A column of an answer.
#[derive(SimpleObject)]
pub struct SqlColumn {
    name: String,
    /// What it holds: `str`, `i64`, `f64`, `bool`, `date`, …
    #[graphql(name = "type")]
    of: String,
}

impl SqlAnswer {
    pub fn new(snapshot: &Snapshot, answer: Answer, key_version: u32) -> Self {
        Self {
            rows: answer.objects().into_iter().map(Json).collect(),
            columns: answer.columns.into_iter().map(|one| SqlColumn { name: one.name, of: one.of }).collect(),
            truncated: answer.truncated,
            as_of: snapshot.as_of.into(),
            position: snapshot.position,
            key_version,
        }
    }
}
