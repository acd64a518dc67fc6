//! Close codes of a WebSocket.

use actix_ws::{CloseCode, CloseReason};

/// The reasons for which the server closes a socket: the codes of graphql-transport-ws.
#[derive(Clone, Copy)]
pub enum Close {
    BadMessage,
    Unauthorized,
    Forbidden,
    WrongProtocol,
    InitTimeout,
    SubscriberExists,
    TooManyInits,
    GoingAway,
}

impl Close {
    pub fn reason(self, why: &str) -> CloseReason {
        let code = match self {
            Self::BadMessage => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::WrongProtocol => 4406,
            Self::InitTimeout => 4408,
            Self::SubscriberExists => 4409,
            Self::TooManyInits => 4429,
            Self::GoingAway => return CloseReason { code: CloseCode::Away, description: Some(why.into()) },
        };
        CloseReason { code: CloseCode::Other(code), description: Some(why.into()) }
    }
}
