//! Answers commands about the session.

use super::cursors::Cursors;
use super::errors::error;
use super::session::{Session, refuse_in_failed_transaction};
use super::statement::Command;
use bytes::{BufMut, BytesMut};
use futures_util::stream::iter;
use futures_util::{Sink, SinkExt};
use pgwire::api::query::{send_execution_response, send_query_response};
use pgwire::api::results::{FieldFormat, FieldInfo, QueryResponse, Tag};
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, Type};
use pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::DataRow;
use pgwire::messages::response::TransactionStatus;
use std::fmt::Debug;
use std::sync::Arc;

/// Runs a command and sends its answer, with its columns if `describes` is set.
///
/// # Errors
/// When the server cannot do what the command says, or the client has disconnected.
pub async fn run<C>(client: &mut C, session: &Session, command: &Command, describes: bool) -> PgWireResult<()>
where
    C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
    C::PortalStore: PortalStore,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    if !matches!(command, Command::Commit | Command::Rollback | Command::RollbackTo) {
        refuse_in_failed_transaction(client)?;
    }
    let tag = match command {
        Command::Begin(tag) => {
            client.set_transaction_status(TransactionStatus::Transaction);
            *tag
        }
        Command::Commit => {
            let failed = client.transaction_status() == TransactionStatus::Error;
            end_transaction(client, session);
            if failed { "ROLLBACK" } else { "COMMIT" }
        }
        Command::Rollback => {
            end_transaction(client, session);
            "ROLLBACK"
        }
        Command::RollbackTo => {
            if client.transaction_status() == TransactionStatus::Idle {
                return Err(error("25P01", "ROLLBACK TO SAVEPOINT can only be used in transaction blocks"));
            }
            client.set_transaction_status(TransactionStatus::Transaction);
            "ROLLBACK"
        }
        Command::Savepoint(tag) | Command::Nothing(tag) => *tag,
        Command::Close(name) => {
            Cursors::of(client).close(session, name.as_deref())?;
            if name.is_some() { "CLOSE CURSOR" } else { "CLOSE CURSOR ALL" }
        }
        // `cursors::fetch` answers it in the format that its client wants.
        Command::Fetch(fetch) => return Err(error("0A000", format!("cursor {:?} cannot be read here", fetch.cursor))),
        Command::Set(setting) => {
            if let Some(warning) = session.settings.set(setting)? {
                let notice = ErrorInfo::new("WARNING".to_owned(), "01000".to_owned(), warning.to_owned());
                client.feed(PgWireBackendMessage::NoticeResponse(notice.into())).await?;
            }
            "SET"
        }
        Command::Show(name) => return show(client, session, name, describes).await,
        Command::Reset(name) => {
            session.settings.reset(name.as_deref());
            "RESET"
        }
        Command::Discard(tag) => {
            if *tag == "DISCARD ALL" {
                session.settings.reset(None);
                forget_statements(client, session);
            }
            *tag
        }
        Command::Deallocate(None) => {
            forget_statements(client, session);
            "DEALLOCATE ALL"
        }
        Command::Deallocate(Some(name)) => {
            client.portal_store().rm_statement(name);
            session.forget_statement(name);
            "DEALLOCATE"
        }
    };
    send_execution_response(client, Tag::new(tag)).await
}

/// The columns of the answer to a command.
pub fn columns(command: &Command) -> Vec<FieldInfo> {
    match command {
        Command::Show(name) => vec![FieldInfo::new(name.clone(), None, None, Type::TEXT, FieldFormat::Text)],
        _ => Vec::new(),
    }
}

fn end_transaction<C>(client: &mut C, session: &Session)
where
    C: ClientInfo + ClientPortalStore,
    C::PortalStore: PortalStore,
{
    client.set_transaction_status(TransactionStatus::Idle);
    client.portal_store().clear_portals();
    Cursors::of(client).clear();
    session.forget_portals();
}

fn forget_statements<C>(client: &C, session: &Session)
where
    C: ClientPortalStore,
    C::PortalStore: PortalStore,
{
    for name in session.forget_statements() {
        client.portal_store().rm_statement(&name);
    }
}

async fn show<C>(client: &mut C, session: &Session, name: &str, describes: bool) -> PgWireResult<()>
where
    C: Sink<PgWireBackendMessage> + Unpin,
    C::Error: Debug,
    PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
{
    let unknown = || error("42704", format!("unrecognized configuration parameter {name:?}"));
    let value = session.settings.get(name).ok_or_else(unknown)?;
    let mut cell = BytesMut::with_capacity(value.len() + 4);
    cell.put_i32(i32::try_from(value.len()).unwrap_or(i32::MAX));
    cell.put_slice(value.as_bytes());
    let fields = columns(&Command::Show(name.to_owned()));
    let mut answer = QueryResponse::new(Arc::new(fields), iter([Ok(DataRow::new(cell, 1))]));
    answer.set_command_tag("SHOW");
    send_query_response(client, answer, describes).await
}
