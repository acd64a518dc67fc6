//! Ctrl-C in a session: it cancels the running question, and the prompt returns.

use schema::db::cancellation::CancelToken;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A running question.
#[derive(Clone)]
pub enum Running {
    Register(Arc<CancelToken>),
    Server(ureq::Agent),
}

impl Running {
    pub fn register() -> Self {
        Self::Register(Arc::default())
    }

    fn cancel(self) {
        match self {
            // What reads the register looks at the token between two pieces, and what waits for the engine often.
            Self::Register(token) => {
                token.cancel();
            }
            Self::Server(agent) => agent.shutdown(),
        }
    }
}

/// The present effect of Ctrl-C.
enum State {
    /// Nothing runs. The prompt reads Ctrl-C as a key, so a signal asks the program to end.
    Idle,
    Asking(Running),
    /// The question was cancelled and has not ended yet: a second Ctrl-C ends the program.
    Cancelled,
    /// A pager shows the answer, and Ctrl-C is for it.
    Paging,
}

#[derive(Clone)]
pub struct Interrupts(Arc<Mutex<State>>);

/// Exit status of a program that Ctrl-C ends.
pub const INTERRUPTED: u8 = 130;

impl Interrupts {
    /// Handles the signals of this process from now on.
    ///
    /// # Errors
    /// If the process has a handler of signals already.
    pub fn handled() -> anyhow::Result<Self> {
        let interrupts = Self(Arc::new(Mutex::new(State::Idle)));
        let handled = interrupts.clone();
        ctrlc::set_handler(move || handled.interrupt())?;
        Ok(interrupts)
    }

    fn interrupt(&self) {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Cancelled) {
            State::Asking(running) => running.cancel(),
            State::Paging => *state = State::Paging,
            State::Idle | State::Cancelled => std::process::exit(INTERRUPTED.into()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets Ctrl-C cancel a question until the returned value is dropped.
    pub fn asking(&self, running: Running) -> Interruptible<'_> {
        *self.state() = State::Asking(running);
        Interruptible(self)
    }

    /// Leaves Ctrl-C to the pager until the returned value is dropped.
    pub fn paging(&self) -> Interruptible<'_> {
        *self.state() = State::Paging;
        Interruptible(self)
    }
}

pub struct Interruptible<'i>(&'i Interrupts);

impl Interruptible<'_> {
    /// Whether Ctrl-C cancelled the question.
    pub fn was_cancelled(&self) -> bool {
        matches!(*self.0.state(), State::Cancelled)
    }
}

impl Drop for Interruptible<'_> {
    fn drop(&mut self) {
        *self.0.state() = State::Idle;
    }
}
