//! Limits how much a node does at once, in total and for one token.

use super::connections::ConnectionLimits;
use crate::config::ApiSettings;
use std::time::Duration;

/// Concurrent exports that read the database: each holds a connection and a database snapshot.
pub const EXPORTS_AT_ONCE: usize = 2;
/// Concurrent exports that are being sent: each holds a temporary file.
pub const DOWNLOADS_AT_ONCE: usize = 64;
pub const DOWNLOADS_OF_A_TOKEN: usize = 4;
/// Concurrent large answers, in total and for one token: each holds a temporary file.
pub const ANSWERS_AT_ONCE: usize = 128;
pub const ANSWERS_OF_A_TOKEN: usize = 16;
/// Concurrent operations that read only the snapshot, in total and for one token: each holds a thread while it waits
/// for one of the few concurrent statistics. An operation without a permit holds no thread.
pub const SNAPSHOT_OPERATIONS: usize = 8;
pub const SNAPSHOT_OPERATIONS_OF_A_TOKEN: usize = 4;
/// Concurrent token look-ups: any client can send a token, and each look-up takes a connection.
pub const LOOKUPS_AT_ONCE: usize = 4;
pub const STATISTICS_AT_ONCE: usize = 4;

/// Open files other than client connections: database connections, the server's own files, exports.
const OTHER_FILES: u64 = 256;
/// Limit of open files that the node requests from the system, if it has fewer.
const WANTED_FILES: u64 = 65_536;

/// Concurrent statistics of one token: at most half of the processors, so that another token's statistic starts at
/// once.
pub fn statistics_of_a_token() -> usize {
    (std::thread::available_parallelism().map_or(1, std::num::NonZero::get) / 2).clamp(1, STATISTICS_AT_ONCE / 2)
}

/// The connection limits, reduced to what the system's limit of open files allows.
pub fn connection_limits(settings: &ApiSettings) -> ConnectionLimits {
    let files = rlimit::increase_nofile_limit(WANTED_FILES).unwrap_or_else(|error| {
        tracing::warn!(%error, "the limit of open files could not be raised or read");
        1_024
    });
    let possible = usize::try_from(files.saturating_sub(OTHER_FILES).max(64)).unwrap_or(usize::MAX);
    let connections = settings.connections as usize;
    if connections > possible {
        tracing::warn!(connections, possible, "the limit of open files allows fewer connections than api.connections");
    }
    ConnectionLimits {
        connections: connections.min(possible),
        incomplete_per_address: settings.incomplete_requests_per_address as usize,
        request: Duration::from_secs(u64::from(settings.request_seconds)),
    }
}
