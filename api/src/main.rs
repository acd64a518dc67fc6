//! The `phananh` binary.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Answers are made of many small pieces, and loading the register of many large ones: this allocator is quicker
/// with the first and gives the second back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    api::cli::main()
}
