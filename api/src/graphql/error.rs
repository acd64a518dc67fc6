//! Errors for clients: a message and a code from one list, without SQL, paths or panic messages.

use async_graphql::{ErrorExtensions, Name, Value};
use jobs::JobError;
use schema::StoreError;
use schema::refusal::{CodeRefusal, JobRefusal, Refusal, Refuses};

/// The codes of errors, under `extensions.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    BadUserInput,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    /// The operation exceeded its deadline and was cancelled.
    Timeout,
    /// The rate limit of the token is exceeded, or a subscriber was too slow.
    RateLimited,
    /// The hash of the automatic persisted query is unknown: send it with its text.
    PersistedQueryNotFound,
    Internal,
    /// The database is unreachable: try again.
    Unavailable,
    ParseFailed,
    ValidationFailed,
}

impl Code {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::Timeout => "TIMEOUT",
            Self::RateLimited => "RATE_LIMITED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::Internal => "INTERNAL_SERVER_ERROR",
            Self::Unavailable => "UNAVAILABLE",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
        }
    }
}

/// An error with a code.
pub fn error(code: Code, message: impl Into<String>) -> async_graphql::Error {
    async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code.as_str()))
}

pub fn bad_input(message: impl Into<String>) -> async_graphql::Error {
    error(Code::BadUserInput, message)
}

/// Longest parameter of a refusal, in characters: some repeat the client's input.
const LONGEST_PARAMETER: usize = 1_000;

/// An error that a person can correct. Besides the code it has the reason and its parameters, so that clients can word
/// it in another language than English.
pub fn refuse(refused: impl Refuses) -> async_graphql::Error {
    told(&refused.refusal())
}

fn told(refusal: &Refusal) -> async_graphql::Error {
    let code = if refusal.is_conflict() { Code::Conflict } else { Code::BadUserInput };
    let short = |value: &str| -> String { value.chars().take(LONGEST_PARAMETER).collect() };
    let parameters = refusal.parameters().iter();
    let parameters = parameters.map(|(name, value)| (Name::new(name), Value::String(short(value))));
    let parameters = Value::Object(parameters.collect());
    error(code, refusal.to_string()).extend_with(|_, extensions| {
        extensions.set("reason", refusal.reason());
        extensions.set("parameters", parameters);
    })
}

/// Converts a store error into what a client may see of it.
pub fn from_store(failure: StoreError) -> async_graphql::Error {
    match failure {
        StoreError::Refused(refusal) => told(&refusal),
        StoreError::Rule(message) => error(Code::BadUserInput, message),
        StoreError::Conflict(message) => error(Code::Conflict, message),
        StoreError::NotFound(message) => error(Code::NotFound, message),
        failure @ StoreError::Cancelled => error(Code::Timeout, failure.to_string()),
        failure if failure.is_lost_race() => refuse(CodeRefusal::WrittenAtOnce),
        failure if failure.is_unavailable() => {
            tracing::warn!(error = %failure, "the database cannot be reached");
            error(Code::Unavailable, UNREACHABLE)
        }
        failure => {
            tracing::error!(error = %failure, "the request failed");
            error(Code::Internal, "the request failed; the server's log says why")
        }
    }
}

/// The message while the database is unreachable.
pub const UNREACHABLE: &str = "the register cannot be reached at the moment: try again";

/// Converts an error of a job or statistic into what a client may see of it.
pub fn from_job(failure: JobError) -> async_graphql::Error {
    match failure {
        JobError::Store(failure) => from_store(failure),
        JobError::Question(message) => bad_input(message),
        JobError::Busy(busy) => refuse(JobRefusal::Running { job: busy.job, node: busy.node, since: busy.since }),
        JobError::NotFound(message) => error(Code::NotFound, message),
        failure => {
            tracing::error!(error = %failure, "the request failed");
            error(Code::Internal, "the request failed; the server's log says why")
        }
    }
}
