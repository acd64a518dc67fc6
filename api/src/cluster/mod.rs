//! Questions over the lake to a cluster that speaks Spark Connect: Apache Spark 4, or Sail.
//!
//! The cluster reads the files of the lake where they lie, as views over the lists of files of one manifest: an answer
//! is of one state, also while a sync runs. It reads with its own rights. A question therefore goes to it only after
//! [`text`] found that it reads these views, and calls functions that compute.

mod address;
mod answer;
mod failure;
mod functions;
mod lexer;
mod messages;
mod rpc;
mod session;
mod tables;
pub mod text;

pub use address::Address;
pub use answer::ClusterAnswer;
pub use session::{Cluster, Views};
