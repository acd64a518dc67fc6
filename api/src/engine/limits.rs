//! The limits of the process, and of each question.

use rlimit::{INFINITY, Resource};
use rustix::time::{ClockId, clock_gettime};
use std::io;

/// The stack of the thread that plans questions, in bytes.
pub const SESSION_STACK: usize = 128 * MB as usize;
/// The stack of each thread that executes them.
pub const WORKER_STACK: usize = 32 * MB as usize;
/// Threads that read the files of a lake.
pub const READERS: usize = 8;
/// Open files: the process has its pipes and opens nothing.
const FILES: u64 = 64;
/// Open files of a process that reads a lake.
const FILES_OF_LAKE: u64 = 1_024;
/// Address space that threads and the allocator reserve and do not use.
const RESERVED: u64 = 1_024 * MB;
const MB: u64 = 1 << 20;

/// The limits of the process.
pub struct Limits {
    /// Address space without tables and questions, in bytes.
    base: u64,
}

impl Limits {
    /// Forbids the resources that the process does not need. Call it before the sandbox is entered.
    ///
    /// # Errors
    /// When a limit cannot be set.
    pub fn new(threads: usize, has_lake: bool) -> io::Result<Self> {
        Resource::FSIZE.set(0, 0)?;
        Resource::CORE.set(0, 0)?;
        let files = if has_lake { FILES_OF_LAKE } else { FILES };
        Resource::NOFILE.set(files, files)?;
        let workers = if has_lake { threads + READERS } else { threads };
        let stacks = SESSION_STACK as u64 + workers as u64 * WORKER_STACK as u64;
        Ok(Self { base: address_space().unwrap_or(RESERVED) + stacks + RESERVED })
    }

    /// Limits the process while it answers one question. The system ends it when it exceeds a limit.
    ///
    /// # Errors
    /// When a limit cannot be set.
    pub fn begin(&self, table_bytes: u64, memory_mb: u32, cpu_seconds: u64) -> io::Result<()> {
        // The allocator rounds the memory of tables up.
        let bytes = self.base + table_bytes.saturating_mul(2) + u64::from(memory_mb) * MB;
        set_soft(Resource::AS, bytes)?;
        let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
        set_soft(Resource::CPU, used.saturating_add(cpu_seconds).saturating_add(1))
    }

    /// Lifts the limits of a question: tables come in between questions.
    ///
    /// # Errors
    /// When the limit cannot be lifted.
    pub fn end(&self) -> io::Result<()> {
        let (_, hard) = Resource::AS.get()?;
        Resource::AS.set(hard, hard)?;
        let (_, hard) = Resource::CPU.get()?;
        Resource::CPU.set(hard, hard)
    }
}

fn set_soft(resource: Resource, wanted: u64) -> io::Result<()> {
    let (_, hard) = resource.get()?;
    resource.set(if hard == INFINITY { wanted } else { wanted.min(hard) }, hard)
}

/// The address space that the process has now, in bytes; None where the system does not say.
fn address_space() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1_024)
}
