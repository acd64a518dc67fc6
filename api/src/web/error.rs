//! Why a page cannot be shown, or a change was refused.

use actix_web::http::StatusCode;
use serde::Serialize;

/// One reason why a change was refused.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// The id of the field to correct; None if it concerns the whole form.
    pub field: Option<String>,
    pub message: String,
}

impl Problem {
    pub fn of_form(message: impl Into<String>) -> Self {
        Self { field: None, message: message.into() }
    }

    pub fn of(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), message: message.into() }
    }
}

/// Why a page cannot be shown.
#[derive(Debug, Clone)]
pub enum PageError {
    /// There is no such page or object, or the reader may not see it.
    NotFound,
    /// The role may not ask this.
    Forbidden,
    /// The role sees pseudonyms, and the server has no key file to make them with.
    NoKeyFile,
    /// The form is from another site, or older than the session.
    Forged,
    /// An input is wrong: a filter, or what a form says.
    Refused(Vec<Problem>),
    /// Someone else changed the object meanwhile.
    Conflict(Vec<Problem>),
    /// Too many requests of this reader.
    TooMany,
    /// The operation took too long.
    TookTooLong,
    /// The database does not answer.
    Away,
    /// An error of the server; the log says more.
    Internal,
}

impl PageError {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::NoKeyFile | Self::Forged => StatusCode::FORBIDDEN,
            Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::TookTooLong => StatusCode::GATEWAY_TIMEOUT,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The beginning of the keys of its words.
    pub(super) const fn key(&self) -> &'static str {
        match self {
            Self::NotFound => "error-not-found",
            Self::Forbidden => "error-forbidden",
            Self::NoKeyFile => "error-no-key-file",
            Self::Forged => "error-forged",
            Self::Refused(_) => "error-refused",
            Self::Conflict(_) => "error-conflict",
            Self::TooMany => "error-too-many",
            Self::TookTooLong => "error-took-too-long",
            Self::Away => "error-away",
            Self::Internal => "error-internal",
        }
    }

    /// The problems that the reader can do something about.
    pub(super) fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused(problems) | Self::Conflict(problems) => problems,
            _ => &[],
        }
    }
}
