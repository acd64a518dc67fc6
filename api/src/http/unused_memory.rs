//! Returns to the system the memory that the start used and the server does not.
//!
//! The allocator returns memory a second after it was freed, when a thread ends or has allocated much. A server that
//! gets no requests does neither for minutes, and would keep all that loading the snapshot took in addition to the
//! snapshot.

use std::hint::black_box;
use std::io;
use std::thread::{Builder, sleep};
use std::time::Duration;

/// Longer than the allocator waits.
const AFTER: Duration = Duration::from_millis(1_200);
/// The end of a thread returns at least a quarter of it.
const TIMES: usize = 4;

/// Returns the memory soon, in the background.
pub fn return_soon() {
    let returning = || -> io::Result<()> {
        for _ in 0..TIMES {
            sleep(AFTER);
            // Only a thread that has allocated tells the allocator that it ends.
            let short = Builder::new().name("memory-end".into()).spawn(|| drop(black_box(vec![0u8; 64])))?;
            let _ended = short.join();
        }
        Ok(())
    };
    let started = Builder::new().name("memory".into()).spawn(move || {
        if let Err(error) = returning() {
            tracing::debug!(%error, "memory that the start used stays with the server");
        }
    });
    if let Err(error) = started {
        tracing::debug!(%error, "memory that the start used stays with the server");
    }
}
