//! Why a page cannot be shown, or a change was refused.

use actix_web::http::StatusCode;
use serde::Serialize;

/// A reason why a change was refused.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// The id of the field to correct; None if it concerns the whole form.
    pub field: Option<String>,
    pub message: String,
    /// The English message of the API, if the page has no words for it; else empty.
    pub english: String,
    /// Why the API refused, until the page has said so; None for what the page finds itself.
    #[serde(skip)]
    pub said: Option<Said>,
}

/// The reason of a refusal of the API, and the values that it is about.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Empty if the refusal has no reason.
    pub reason: String,
    pub parameters: Vec<(String, String)>,
}

impl Problem {
    pub fn of_form(message: impl Into<String>) -> Self {
        Self { field: None, message: message.into(), english: String::new(), said: None }
    }

    pub fn at_field(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::of_form(message) }
    }

    /// A refusal of the API, with its English message.
    pub fn of_api(message: &str, said: Said) -> Self {
        Self { said: Some(said), ..Self::of_form(message) }
    }

    /// The field of the API with which its message begins; another word if the message is about no field.
    pub fn input(&self) -> &str {
        self.message.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
    }
}

/// Why a page cannot be shown.
#[derive(Debug, Clone)]
pub enum PageError {
    /// The page or object does not exist, or the reader may not see it.
    NotFound,
    /// The role may not ask this.
    Forbidden,
    /// The role sees pseudonyms, and the server has no key file to make them with.
    NoKeyFile,
    /// The form is from another site, or older than the session.
    Forged,
    /// An input is wrong: a filter, or what a form says.
    Refused(Vec<Problem>),
    /// Another user has changed the object meanwhile.
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

    /// Whether the same request may succeed a little later.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self, Self::TooMany | Self::TookTooLong | Self::Away | Self::Internal)
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
