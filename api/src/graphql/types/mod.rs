//! The types of the GraphQL schema, a folder for each subject: the type with its fields, and beside it its lists,
//! filter, orders, inputs and mutations. Types refer to one another, so these modules do, too.

pub mod analyses;
pub mod audit;
pub mod category;
pub mod complaint;
pub mod digest;
pub mod enterprise;
pub mod flag;
pub mod guidance;
pub mod job_run;
pub mod measure;
pub mod node;
pub mod officer;
pub mod order;
pub mod principal;
pub mod proposal;
pub mod receipt;
pub mod redacted;
pub mod response;
pub mod service;
pub mod sql;
pub mod statistics;
pub mod unit;

pub use analyses::{CusumSeries, Scorecard};
pub use category::{CategoryFilter, IssueCategory};
pub use complaint::{Complaint, ComplaintConnection, ComplaintFilter, ComplaintOrder};
pub use digest::Digest;
pub use enterprise::{Enterprise, EnterpriseFilter};
pub use flag::Flag;
pub use guidance::GuidanceDocument;
pub use job_run::JobRun;
pub use measure::Measure;
pub use officer::{Officer, OfficerFilter};
pub use proposal::Proposal;
pub use receipt::Receipt;
pub use response::{ResponseFilter, UnitResponse, UnitResponseConnection, UnitResponseOrder};
pub use unit::{Unit, UnitFilter};
