//! Errors for clients: a message and a code from one list, without SQL, paths or panic messages.

use async_graphql::ErrorExtensions;
use jobs::JobError;
use schema::StoreError;

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

/// Converts a store error into what a client may see of it.
pub fn from_store(failure: StoreError) -> async_graphql::Error {
    match failure {
        StoreError::Rule(message) => error(Code::BadUserInput, message),
        StoreError::Conflict(message) => error(Code::Conflict, message),
        StoreError::NotFound(message) => error(Code::NotFound, message),
        failure @ StoreError::Cancelled => error(Code::Timeout, failure.to_string()),
        failure if failure.is_lost_race() => {
            error(Code::Conflict, "another client wrote the same row at the same time: try again")
        }
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
        failure @ JobError::Busy(_) => error(Code::Conflict, failure.to_string()),
        JobError::NotFound(message) => error(Code::NotFound, message),
        failure => {
            tracing::error!(error = %failure, "the request failed");
            error(Code::Internal, "the request failed; the server's log says why")
        }
    }
}
