//! `phananh-engine`: the process that answers SQL. `phananh` starts it, gives it the tables that its asker may read,
//! and asks one question after the other (`api::sql::protocol`). Its only argument is the folder of a lake.
//!
//! Before it answers it enters [`sandbox`], which leaves it its pipes, its memory and its processors.

mod catalog;
mod checked_arithmetic;
mod checked_sum;
mod comparisons;
mod compatibility;
mod correlated;
mod date_parts;
mod decimals;
mod execute;
mod expressions;
mod failure;
mod forms;
mod functions;
mod guarded_division;
mod halves;
mod input;
mod interval_functions;
mod interval_parts;
mod intervals;
mod lacking;
mod like_escape;
mod limits;
mod local_times;
mod long_periods;
mod make_timestamp;
mod memory_table;
mod misread;
mod numeric_parts;
mod numeric_rounding;
mod ordered_sets;
mod origin;
mod output;
mod overlaps;
mod parameters;
mod patterns;
mod percentile;
mod pg_functions;
mod plain;
mod quotient;
mod relations;
mod replacement;
mod rewrite;
mod sandbox;
mod session;
mod settings;
mod single_row;
mod spans;
mod statement;
mod subqueries;
mod subquery_shapes;
mod symmetric;
mod synonyms;
mod tables;
mod templates;
mod text_values;
mod today;
mod width_bucket;

use api::sql::protocol::Failed;
use mimalloc::MiMalloc;
use output::Output;
use std::path::PathBuf;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let ended = run();
    let Err(message) = ended else { return ExitCode::SUCCESS };
    // Standard error is closed: the first question gets the error.
    if let Ok(mut output) = Output::new() {
        let _nobody_reads = output.failed(&Failed::Engine(message));
    }
    ExitCode::FAILURE
}

fn run() -> Result<(), String> {
    sandbox::leave_descriptors().map_err(|e| format!("cannot close its descriptors: {e}"))?;
    // An engine of a lake reads the files of that folder, and no other.
    let lake = std::env::args_os().nth(1).map(PathBuf::from);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let limits = limits::Limits::new(threads, lake.is_some()).map_err(|e| format!("cannot limit itself: {e}"))?;
    sandbox::enter(lake.as_deref())?;
    let output = Output::new().map_err(|e| format!("standard output: {e}"))?;
    // Plans are trees, and are walked by recursion.
    let session = std::thread::Builder::new().name("session".into()).stack_size(limits::SESSION_STACK);
    let session = session.spawn(move || session::run(output, limits, threads)).map_err(|e| e.to_string())?;
    session.join().unwrap_or_else(|_| Err("it panicked".into()))
}
