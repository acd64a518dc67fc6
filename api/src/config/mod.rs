//! What the configuration file says about the API: limits by role, TLS, and external JWTs.

mod intake;
mod jwt;
mod limits;
mod sql;

pub use intake::IntakeSettings;
pub use jwt::JwtSettings;
pub use limits::*;
pub use sql::SqlSettings;
