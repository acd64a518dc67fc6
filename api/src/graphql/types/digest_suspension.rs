//! Why nothing is sent to the reader of a subscription.

use async_graphql::{Enum, SimpleObject};
use jobs::digest::reader::{Lost, LostReason};

/// Why nothing is sent to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum DigestSuspensionReason {
    /// The reader does not exist any more.
    Gone,
    /// An ADMIN disabled the reader.
    Disabled,
    /// The reader has no valid token.
    NoToken,
    /// The reader has an account of another issuer, and has not signed in for too long. Signing in ends it.
    NotSignedIn,
    /// The account is of an issuer that the server does not accept any more.
    OtherIssuer,
    /// The reader has a role without digests, or another one than when it subscribed.
    OtherRole,
    /// The reader may not read about the unit any more.
    OtherUnit,
}

impl From<LostReason> for DigestSuspensionReason {
    fn from(reason: LostReason) -> Self {
        match reason {
            LostReason::Gone => Self::Gone,
            LostReason::Disabled => Self::Disabled,
            LostReason::NoToken => Self::NoToken,
            LostReason::NotSignedIn => Self::NotSignedIn,
            LostReason::OtherIssuer => Self::OtherIssuer,
            LostReason::OtherRole => Self::OtherRole,
            LostReason::OtherUnit => Self::OtherUnit,
        }
    }
}

/// What keeps a subscription from being sent digests.
#[derive(SimpleObject)]
pub struct DigestSuspension {
    pub reason: DigestSuspensionReason,
    /// The reason as a sentence in English, as the log says it.
    pub message: String,
}

impl From<Lost> for DigestSuspension {
    fn from(lost: Lost) -> Self {
        Self { reason: lost.reason.into(), message: lost.why }
    }
}
