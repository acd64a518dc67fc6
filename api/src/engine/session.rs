//! Receives tables and answers questions, one after the other.

use super::execute::{Failure, answer};
use super::input::{Input, Told};
use super::limits::{Limits, READERS, WORKER_STACK};
use super::output::Output;
use super::tables::Tables;
use super::{catalog, failure, functions, local_times};
use api::sql::protocol::{Ask, Failed, Setup, fingerprint};
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::runtime::Builder;

/// The share of a question's memory that operators may account for, in tenths; the rest covers memory that they do not
/// account for.
const ACCOUNTED: usize = 7;

/// Answers until the input ends.
///
/// # Errors
/// When the engine cannot work.
pub fn run(mut output: Output, limits: Limits, threads: usize) -> std::result::Result<(), String> {
    // Without the I/O driver: the process has no sockets.
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_stack_size(WORKER_STACK)
        .max_blocking_threads(READERS)
        .enable_time()
        .build()
        .map_err(|e| format!("cannot start its threads: {e}"))?;
    let mut input = Input::start().map_err(|e| format!("cannot read: {e}"))?;
    runtime.block_on(async {
        let Some(Told::Setup(setup)) = input.told.recv().await else { return Ok(()) };
        let mut session = Session::new(&setup, limits, threads)?;
        while let Some(told) = input.told.recv().await {
            match told {
                Told::Setup(_) => return Err("it was set up twice".to_owned()),
                Told::Column(name, rows) => session.tables.insert(&name, &rows).map_err(|e| e.to_string())?,
                Told::Drop(name) => session.tables.remove(&name).map_err(|e| e.to_string())?,
                Told::Lake(files) => session.tables.read_lake(&files).map_err(|e| e.to_string())?,
                Told::Ask(ask) => session.answer(&ask, &mut input, &mut output).await?,
            }
        }
        Ok(())
    })
}

struct Session {
    context: SessionContext,
    tables: Tables,
    limits: Limits,
    board: bool,
    has_catalog: bool,
}

impl Session {
    fn new(setup: &Setup, limits: Limits, threads: usize) -> std::result::Result<Self, String> {
        if setup.fingerprint != fingerprint() {
            return Err("it is of another build than phananh: install both together".into());
        }
        let made = || -> Result<(SessionContext, Tables)> {
            let tables = Tables::new(setup.board, threads)?;
            let schemas = MemoryCatalogProvider::new();
            schemas.register_schema(catalog::SCHEMA, tables.provider())?;
            let context = SessionContext::new_with_state(state(threads));
            context.register_catalog(catalog::CATALOG, Arc::new(schemas));
            Ok((context, tables))
        };
        let (context, tables) = made().map_err(|e| e.to_string())?;
        Ok(Self { context, tables, limits, board: setup.board, has_catalog: false })
    }

    /// Answers one question.
    ///
    /// # Errors
    /// When the program that asked has closed its end.
    async fn answer(&mut self, ask: &Ask, input: &mut Input, output: &mut Output) -> std::result::Result<(), String> {
        let answered = self.answer_or_fail(ask, input, output).await;
        let _not_lifted = self.limits.end();
        let failed = match answered {
            Ok(()) => return Ok(()),
            Err(Failure::Told(failed)) => failed,
            Err(Failure::Engine(error)) => failure::of_engine(&error, ask.memory_mb, self.board),
            Err(Failure::Gone(error)) => return Err(error.to_string()),
        };
        output.failed(&failed).map_err(|e| e.to_string())
    }

    async fn answer_or_fail(
        &mut self,
        ask: &Ask,
        input: &mut Input,
        output: &mut Output,
    ) -> std::result::Result<(), Failure> {
        if !self.has_catalog && catalog::is_named(&ask.text) {
            catalog::add(&self.context, self.board)?;
            self.has_catalog = true;
        }
        self.tables.give(&ask.given)?;
        let limited = self.limits.begin(self.tables.bytes(), ask.memory_mb, ask.cpu_seconds);
        limited.map_err(|e| Failure::Told(Failed::Engine(format!("cannot limit itself: {e}"))))?;
        let state = self.state_for(ask.memory_mb)?;
        let answering = AssertUnwindSafe(answer(state, &self.tables, ask, output)).catch_unwind();
        let cancelled = input.cancelled.wait_for(|number| *number >= ask.number);
        tokio::select! {
            biased;
            _ = cancelled => Err(Failure::Told(Failed::Cancelled)),
            answered = answering => answered.unwrap_or_else(|_| {
                Err(DataFusionError::Internal("the question panicked".into()).into())
            }),
        }
    }

    /// A state with memory of its own for one question.
    fn state_for(&self, memory_mb: u32) -> Result<SessionState> {
        let memory = usize::try_from(memory_mb).unwrap_or(usize::MAX).saturating_mul(1 << 20) / 10 * ACCOUNTED;
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory)))
            .with_disk_manager_builder(disk)
            .build_arc()?;
        Ok(SessionStateBuilder::new_from_existing(self.context.state()).with_runtime_env(runtime).build())
    }
}

/// The state that those of questions are made from.
fn state(threads: usize) -> SessionState {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(catalog::CATALOG, catalog::SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true)
        .with_target_partitions(threads);
    // The tables have plain texts.
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    // Without a zone, now() and TIMESTAMPTZ would be local times of no place, and AT TIME ZONE would leave the clock
    // of UTC.
    config.options_mut().execution.time_zone = Some(local_times::ZONE_OF_INSTANTS.into());
    let builder =
        SessionStateBuilder::new().with_config(config).with_catalog_list(Arc::new(MemoryCatalogProviderList::new()));
    functions::with_functions(builder).build()
}
