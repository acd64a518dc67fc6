//! What is served: GraphQL over HTTP, access control and the command line.

// Whether the futures of nested objects may go to another thread is decided through all their types.
#![recursion_limit = "256"]

pub mod access;
mod admission;
pub mod auth;
pub mod budget;
pub mod cli;
mod export;
pub mod graphql;
pub mod http;
pub mod jwt;
pub mod limits;
mod traces;
