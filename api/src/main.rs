//! The `phananh` binary.

use mimalloc::MiMalloc;
use rustix::fs::Mode;
use rustix::process::umask;
use std::process::ExitCode;

/// Answers consist of many small allocations, loading the register of many large ones. mimalloc is faster for the
/// small ones and returns the large ones to the system. Huge pages stay off: each thread would keep some for little
/// use, and they doubled the memory of a server with 32 client connections.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // The program writes files that hold complaints and name the people complained about: only their owner may read
    // them.
    umask(Mode::RWXG | Mode::RWXO);
    api::cli::main()
}
