//! Cancellation of questions: by a cancel request over another connection, or because the client disconnected.

use super::gate::Gate;
use async_trait::async_trait;
use bytes::Bytes;
use pgwire::api::cancel::CancelHandler;
use pgwire::messages::cancel::CancelRequest;
use schema::db::cancellation::CancelToken;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// A running question. Dropping it stops the question.
pub struct Running {
    gate: Arc<dyn Gate>,
    stop: Arc<Stop>,
}

/// Means to stop a question.
#[derive(Default)]
struct Stop {
    /// Stops the thread that works for the question.
    token: Arc<CancelToken>,
    /// Wakes the task that waits for rows.
    asked: CancellationToken,
}

impl Running {
    /// The cancel token of the thread that works for the question.
    pub fn token(&self) -> Arc<CancelToken> {
        Arc::clone(&self.stop.token)
    }

    /// Returns once a cancel request stopped the question.
    pub async fn stopped(&self) {
        self.stop.asked.cancelled().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.gate.cancel(&self.stop.token);
    }
}

/// The question that a session runs.
#[derive(Default)]
pub struct Current(Mutex<Option<Arc<Stop>>>);

impl Current {
    /// Begins a question. A cancel request stops the newest one.
    pub fn begin(&self, gate: &Arc<dyn Gate>) -> Running {
        let stop = Arc::new(Stop::default());
        *self.lock() = Some(Arc::clone(&stop));
        Running { gate: Arc::clone(gate), stop }
    }

    fn stop(&self, gate: &dyn Gate) {
        if let Some(stop) = self.lock().take() {
            stop.asked.cancel();
            gate.cancel(&stop.token);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Stop>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sessions of a node, by process number and secret key.
#[derive(Default)]
pub struct Cancels(Mutex<HashMap<(i32, Bytes), Arc<Current>>>);

impl Cancels {
    fn lock(&self) -> MutexGuard<'_, HashMap<(i32, Bytes), Arc<Current>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a session until the returned value is dropped.
    pub fn register(self: &Arc<Self>, process: i32, secret: Bytes) -> Registered {
        let current = Arc::new(Current::default());
        let key = (process, secret);
        self.lock().insert(key.clone(), Arc::clone(&current));
        Registered { all: Arc::clone(self), key, current }
    }
}

/// A session that cancel requests find.
pub struct Registered {
    all: Arc<Cancels>,
    key: (i32, Bytes),
    pub current: Arc<Current>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}

/// Answers cancel requests. A wrong secret has no effect and no answer.
pub struct CancelRequests {
    pub gate: Arc<dyn Gate>,
    pub cancels: Arc<Cancels>,
}

#[async_trait]
impl CancelHandler for CancelRequests {
    async fn on_cancel_request(&self, request: CancelRequest) {
        let found = self.cancels.lock().get(&(request.pid, request.secret_key.to_bytes())).cloned();
        if let Some(current) = found {
            current.stop(self.gate.as_ref());
        }
    }
}
