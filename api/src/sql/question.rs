//! A question, its asker, its limits and its errors.

use super::Parameter;
use crate::access::Viewer;
use jobs::JobError;
use jobs::tables::TableReader;
use schema::StoreError;
use schema::enums::Role;
use schema::keys::Keys;
use schema::pseudonyms::Audience;
use std::time::{Duration, Instant};

/// The limits of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Rows of the answer; further ones are cut off.
    pub rows: u64,
    /// Memory of the engine process beyond its tables, in MB.
    pub memory_mb: u32,
    /// Bytes of the answer.
    pub answer_bytes: u64,
    /// When the question is cancelled.
    pub deadline: Instant,
    /// The whole time until the deadline, as it is configured: messages name it.
    pub time: Duration,
}

/// Largest answer of a command, in bytes: a table or a JSON document is held in memory.
const LARGEST_OF_A_COMMAND: u64 = 4 * 1024 * 1024 * 1024;

impl QueryLimits {
    /// Those of a question that a command asks now.
    pub fn of_a_command(rows: u64, memory_mb: u32, time: Duration) -> Self {
        Self { rows, memory_mb, answer_bytes: LARGEST_OF_A_COMMAND, deadline: Instant::now() + time, time }
    }
}

/// A question.
#[derive(Debug, Clone)]
pub struct SqlQuestion {
    pub text: String,
    pub parameters: Vec<Parameter>,
    pub limits: QueryLimits,
}

/// Why a question failed.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text or a parameter is wrong, or a limit is exceeded. The message says where.
    #[error("SQL: {0}")]
    Sql(String),
    #[error("the query took longer than {} ms and was cancelled: ask for a shorter period or fewer rows", .0.as_millis())]
    Timeout(Duration),
    #[error("the client disconnected and the query was cancelled")]
    Cancelled,
    /// The engine ended, for example at its memory limit.
    #[error(
        "SQL: the engine stopped; the query may have needed more than {0} MB: ask for fewer rows or groups, or allow more \
         (sql_memory_mb in [api.limits], --memory-mb of a command)"
    )]
    Broken(u32),
    /// The engine program is missing. The message says how to get it.
    #[error("{0}")]
    NoEngine(String),
    #[error("the SQL engine: {0}")]
    Engine(String),
    /// The lake cannot be asked, or its cluster cannot answer. The message says what to do.
    #[error("{0}")]
    Cluster(String),
}

impl From<JobError> for QueryError {
    fn from(failure: JobError) -> Self {
        match failure {
            JobError::Store(StoreError::Cancelled) => Self::Cancelled,
            other => Self::Engine(other.to_string()),
        }
    }
}

/// The asker of a question.
#[derive(Clone)]
pub struct SqlAsker {
    pub audience: Audience,
    pub reader: TableReader,
}

impl SqlAsker {
    /// The asker of a role that may ask SQL; None for another role.
    pub fn of(viewer: &Viewer, keys: &Keys) -> Option<Self> {
        let mut asker = Self::for_role(viewer.role, keys)?;
        asker.reader.officer = viewer.officer_id;
        Some(asker)
    }

    /// Whether a role may ask SQL.
    pub fn may_be(role: Role) -> bool {
        matches!(role, Role::Board | Role::DataTeam)
    }

    /// An asker of a role, who is no officer; None for a role that may not ask SQL.
    pub fn for_role(role: Role, keys: &Keys) -> Option<Self> {
        if !Self::may_be(role) {
            return None;
        }
        let audience = Audience::Role(role);
        let reader = TableReader { pseudonyms: keys.pseudonyms(audience), board: role == Role::Board, officer: None };
        Some(Self { audience, reader })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{EXPORTERS, allowed};
    use jobs::tables::table;

    #[test]
    fn tables_are_for_the_roles_of_the_access_table() {
        let keys = Keys::ephemeral();
        let sources = table("sources").expect("a table");
        for role in Role::WORDS.iter().map(|word| word.parse::<Role>().expect("a role")) {
            let asker = SqlAsker::for_role(role, &keys);
            assert_eq!(asker.is_some(), allowed(role, "Query", "sql"), "{role}");
            assert_eq!(asker.is_some(), EXPORTERS.contains(&role), "{role}");
            let reads_sources = asker.map(|asker| asker.reader.may_read(sources).is_ok());
            assert!(reads_sources.is_none_or(|reads| reads == allowed(role, "Complaint", "sources")), "{role}");
        }
    }
}
