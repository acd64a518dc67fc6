//! The runner of jobs: what a job is, when it is due, and that each run happens once. It names no job: the list of jobs is
//! [`crate::scheduled::REGISTRY`] and is handed in.

pub mod cron;
pub mod job;
pub mod ledger;
pub mod scheduler;
pub mod settings;
