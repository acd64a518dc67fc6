//! Questions over the lake to a cluster that speaks Spark Connect: Apache Spark 4, or Sail.
//!
//! The cluster reads the files of the lake in place. This program defines views over the files that one manifest lists,
//! so that an answer is of one state of the lake even while a sync runs. The cluster reads with rights of its own, so
//! [`text`] first checks that a question reads only these views and calls only functions that compute.

mod address;
mod answer;
mod client;
mod conditions;
mod dialect;
mod failure;
mod foreign;
mod functions;
mod lexer;
mod messages;
mod misread;
mod rpc;
mod session;
mod tables;
pub mod text;

pub use address::Address;
pub use answer::ClusterAnswer;
pub use client::Cluster;
pub use session::Views;
