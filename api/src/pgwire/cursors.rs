//! The cursors of a session, each a question whose answer is read in parts by `FETCH`.
//!
//! The first `FETCH` of a cursor runs its question, and decides the format of its rows. A cursor counts towards the
//! limit of portals of its session, and its answer towards the limit of answers of its token. A cursor is closed when
//! its transaction or the connection ends.

use super::ask::{ask, describe};
use super::errors::{error, moved};
use super::session::{Session, refuse_in_failed_transaction};
use super::statement::{Declaration, Fetch};
use super::types::{fields, format_of};
use crate::sql::Parameter;
use futures_util::stream::iter;
use futures_util::{Sink, StreamExt};
use pgwire::api::ClientInfo;
use pgwire::api::portal::Format;
use pgwire::api::query::{send_execution_response, send_query_response};
use pgwire::api::results::{FieldInfo, QueryResponse, Tag};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::TransactionStatus;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The cursors of a connection, by name. The session does not hold them, because their answers hold the session.
#[derive(Default)]
pub struct Cursors(Mutex<HashMap<String, Cursor>>);

/// A cursor.
struct Cursor {
    declaration: Declaration,
    parameters: Vec<Parameter>,
    /// The rows that are not fetched yet; None before the first `FETCH`.
    answer: Option<QueryResponse>,
}

impl Cursors {
    pub fn of<C: ClientInfo>(client: &C) -> Arc<Self> {
        client.session_extensions().get_or_insert_with(Self::default)
    }

    /// Closes a cursor, or all.
    ///
    /// # Errors
    /// If there is no cursor of that name.
    pub fn close(&self, session: &Session, name: Option<&str>) -> PgWireResult<()> {
        let closed: Vec<String> = match name {
            None => self.lock().drain().map(|(name, _)| name).collect(),
            Some(name) => vec![self.take(name)?.declaration.name],
        };
        closed.iter().for_each(|name| session.forget_portal(name));
        Ok(())
    }

    /// Closes a cursor, if there is one of that name.
    pub fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Closes all cursors at the end of their transaction.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The declaration of a cursor, whose question decides the columns.
    pub fn declaration(&self, name: &str) -> Option<Declaration> {
        self.lock().get(name).map(|cursor| cursor.declaration.clone())
    }

    /// Takes a cursor out; [`Self::put`] puts it back.
    fn take(&self, name: &str) -> PgWireResult<Cursor> {
        self.lock().remove(name).ok_or_else(|| error("34000", format!("cursor {name:?} does not exist")))
    }

    fn put(&self, cursor: Cursor) {
        self.lock().insert(cursor.declaration.name.clone(), cursor);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Cursor>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Declares a cursor. Its question is planned, but not run.
///
/// # Errors
/// Outside of a transaction, when the question cannot be planned, and when the session has too many.
pub async fn declare<C>(
    client: &mut C,
    session: &Arc<Session>,
    declaration: &Declaration,
    parameters: Vec<Parameter>,
) -> PgWireResult<()>
where
    C: ClientInfo + Sink<PgWireBackendMessage> + Unpin,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    refuse_in_failed_transaction(client)?;
    if client.transaction_status() == TransactionStatus::Idle {
        return Err(error("25P01", "DECLARE CURSOR can only be used in transaction blocks: send BEGIN"));
    }
    let (name, cursors) = (&declaration.name, Cursors::of(client));
    if cursors.declaration(name).is_some() {
        return Err(error("42P03", format!("cursor {name:?} already exists")));
    }
    columns(session, declaration, &Format::UnifiedText).await?;
    let bytes = declaration.question.text.len() + parameters.len() * size_of::<Parameter>();
    session.keep_portal(name, bytes)?;
    cursors.put(Cursor { declaration: declaration.clone(), parameters, answer: None });
    send_execution_response(client, Tag::new("DECLARE CURSOR")).await
}

/// The columns of a cursor.
///
/// # Errors
/// When its question cannot be planned.
pub async fn columns(
    session: &Arc<Session>,
    declaration: &Declaration,
    format: &Format,
) -> PgWireResult<Vec<FieldInfo>> {
    let described = describe(session, &declaration.question).await;
    let described = described.map_err(|failure| moved(failure, declaration.characters_before))?;
    Ok(fields(&described.columns, format))
}

/// Answers `FETCH` and `MOVE`. `describes`: whether the columns come with the rows.
///
/// # Errors
/// When there is no such cursor, its question fails, or its rows have another format.
pub async fn fetch<C>(
    client: &mut C,
    session: &Arc<Session>,
    fetch: &Fetch,
    format: &Format,
    describes: bool,
) -> PgWireResult<()>
where
    C: ClientInfo + Sink<PgWireBackendMessage> + Unpin,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    refuse_in_failed_transaction(client)?;
    let cursors = Cursors::of(client);
    let mut cursor = cursors.take(&fetch.cursor)?;
    let mut answer = match cursor.answer.take() {
        Some(answer) if fetch.moves || has_format(&answer, format) => answer,
        Some(_) => return Err(error("0A000", "fetch all rows of a cursor in one format, text or binary")),
        None => {
            let asked = ask(session, &cursor.declaration.question.text, cursor.parameters.clone(), format).await;
            asked.map_err(|failure| moved(failure, cursor.declaration.characters_before))?
        }
    };
    let mut rows = Vec::new();
    let mut number = 0;
    while fetch.rows.is_none_or(|most| number < most) {
        let Some(row) = answer.data_rows().next().await else {
            // A stream must not be polled after its end. Dropping it frees a place for another answer.
            answer = QueryResponse::new(answer.row_schema(), iter(Vec::new()));
            break;
        };
        let row = row?;
        number += 1;
        if !fetch.moves {
            rows.push(Ok(row));
        }
    }
    let columns = answer.row_schema();
    cursor.answer = Some(answer);
    cursors.put(cursor);
    if fetch.moves {
        return send_execution_response(client, Tag::new("MOVE").with_rows(number)).await;
    }
    let mut part = QueryResponse::new(columns, iter(rows));
    part.set_command_tag("FETCH");
    send_query_response(client, part, describes).await
}

fn has_format(answer: &QueryResponse, format: &Format) -> bool {
    answer.row_schema.iter().enumerate().all(|(index, column)| column.format() == format_of(format, index))
}
