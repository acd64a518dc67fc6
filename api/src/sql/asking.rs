//! A question as an engine process is asked it.

use super::protocol::Ask;
use super::{Parameter, QueryLimits};
use std::time::{Duration, Instant};

/// A question, or a text to describe.
pub(super) struct Asking {
    pub text: String,
    pub parameters: Vec<Parameter>,
    pub limits: QueryLimits,
    pub describe: bool,
}

impl Asking {
    pub fn new(text: String, parameters: Vec<Parameter>, limits: QueryLimits, describe: bool) -> Self {
        Self { text, parameters, limits, describe }
    }

    pub fn ask(&self) -> Ask {
        let left = self.limits.deadline.saturating_duration_since(Instant::now());
        Ask {
            number: 0,
            text: self.text.clone(),
            parameters: self.parameters.clone(),
            rows: self.limits.rows,
            memory_mb: self.limits.memory_mb,
            cpu_seconds: cpu_seconds(left),
            given: Vec::new(),
            describe: self.describe,
        }
    }
}

/// The processor time that corresponds to a time limit: all processors may be busy throughout.
fn cpu_seconds(time: Duration) -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, |number| number.get() as u64);
    (time.as_secs() + 1).saturating_mul(processors) + 1
}
