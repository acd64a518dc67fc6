//! What the configuration file says about the API: limits by role, TLS, and external JWTs.

mod jwt;
mod limits;

pub use jwt::JwtSettings;
pub use limits::*;
