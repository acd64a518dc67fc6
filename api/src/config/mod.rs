//! The settings of the API in the configuration file: limits by role, TLS, external JWTs, and the web page.

mod intake;
mod jwt;
mod limits;
mod sql;
mod web;

pub use intake::IntakeSettings;
pub use jwt::JwtSettings;
pub use limits::*;
pub use sql::SqlSettings;
pub use web::{OidcSettings, WebSettings};
