//! What is served: GraphQL over HTTP, access control and the command line.

pub mod access;
pub mod auth;
pub mod cli;
mod export;
pub mod graphql;
pub mod http;
pub mod jwt;
pub mod limits;
mod traces;
