//! The API server and the command line: GraphQL over HTTP, authentication, access control, exports.

// rustc proves through the types of all nested objects that their futures are `Send`: that exceeds the default limit.
#![recursion_limit = "256"]

pub mod access;
mod admission;
pub mod budget;
mod cells;
pub mod cli;
mod cluster;
pub mod config;
mod export;
pub mod graphql;
pub mod http;
pub mod jwt;
mod pgwire;
mod receipt_limits;
pub mod sql;
mod traces;
pub mod web;
