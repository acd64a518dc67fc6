//! Turns failures of a cluster into errors that say whose they are and what to do.

use super::Address;
use crate::sql::QueryError;
use std::error::Error;
use tonic::{Code, Status};

/// Most characters of a message.
const LONGEST: usize = 2_000;

/// Parts of messages about a wrong question, by the class of the error in Spark and in Sail.
const WRONG: [&str; 9] = [
    "AnalysisException",
    "ParseException",
    "ArithmeticException",
    "NumberFormatException",
    "IllegalArgumentException",
    "UnsupportedOperationException",
    "DateTimeException",
    "SparkRuntimeException",
    "ArrayIndexOutOfBoundsException",
];

/// Parts of messages about lost workers.
const LOST: [&str; 9] = [
    "worker",
    "executor lost",
    "ExecutorLostFailure",
    "heartbeat",
    "transport error",
    "h2 protocol error",
    "error reading a body",
    "error trying to connect",
    "Connection refused",
];

/// Parts of messages about memory that ran out: of Sail, of Spark, and of Kubernetes and YARN, which end such a worker.
const EXHAUSTED: [&str; 6] = [
    "Resources exhausted",
    "Failed to allocate additional",
    "OutOfMemoryError",
    "UNABLE_TO_ACQUIRE_MEMORY",
    "OOMKilled",
    "exceeding memory limits",
];

/// Parts of messages about a session that the cluster no longer knows, for example after its restart.
const FORGOTTEN: [&str; 3] = ["INVALID_HANDLE", "SESSION_", "TABLE_OR_VIEW_NOT_FOUND"];

/// The error of a cluster that does not answer.
pub fn unreachable(address: &Address, error: &dyn Error) -> QueryError {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        message = format!("{message}: {one}");
        cause = one.source();
    }
    QueryError::Cluster(format!(
        "the cluster {address} does not answer ({message}): check that it runs, and `engine` in [lake]"
    ))
}

/// The error of a call.
pub fn of_status(address: &Address, status: &Status) -> QueryError {
    let message = shortened(status.message());
    // The details are an encoded message that contains the class as text.
    let details = String::from_utf8_lossy(status.details());
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => {
            let remedy = "check `engine` in [lake]";
            QueryError::Cluster(format!("the cluster {address} refuses the token ({message}): {remedy}"))
        }
        Code::Unavailable => QueryError::Cluster(format!(
            "the cluster {address} went away or has no workers ({message}): ask again when it is back"
        )),
        Code::Cancelled => QueryError::Cancelled,
        // A worker that ran out of memory would do so again.
        _ if says(&EXHAUSTED) => QueryError::Cluster(format!(
            "the cluster {address} has too little memory for the question ({message}): {MORE_MEMORY}"
        )),
        _ if says(&LOST) => QueryError::Cluster(format!(
            "the cluster {address} {LOST_A_WORKER} and could not end the question without it ({message}): ask again; \
             where that happens again, the system may have ended the worker for its memory: {MORE_MEMORY}"
        )),
        Code::InvalidArgument => QueryError::Sql(message),
        _ if WRONG.iter().any(|class| details.contains(class)) || message.contains("SQLSTATE") => {
            QueryError::Sql(message)
        }
        code => QueryError::Cluster(format!("the cluster {address} failed ({code:?}: {message})")),
    }
}

/// Whether a question failed because the cluster lost a worker: other workers may answer it.
pub fn is_lost(failed: &QueryError) -> bool {
    matches!(failed, QueryError::Cluster(message) if message.contains(LOST_A_WORKER))
}

/// The message of such a failure.
const LOST_A_WORKER: &str = "lost a worker";

/// Advice for a question that needs more memory than workers have.
const MORE_MEMORY: &str = "give the workers more memory or the cluster more workers (docs/lake.md, Memory), or ask for \
                           fewer rows or groups";

/// Whether a failure may come from a session that the cluster no longer knows.
pub fn is_forgotten(failed: &QueryError) -> bool {
    let text = failed.to_string();
    FORGOTTEN.iter().any(|word| text.contains(word))
}

fn shortened(message: &str) -> String {
    // Java's stack follows the first paragraph.
    let message = message.split("\n\nJVM stacktrace").next().unwrap_or_default().trim();
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_whose_it_is() {
        let address: Address = "sc://host".parse().unwrap();
        let of = |code: Code, message: &str, details: &'static str| {
            of_status(&address, &Status::with_details(code, message, details.as_bytes().into()))
        };
        let analysis = "\u{8}org.apache.spark.sql.AnalysisException";
        assert!(matches!(of(Code::Internal, "cannot resolve nope", analysis), QueryError::Sql(_)));
        assert!(matches!(of(Code::Internal, "[X] no. SQLSTATE: 42703", ""), QueryError::Sql(_)));
        let lost = of(Code::Internal, "task failed: worker 2 is lost", "").to_string();
        assert!(lost.contains("lost a worker") && lost.contains("sc://host:15002"), "{lost}");
        assert!(lost.contains("ask again") && lost.contains("give the workers more memory"), "{lost}");
        for message in [
            "Resources exhausted: Failed to allocate additional 64.0 MB for HashJoinInput",
            "task failed: worker 2: Resources exhausted: no memory",
            "Job aborted: ExecutorLostFailure (executor 1 exited): Container killed by YARN for exceeding memory limits",
            "java.lang.OutOfMemoryError: Java heap space",
        ] {
            let exhausted = of(Code::Internal, message, "");
            assert!(exhausted.to_string().contains("has too little memory for the question"), "{exhausted}");
            assert!(exhausted.to_string().contains("give the workers more memory"), "{exhausted}");
            assert!(!is_lost(&exhausted), "it would fail again: {exhausted}");
        }
        assert!(of(Code::Unavailable, "refused", "").to_string().contains("ask again"));
        assert!(matches!(of(Code::Cancelled, "", ""), QueryError::Cancelled));
        assert!(is_forgotten(&of(Code::Internal, "[TABLE_OR_VIEW_NOT_FOUND] complaints", analysis)));
        assert!(!is_forgotten(&of(Code::Internal, "cannot resolve nope", analysis)));
    }
}
