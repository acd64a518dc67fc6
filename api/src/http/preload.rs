//! Starts the SQL engines of the roles in `sql.preload` before anybody asks: the first question of such a role is then
//! as fast as a later one.

use super::Service;
use crate::sql::SqlAsker;
use actix_web::web::Data;
use schema::db::cancellation::{CancelToken, check_cancelled, set_cancel_token};
use schema::enums::Role;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

/// The tables of one role may take this long.
const WITHIN: Duration = Duration::from_secs(600);

/// Starts the engines one after the other, in the background. Stopping the server cancels this.
pub fn start(roles: Vec<Role>, service: Data<Service>) {
    if roles.is_empty() {
        return;
    }
    let token = Arc::new(CancelToken::default());
    let (cancelled, db) = (Arc::clone(&token), service.app.background_db.clone());
    let mut stopping = service.stopping.subscribe();
    // A thread and not a task for blocking work: the runtime would wait for its end when the server stops.
    let working = Builder::new().name("sql-preload".into()).spawn(move || {
        set_cancel_token(Some(token));
        for role in roles {
            preload(&service, role);
        }
    });
    if let Err(error) = working {
        tracing::warn!(%error, "no SQL engine starts before the first question");
        return;
    }
    tokio::spawn(async move {
        if stopping.wait_for(|stops| *stops).await.is_err() || !cancelled.cancel() {
            return;
        }
        // The database may be slow to take the request, and no thread of the runtime may wait for it.
        let cancelling = Builder::new().name("sql-preload-ends".into()).spawn(move || {
            if let Err(error) = db.cancel_statement(&cancelled) {
                tracing::warn!(%error, "cannot cancel the statement that reads tables for a SQL engine");
            }
        });
        if let Err(error) = cancelling {
            tracing::warn!(%error, "cannot cancel the statement that reads tables for a SQL engine");
        }
    });
}

fn preload(service: &Service, role: Role) {
    let Some(asker) = service.app.keys.as_deref().and_then(|keys| SqlAsker::for_role(role, keys)) else {
        let without = "SQL needs pseudonyms, but the server runs without a key file (--key-file)";
        tracing::warn!(%role, "no SQL engine starts before the first question: {without}");
        return;
    };
    let (began, memory_mb) = (Instant::now(), service.settings.limits(Some(role)).sql_memory_mb);
    match service.app.sql.preload(&asker, memory_mb, WITHIN) {
        Ok(()) => {
            let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            tracing::info!(%role, milliseconds, "a SQL engine has its tables before the first question");
        }
        // The server stops.
        Err(_) if check_cancelled().is_err() => {}
        Err(error) => tracing::warn!(%role, %error, "no SQL engine starts before the first question"),
    }
}
