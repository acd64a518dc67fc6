//! The `phananh` binary.

use mimalloc::MiMalloc;
use rustix::fs::Mode;
use rustix::process::umask;
use std::process::ExitCode;

/// Answers are made of many small pieces, and loading the register of many large ones: this allocator is quicker
/// with the first and gives the second back. Without huge pages, of which each thread would hold some for little: they doubled the
/// memory of a server that 32 connections ask.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // What it writes holds complaints, and who was complained about: nobody but its owner reads it.
    umask(Mode::RWXG | Mode::RWXO);
    api::cli::main()
}
